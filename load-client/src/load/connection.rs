//! One keep-alive connection, driven by the virtual user that owns it.
//!
//! hyper wants its connection polled beside the request. Doing that in the user's own task, rather than in a task
//! per connection, saves two wake-ups per request; the connection rests while its user rests.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::response::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::outcome::Failure;

/// Of a longer body only this much is kept to look for a version in.
const KEPT_OF_BODY: usize = 1 << 20;

type Driver = http1::Connection<TokioIo<TcpStream>, Full<Bytes>>;

/// An open connection.
pub(super) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once the connection has ended.
    driver: Option<Driver>,
}

/// Why an exchange came to nothing.
pub(super) enum Interrupted {
    /// The connection had ended before a byte of the request was written: it can be sent again, no server saw it.
    Unsent(Box<Request<Full<Bytes>>>),
    /// The request may have been acted on.
    Failed(Failure),
}

impl Connection {
    /// Dials the addresses in order.
    pub(super) async fn open(addresses: &[SocketAddr]) -> io::Result<Self> {
        let stream = TcpStream::connect(addresses).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::Builder::new()
            .writev(false)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        Ok(Connection {
            sender,
            driver: Some(driver),
        })
    }

    /// Can it take a request? If the user has `rested`, notices what the server did meanwhile, such as closing.
    pub(super) async fn is_usable(&mut self, rested: bool) -> bool {
        if !rested && self.sender.is_ready() {
            return true;
        }
        poll_fn(|context| {
            poll_driver(&mut self.driver, context);
            self.sender.poll_ready(context).map(|ready| ready.is_ok())
        })
        .await
    }

    /// Sends, and reads the answer to its end. The body goes to `kept` if it is given (which is emptied first).
    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        kept: Option<&mut Vec<u8>>,
    ) -> Result<Parts, Interrupted> {
        let sent = self.sender.try_send_request(request);
        let mut work = pin!(async {
            match sent.await {
                Ok(response) => read_to_end(response, kept).await.map_err(|error| failed(&error)),
                Err(mut error) => Err(match error.take_message() {
                    Some(request) => Interrupted::Unsent(Box::new(request)),
                    None => failed(error.error()),
                }),
            }
        });
        poll_fn(|context| {
            poll_driver(&mut self.driver, context);
            work.as_mut().poll(context)
        })
        .await
    }
}

/// Its result is of no interest: whoever waits for an answer is told by the sender.
fn poll_driver(driver: &mut Option<Driver>, context: &mut Context<'_>) {
    if let Some(running) = driver
        && let Poll::Ready(_ended) = Pin::new(running).poll(context)
    {
        *driver = None;
    }
}

async fn read_to_end(response: Response<Incoming>, mut kept: Option<&mut Vec<u8>>) -> hyper::Result<Parts> {
    let (head, mut body) = response.into_parts();
    if let Some(kept) = &mut kept {
        kept.clear();
    }
    while !body.is_end_stream()
        && let Some(frame) = body.frame().await
    {
        let frame = frame?;
        if let (Some(kept), Some(data)) = (&mut kept, frame.data_ref()) {
            let room = KEPT_OF_BODY - kept.len();
            kept.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    Ok(head)
}

fn failed(error: &hyper::Error) -> Interrupted {
    Interrupted::Failed(classify(error))
}

/// A connection that ended early is `Closed`; bytes that are not HTTP are `Protocol`.
fn classify(error: &hyper::Error) -> Failure {
    let malformed = |error: &(dyn std::error::Error + 'static)| {
        error.downcast_ref::<io::Error>().is_some_and(|error| {
            // How hyper reports chunks that are none.
            matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
            )
        })
    };
    if error.is_parse() || std::error::Error::source(error).is_some_and(malformed) {
        Failure::Protocol
    } else {
        Failure::Closed
    }
}
