//! An endpoint's socket in HTTP/1.1, on which targets are written that hyper does not write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

use crate::proxy::instead::Instead;
use crate::proxy::target::OddTarget;

/// The socket as hyper has it.
pub(super) struct Socket {
    stream: TokioIo<TcpStream>,
    next: NextTarget,
    instead: Instead,
}

/// The target of the next request on a socket, if it is an odd one; shared with those who send.
#[derive(Clone, Default)]
pub(super) struct NextTarget(Arc<Mutex<Option<OddTarget>>>);

impl NextTarget {
    fn slot(&self) -> MutexGuard<'_, Option<OddTarget>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next head that is written gets this target instead of `/`.
    pub(super) fn set(&self, target: OddTarget) {
        *self.slot() = Some(target);
    }

    /// The bytes with the target in its place, if they are the head that waits for one.
    fn put_into(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut slot = self.slot();
        let OddTarget(target) = slot.as_ref()?;
        let end = bytes.iter().position(|byte| *byte == b'\r')?;
        let before = bytes[..end].strip_suffix(b" / HTTP/1.1")?.len() + 1;
        let exchanged = [&bytes[..before], target.as_bytes(), &bytes[before + 1..]].concat();
        *slot = None;
        Some(exchanged)
    }
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> (Self, NextTarget) {
        let next = NextTarget::default();
        let socket = Socket {
            stream: TokioIo::new(stream),
            next: next.clone(),
            instead: Instead::default(),
        };
        (socket, next)
    }

    /// Looks whether these bytes are to be exchanged.
    fn look(&mut self, bytes: &[u8]) {
        if !self.instead.is_under_way()
            && let Some(exchanged) = self.next.put_into(bytes)
        {
            self.instead.begin(exchanged, bytes.len());
        }
    }
}

impl Read for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl Write for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.look(bytes);
        if this.instead.is_under_way() {
            return this.instead.poll_write(this.stream.inner_mut(), context);
        }
        Pin::new(this.stream.inner_mut()).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().stream.inner_mut()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut().stream.inner_mut()).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(first) = slices.iter().find(|slice| !slice.is_empty()) {
            this.look(first);
        }
        if this.instead.is_under_way() {
            return this.instead.poll_write(this.stream.inner_mut(), context);
        }
        Pin::new(this.stream.inner_mut()).poll_write_vectored(context, slices)
    }
}
