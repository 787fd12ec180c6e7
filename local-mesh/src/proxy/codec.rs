//! Between the socket and hyper: what hyper refuses is answered as Envoy answers it, and targets with signs that Envoy
//! takes and hyper does not get through.
//!
//! hyper answers a request that it cannot read with a bare status and closes. The bytes of that answer pass here and
//! are exchanged for Envoy's; a request that hyper can read costs a look at its first line.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::instead::Instead;
use super::refusal;
use super::reply::LocalReply;

/// Bytes read from the socket at once.
const CHUNK: usize = 16 * 1024;

/// So much of a head is kept in order to say what is wrong with it: more than Envoy takes.
const HEAD: usize = 64 * 1024;

/// Stands for a sign that hyper does not take in a target. Where a client writes it itself it stands for itself.
const PLACEHOLDER: u8 = b'~';

/// A client's socket.
pub(super) struct Watched {
    stream: TcpStream,
    chunk: Box<[u8; CHUNK]>,
    /// What goes out instead of hyper's own answer.
    instead: Instead,
    seen: Seen,
}

/// What was seen on a client's socket; shared with those who answer its requests.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Bytes since the last request that hyper understood.
    head: Vec<u8>,
    /// The bytes that come now are the body of a request.
    in_body: bool,
    /// The target of the head that is being read has ended.
    target_ended: bool,
    /// What the placeholders in it stand for, in order.
    replaced: Vec<u8>,
    refused: Option<LocalReply>,
}

/// What the socket showed of a head, besides what hyper made of it.
#[derive(Default)]
pub(super) struct Understood {
    /// In bytes, as far as it was kept.
    pub(super) size: usize,
    /// The target with all signs back in place, if any were replaced.
    pub(super) target: Option<String>,
    /// How often the length of a body is said; hyper tells of one at most.
    pub(super) lengths: usize,
}

/// Lines with a length, up to the end of the head.
fn lengths(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    let lines = head
        .split(|byte| *byte == b'\n')
        .take_while(|line| *line != b"\r");
    lines
        .filter(|line| line.len() >= NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))
        .count()
}

impl Seen {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// hyper understood a request: what it did not tell of its head.
    pub(super) fn understood(&self, target: &str, has_body: bool) -> Understood {
        let mut state = self.state();
        let mut understood = Understood {
            size: state.head.len(),
            target: None,
            lengths: if has_body { lengths(&state.head) } else { 0 },
        };
        state.head.clear();
        state.target_ended = false;
        state.in_body = has_body;
        let replaced = std::mem::take(&mut state.replaced);
        if replaced.iter().all(|sign| *sign == PLACEHOLDER) {
            return understood;
        }
        let mut replaced = replaced.into_iter().map(char::from);
        let restore = |sign: char| match sign {
            placeholder if placeholder == char::from(PLACEHOLDER) => replaced.next().unwrap_or(sign),
            other => other,
        };
        understood.target = Some(target.chars().map(restore).collect());
        understood
    }

    /// The body of the request was read: the next bytes are another head.
    pub(super) fn body_ended(&self) {
        self.state().in_body = false;
    }

    /// The refusal that was sent on this connection, to be recorded.
    pub(super) fn refused(&self) -> Option<LocalReply> {
        self.state().refused.take()
    }
}

impl State {
    /// Looks at bytes on their way to hyper.
    fn read(&mut self, bytes: &mut [u8]) {
        if self.in_body {
            return;
        }
        let room = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        if self.target_ended {
            return;
        }
        for byte in bytes {
            match *byte {
                b'\r' | b'\n' => {
                    self.target_ended = true;
                    return;
                }
                b'<' | b'>' | b'^' | b'`' | b'"' | PLACEHOLDER => {
                    self.replaced.push(*byte);
                    *byte = PLACEHOLDER;
                }
                _ => {}
            }
        }
    }

    /// Envoy's answer instead of hyper's.
    fn refuse(&mut self, hypers: &[u8]) -> Vec<u8> {
        let reply = refusal::of(&self.head, refusal::status_of(hypers));
        let bytes = refusal::write(&reply, hypers);
        self.refused = Some(reply);
        bytes
    }
}

impl Watched {
    pub(super) fn new(stream: TcpStream) -> (Self, Seen) {
        let seen = Seen::default();
        let watched = Watched {
            stream,
            chunk: Box::new([0; CHUNK]),
            instead: Instead::default(),
            seen: seen.clone(),
        };
        (watched, seen)
    }
}

impl Read for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let room = buffer.remaining().min(CHUNK);
        let mut chunk = ReadBuf::new(&mut this.chunk[..room]);
        ready!(Pin::new(&mut this.stream).poll_read(context, &mut chunk))?;
        this.seen.state().read(chunk.filled_mut());
        buffer.put_slice(chunk.filled());
        Poll::Ready(Ok(()))
    }
}

impl Write for Watched {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.instead.is_under_way() && refusal::is_hypers(bytes) {
            this.instead.begin(this.seen.state().refuse(bytes), bytes.len());
        }
        if this.instead.is_under_way() {
            return this.instead.poll_write(&mut this.stream, context);
        }
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        if self.instead.is_under_way() || first.is_some_and(|slice| refusal::is_hypers(slice)) {
            // hyper's answer is one piece.
            let first = first.map_or(&[][..], |slice| slice);
            return self.poll_write(context, first);
        }
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }
}
