//! A workload's HTTP/1.1 side, without pipelining, which Envoy does not do.

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::connection::End;
use super::{Answer, Reaction, Received, Workload};
use crate::wire::{Head, Wire};

/// Answers until the peer closes or the workload does.
pub(super) async fn serve(
    mut wire: Wire<TcpStream>,
    workload: &Workload,
    connection: usize,
) -> io::Result<End> {
    while let Some(head) = wire.head().await? {
        let body_bytes = match head.length() {
            _ if head.chunked() => wire.chunks().await?.len(),
            Some(length) => wire.exactly(length).await?.len(),
            None => 0,
        };
        let request = received(&head, workload, body_bytes)?;
        let reaction = workload.receive(request, connection, false).await;
        let stream = wire.source_mut();
        match reaction {
            Reaction::Answer(answer) => {
                write(stream, &answer).await?;
                if answer.truncated {
                    return Ok(End::Close);
                }
            }
            // Until the peer gives up.
            Reaction::Hang | Reaction::RefuseStream => wire.rest().await.map(drop)?,
            Reaction::Close(last) => return stream.write_all(last).await.map(|()| End::Close),
            Reaction::Reset => return Ok(End::Reset),
        }
    }
    Ok(End::Close)
}

fn received(head: &Head, workload: &Workload, body_bytes: usize) -> io::Result<Received> {
    let mut words = head.first.splitn(3, ' ');
    let (Some(method), Some(path), Some(_)) = (words.next(), words.next(), words.next()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no request line"));
    };
    Ok(Received {
        workload: workload.name.clone(),
        method: method.to_owned(),
        path: path.to_owned(),
        headers: head.headers.clone(),
        body_bytes,
    })
}

async fn write(stream: &mut TcpStream, answer: &Answer) -> io::Result<()> {
    let mut bytes = answer.head();
    if let Some(seconds) = answer.body_delay {
        stream.write_all(&bytes).await?;
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        bytes.clear();
    }
    bytes.extend(answer.framed_body());
    stream.write_all(&bytes).await
}
