//! One connection of a workload: which protocol it speaks, and how it ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::http2::PREFACE;
use super::{Workload, http1, http2};
use crate::wire::Wire;

/// A peer that does not hang up after this time has not noticed that it should.
const PARTING: Duration = Duration::from_millis(500);

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a FIN, if the peer has not sent one already.
    Close,
    /// With a RST.
    Reset,
}

/// Answers until the peer closes, a request ends the connection, or the workload closes: the sender of `closed` is gone.
pub(super) async fn run(
    stream: TcpStream,
    workload: Arc<Workload>,
    ordinal: usize,
    mut closed: watch::Receiver<()>,
) {
    // One handle is for the protocol, which may give it away; the other decides how the connection ends.
    let Ok((stream, mut other)) = twice(stream) else {
        return;
    };
    tokio::select! {
        // A connection that broke down is closed; what the proxy makes of that is what is looked at.
        end = serve(stream, &workload, ordinal) => if let Ok(End::Reset) = end {
            let _ = other.set_zero_linger();
        },
        _ = closed.changed() => {
            let _ = timeout(PARTING, part(&mut other)).await;
        }
    }
}

async fn serve(stream: TcpStream, workload: &Arc<Workload>, ordinal: usize) -> io::Result<End> {
    stream.set_nodelay(true)?;
    let mut wire = Wire::new(stream);
    if !begins_with_preface(&mut wire).await? {
        return http1::serve(wire, workload, ordinal).await;
    }
    let (stream, ahead) = wire.into_parts();
    // Not `into_split`: its halves send a FIN when they are dropped, before any RST.
    let (reader, writer) = tokio::io::split(stream);
    let io = tokio::io::join(io::Cursor::new(ahead).chain(reader), writer);
    http2::serve(io, workload, ordinal)
        .await
        .map_err(io::Error::other)
}

/// Reads until it is clear whether the peer speaks HTTP/2.
async fn begins_with_preface(wire: &mut Wire<TcpStream>) -> io::Result<bool> {
    let mut known = 0;
    while known < PREFACE.len() {
        let ahead = wire.look(known + 1).await?;
        let compared = ahead.len().min(PREFACE.len());
        if compared == known || ahead[..compared] != PREFACE[..compared] {
            return Ok(false);
        }
        known = compared;
    }
    Ok(true)
}

/// Says goodbye and waits until the peer has hung up, too: then it knows, and uses the connection no more.
async fn part(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

fn twice(stream: TcpStream) -> io::Result<(TcpStream, TcpStream)> {
    let first = stream.into_std()?;
    let second = first.try_clone()?;
    Ok((TcpStream::from_std(first)?, TcpStream::from_std(second)?))
}
