//! `relay [ADDRESS:PORT]`: dials from inside a pod for somebody outside it.
//!
//! An HTTP proxy that knows one method: `CONNECT HOST:PORT` opens a TCP connection and passes bytes both ways, unaltered.
//! In a pod of the mesh the sidecar intercepts the dial, so what comes through the relay is routed as the pod's own
//! traffic; in a pod without one nothing does. Reached with `kubectl port-forward`. `GET` is answered 200, for probes.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const ADDRESS: &str = "0.0.0.0:8080";
/// Longest head of a request, in bytes.
const LONGEST_HEAD: usize = 4096;
/// For the head of a request, and for a dial: a sidecar accepts at once, and a pod that is gone does not answer at all.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| ADDRESS.to_owned());
    let listener = TcpListener::bind(&address).await;
    let listener = listener.with_context(|| format!("cannot listen at {address}"))?;
    loop {
        // An accept that fails is a connection that was gone again; the next one is another matter.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // Whoever asked sees that the connection ends; there is nobody else to tell.
                let _ = serve(stream).await;
            });
        }
    }
}

async fn serve(mut client: TcpStream) -> Result<()> {
    client.set_nodelay(true)?;
    let head = timeout(PATIENCE, head(&mut client)).await??;
    let mut words = head.split(' ');
    let (method, target) = (words.next(), words.next());
    let (Some("CONNECT"), Some(target)) = (method, target) else {
        let answer = if method == Some("GET") {
            "200 OK"
        } else {
            "405 Method Not Allowed"
        };
        return Ok(end(&mut client, answer, "").await?);
    };
    let dialled = match timeout(PATIENCE, TcpStream::connect(target)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Ok(end(&mut client, "502 Bad Gateway", &error.to_string()).await?),
        Err(_) => return Ok(end(&mut client, "504 Gateway Timeout", "no answer to the dial").await?),
    };
    let mut server = dialled;
    server.set_nodelay(true)?;
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// The request line. What follows the head belongs to the server, so no byte of it is read.
async fn head(client: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        anyhow::ensure!(head.len() < LONGEST_HEAD, "the head is too long");
        head.push(client.read_u8().await?);
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

async fn end(client: &mut TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}
