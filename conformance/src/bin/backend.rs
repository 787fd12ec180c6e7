//! `backend`: a workload of a case, as the one container of a pod.
//!
//! It listens on port 8080 as the case has it. What that is it learns at 127.0.0.1:8081, which only `kubectl
//! port-forward` reaches: `PUT /workload {"name": .., "behaviour": {..}}` makes it another workload, `PUT /behaviour`
//! changes how it behaves, `GET /received/ID` gives the requests with this `x-lab-id`, each with its time (nanoseconds
//! since 1970).

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};
use conformance::case::Behaviour;
use conformance::wire::Wire;
use conformance::workload::Fleet;
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

const ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 8080);
const CONTROL: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8081);

/// What this pod is.
#[derive(Default)]
struct Role {
    name: String,
    fleet: Fleet,
}

#[derive(Deserialize)]
struct Workload {
    name: String,
    behaviour: Behaviour,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let control = TcpListener::bind(CONTROL).await;
    let control = control.with_context(|| format!("cannot listen at {CONTROL}"))?;
    let mut role = Role::default();
    loop {
        // One after the other: there is one who tells.
        if let Ok((stream, _)) = control.accept().await {
            // Whoever asked sees that the answer is missing.
            let _ = serve(stream, &mut role).await;
        }
    }
}

async fn serve(stream: TcpStream, role: &mut Role) -> Result<()> {
    let mut wire = Wire::new(stream);
    let head = wire.head().await?.context("no request")?;
    let body = wire.exactly(head.length().unwrap_or(0)).await?;
    let (status, answer) = match role.told(&head.first, &body).await {
        Ok(answer) => ("200 OK", answer),
        Err(error) => ("422 Unprocessable Content", format!("{error:#}")),
    };
    let length = answer.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    let stream = wire.source_mut();
    stream.write_all((head + &answer).as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

impl Role {
    /// Does what a request says; the answer is its body.
    async fn told(&mut self, line: &str, body: &[u8]) -> Result<String> {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("PUT"), Some("/workload")) => {
                let Workload { name, behaviour } = serde_json::from_slice(body)?;
                std::mem::take(&mut self.fleet).stop().await;
                self.fleet.start(&name, ADDRESS, behaviour).await?;
                self.name = name;
                Ok(String::new())
            }
            (Some("PUT"), Some("/behaviour")) => {
                self.fleet
                    .change(&self.name, serde_json::from_slice(body)?)
                    .await?;
                Ok(String::new())
            }
            (Some("GET"), Some(path)) => {
                let id = path.strip_prefix("/received/").context("GET /received/ID")?;
                let received = self.fleet.log.timed(id).into_iter().map(|(at, one)| {
                    let nanoseconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
                    json!([u64::try_from(nanoseconds).unwrap_or(u64::MAX), one])
                });
                Ok(json!(received.collect::<Vec<_>>()).to_string())
            }
            _ => bail!("{line}: PUT /workload, PUT /behaviour or GET /received/ID"),
        }
    }
}
