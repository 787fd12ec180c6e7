//! A connection that is kept as long as the proxy keeps it.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};

use super::request::Request;
use crate::wire::{Head, Wire};

/// Nobody waits longer for an answer.
const GIVE_UP: Duration = Duration::from_secs(20);

/// In the recording the client had this address, which `x-forwarded-for` and hashing on the source show.
const FROM: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

/// An answer, as far as it came.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// None if there was no answer.
    pub status: Option<u16>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Empty if the answer broke off.
    pub body: Vec<u8>,
    /// From the first byte sent, or the attempt to connect, to the last byte received.
    pub seconds: f64,
    /// Why there was no answer or not all of it, in the recorder's words.
    pub error: Option<String>,
}

/// One sender.
#[derive(Debug)]
pub struct Connection {
    to: To,
    open: Option<(Wire<OwnedReadHalf>, OwnedWriteHalf)>,
}

/// Where to.
#[derive(Debug)]
enum To {
    Address(Ipv4Addr),
    Relay { relay: String, host: String },
}

// === impl Connection ===

impl Connection {
    /// Will connect to this address when there is something to send.
    pub fn new(to: Ipv4Addr) -> Self {
        let to = To::Address(to);
        Connection { to, open: None }
    }

    /// Will ask the relay at this address (HTTP CONNECT) to connect to `host` at the port of the request.
    pub fn through(relay: &str, host: &str) -> Self {
        let (relay, host) = (relay.to_owned(), host.to_owned());
        let to = To::Relay { relay, host };
        Connection { to, open: None }
    }

    /// Sends a request and reads the answer. A failure is an answer, too.
    pub async fn send(&mut self, request: &Request) -> Response {
        let started = Instant::now();
        let mut response = Response::default();
        let exchange = self.exchange(request, &mut response);
        response.error = match tokio::time::timeout(GIVE_UP, exchange).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(name_of(&error)),
            Err(_) => Some("TimeoutError".to_owned()),
        };
        if response.error.is_some() {
            self.open = None;
        }
        response.seconds = started.elapsed().as_secs_f64();
        response
    }

    /// What has arrived is in `response` even if the rest never comes.
    async fn exchange(&mut self, request: &Request, response: &mut Response) -> io::Result<()> {
        let (mut wire, mut writer) = match self.open.take() {
            Some(open) => open,
            None => self.to.connect(request.port).await?,
        };
        let again = both(&mut wire, &mut writer, request, response).await?;
        if again {
            self.open = Some((wire, writer));
        }
        Ok(())
    }
}

/// Writes the request and reads the answer; says whether another may follow on this connection.
///
/// A proxy may answer before it has read everything: reading does not wait for writing.
async fn both(
    wire: &mut Wire<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
    request: &Request,
    response: &mut Response,
) -> io::Result<bool> {
    let mut writing = std::pin::pin!(writer.write_all(request.bytes()));
    let mut answering = std::pin::pin!(answer(wire, request, response));
    let mut written = None;
    loop {
        tokio::select! {
            biased;
            result = &mut writing, if written.is_none() => written = Some(result.is_ok()),
            kept = &mut answering => return Ok(kept? && written == Some(true)),
        }
    }
}

impl To {
    async fn connect(&self, port: u16) -> io::Result<(Wire<OwnedReadHalf>, OwnedWriteHalf)> {
        let stream = match self {
            To::Address(to) => {
                let socket = TcpSocket::new_v4()?;
                socket.bind(FROM.into())?;
                socket.connect(SocketAddrV4::new(*to, port).into()).await?
            }
            To::Relay { relay, .. } => TcpStream::connect(relay).await?,
        };
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let mut wire = Wire::new(reader);
        if let To::Relay { host, .. } = self {
            let head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
            writer.write_all(head.as_bytes()).await?;
            let answer = wire.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if status_of(&answer)? != 200 {
                return Err(io::Error::other(format!(
                    "the relay to {host}:{port}: {}",
                    answer.first
                )));
            }
        }
        Ok((wire, writer))
    }
}

/// Reads an answer; says whether it leaves the connection open.
async fn answer(
    wire: &mut Wire<OwnedReadHalf>,
    request: &Request,
    response: &mut Response,
) -> io::Result<bool> {
    let (head, status) = loop {
        let head = wire.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = status_of(&head)?;
        if status >= 200 || status == 101 {
            break (head, status);
        }
    };
    response.status = Some(status);
    response.headers.clone_from(&head.headers);
    let keep = head
        .value("connection")
        .is_none_or(|value| !value.eq_ignore_ascii_case("close"));
    let (body, keep) = if request.method == "HEAD" || matches!(status, 101 | 204 | 304) {
        return Ok(keep);
    } else if head.chunked() {
        (wire.chunks().await?, keep)
    } else if let Some(length) = head.length() {
        (wire.exactly(length).await?, keep)
    } else {
        (wire.rest().await?, false)
    };
    response.body = body.to_vec();
    Ok(keep)
}

fn status_of(head: &Head) -> io::Result<u16> {
    let status = head
        .first
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no status"))
}

/// As the recorder, which is written in Python, calls it.
fn name_of(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "ConnectionRefusedError".into(),
        io::ErrorKind::ConnectionReset => "ConnectionResetError".into(),
        io::ErrorKind::UnexpectedEof => "IncompleteReadError".into(),
        _ => error.to_string(),
    }
}
