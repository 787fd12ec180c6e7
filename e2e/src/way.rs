//! The way of a request to where it enters the mesh.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::forward::Forward;

/// Longest head of an answer to CONNECT.
const LONGEST_HEAD: usize = 4096;

/// Where to connect, and what to ask for there.
#[derive(Clone, Debug)]
pub struct Way {
    /// `ADDRESS:PORT`.
    address: String,
    /// `HOST:PORT` of the requests.
    authority: String,
    /// Whether a relay at the address is first asked to connect to the authority (HTTP CONNECT).
    tunnel: bool,
    /// What has to live as long as the way is used.
    kept: Option<Arc<Forward>>,
}

impl From<&str> for Way {
    fn from(address: &str) -> Self {
        Way::new(address, address)
    }
}

impl Way {
    /// Connects to `address` and asks for `authority`.
    pub fn new(address: &str, authority: &str) -> Self {
        Way {
            address: address.to_owned(),
            authority: authority.to_owned(),
            tunnel: false,
            kept: None,
        }
    }

    /// Through the relay at `address`, which dials `authority` itself.
    pub fn through(relay: &str, authority: &str) -> Self {
        Way {
            tunnel: true,
            ..Way::new(relay, authority)
        }
    }

    /// The same, kept open by this.
    #[must_use]
    pub(crate) fn keeping(self, forward: Arc<Forward>) -> Self {
        Way {
            kept: Some(forward),
            ..self
        }
    }

    /// `HOST:PORT` of the requests.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A new connection.
    ///
    /// # Errors
    /// Nobody accepts at the address, or the relay could not connect to the authority.
    pub async fn open(&self) -> Result<TcpStream> {
        if let Some(forward) = &self.kept {
            ensure!(
                forward.is_open(),
                "kubectl port-forward to {} has ended",
                self.authority
            );
        }
        let connected = TcpStream::connect(&self.address).await;
        let mut stream = connected.with_context(|| format!("cannot connect to {}", self.address))?;
        stream.set_nodelay(true)?;
        if self.tunnel {
            let asked = self.connect(&mut stream).await;
            asked.with_context(|| format!("the relay at {} to {}", self.address, self.authority))?;
        }
        Ok(stream)
    }

    async fn connect(&self, stream: &mut TcpStream) -> Result<()> {
        let authority = &self.authority;
        let head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        // Byte by byte: what follows the head belongs to whoever uses the connection.
        while !answer.ends_with(b"\r\n\r\n") {
            ensure!(answer.len() < LONGEST_HEAD, "the answer to CONNECT has no end");
            answer.push(stream.read_u8().await.context("no answer to CONNECT")?);
        }
        let answer = String::from_utf8_lossy(&answer);
        ensure!(
            answer.starts_with("HTTP/1.1 200 "),
            "CONNECT was answered {answer:?}"
        );
        Ok(())
    }
}
