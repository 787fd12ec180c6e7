//! Bytes that go out instead of those that hyper wrote.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

/// Nothing, or an exchange that is under way.
#[derive(Default)]
pub(super) struct Instead(Option<Exchange>);

struct Exchange {
    bytes: Vec<u8>,
    written: usize,
    /// So many of hyper's bytes it stands for.
    hypers: usize,
}

impl Instead {
    /// Begins to write `bytes` for the first `hypers` bytes that hyper wants to write.
    pub(super) fn begin(&mut self, bytes: Vec<u8>, hypers: usize) {
        self.0 = Some(Exchange {
            bytes,
            written: 0,
            hypers,
        });
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    /// Writes on until everything is written; then says how many of hyper's bytes that were.
    pub(super) fn poll_write(
        &mut self,
        stream: &mut TcpStream,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let Some(exchange) = &mut self.0 else {
            return Poll::Ready(Ok(0));
        };
        while exchange.written < exchange.bytes.len() {
            let rest = &exchange.bytes[exchange.written..];
            let written = ready!(Pin::new(&mut *stream).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            exchange.written += written;
        }
        let hypers = exchange.hypers;
        self.0 = None;
        Poll::Ready(Ok(hypers))
    }
}
