//! Bodies: of a request, which several tries may have to read, and of a response on its way to the client.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::codec::Seen;

/// What is kept of a body for another try (Envoy's default `per_connection_buffer_limit`). A longer one is sent once.
const KEPT: usize = 1 << 20;

/// How much is read before there is a connection to send it on; far enough below [`KEPT`] that all of it can be kept.
const GATHERED: usize = KEPT / 4;

/// A client's body: read once from the client, replayed from memory for further tries.
pub(super) struct Payload {
    source: RefCell<Source>,
    /// To be told when the body has ended.
    seen: Seen,
    size: SizeHint,
    received: Cell<u64>,
    complete: Cell<Option<Instant>>,
    completed: Notify,
    /// The client broke off.
    broken: Cell<bool>,
}

struct Source {
    incoming: Incoming,
    kept: Vec<Bytes>,
    kept_size: usize,
    /// More came than is kept.
    overflow: bool,
    /// Copies read it at their own pace: all of it is kept.
    all: bool,
    /// Who waits for more of it besides the one whose waker the client's connection has.
    waiting: Vec<Waker>,
    trailers: Option<HeaderMap>,
}

impl Payload {
    /// `None` when the request has no body.
    pub(super) fn new(incoming: Incoming, seen: &Seen) -> Option<Rc<Self>> {
        if incoming.is_end_stream() {
            return None;
        }
        Some(Rc::new(Payload {
            size: incoming.size_hint(),
            seen: seen.clone(),
            source: RefCell::new(Source {
                incoming,
                kept: Vec::new(),
                kept_size: 0,
                overflow: false,
                all: false,
                waiting: Vec::new(),
                trailers: None,
            }),
            received: Cell::new(0),
            complete: Cell::new(None),
            completed: Notify::new(),
            broken: Cell::new(false),
        }))
    }

    /// Whether the client has sent all of it.
    pub(super) fn is_complete(&self) -> bool {
        self.complete.get().is_some()
    }

    /// When the client had sent all of it, if it has.
    pub(super) fn complete_since(&self) -> Option<Instant> {
        self.complete.get()
    }

    /// Whether the client went away, or sent what is no body, before all of it was there.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.get()
    }

    /// Bytes received from the client so far.
    pub(super) fn received(&self) -> u64 {
        self.received.get()
    }

    /// Keeps all of it, because there are copies that read it at their own pace.
    pub(super) fn keep_all(&self) {
        self.source.borrow_mut().all = true;
    }

    /// Whether another try can send it from its beginning.
    pub(super) fn can_be_replayed(&self) -> bool {
        self.source.borrow().kept_size <= KEPT
    }

    /// When the client had sent all of it. Waits for that; it comes about only while a try reads the body.
    pub(super) async fn completed(&self) -> Instant {
        loop {
            let notified = self.completed.notified();
            if let Some(at) = self.complete.get() {
                return at;
            }
            notified.await;
        }
    }

    /// Reads ahead while there is no connection yet, so that timeouts run from when the client had sent everything.
    /// Never ends: to be dropped when the connection is there.
    pub(super) async fn gather(&self) -> Infallible {
        std::future::poll_fn(|context| {
            while !self.is_complete() && self.source.borrow().kept_size < GATHERED {
                let end = self.source.borrow().kept.len();
                match self.poll(end, context) {
                    Poll::Ready(Some(Ok(_))) => {}
                    // A failure shows again when a try reads on.
                    Poll::Ready(_) | Poll::Pending => break,
                }
            }
            Poll::Pending
        })
        .await
    }

    fn poll(
        &self,
        position: usize,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut source = self.source.borrow_mut();
        if let Some(kept) = source.kept.get(position) {
            return Poll::Ready(Some(Ok(Frame::data(kept.clone()))));
        }
        if self.is_complete() {
            return Poll::Ready(
                source
                    .trailers
                    .clone()
                    .map(|trailers| Ok(Frame::trailers(trailers))),
            );
        }
        let Poll::Ready(frame) = Pin::new(&mut source.incoming).poll_frame(context) else {
            source.wait(context);
            return Poll::Pending;
        };
        source.wake();
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.received.set(self.received.get() + data.len() as u64);
                    source.keep(data);
                } else if let Some(trailers) = frame.trailers_ref() {
                    source.trailers = Some(trailers.clone());
                }
                if source.incoming.is_end_stream() {
                    self.end();
                }
            }
            Some(Err(_)) => self.broken.set(true),
            None => self.end(),
        }
        Poll::Ready(frame)
    }

    fn end(&self) {
        if !self.is_complete() {
            self.complete.set(Some(Instant::now()));
            self.seen.body_ended();
            self.completed.notify_waiters();
        }
    }
}

impl Source {
    /// Only with copies is there more than one reader.
    fn wait(&mut self, context: &Context<'_>) {
        if self.all && !self.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            self.waiting.push(context.waker().clone());
        }
    }

    fn wake(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }

    fn keep(&mut self, data: &Bytes) {
        self.kept_size += data.len();
        if !self.all && (self.overflow || self.kept_size > KEPT) {
            self.overflow = true;
            self.kept = Vec::new();
        } else {
            self.kept.push(data.clone());
        }
    }
}

/// The body of one try.
pub(super) struct RequestBody {
    payload: Option<Rc<Payload>>,
    position: usize,
    trailers_sent: bool,
}

impl RequestBody {
    /// From its beginning.
    pub(super) fn new(payload: Option<Rc<Payload>>) -> Self {
        RequestBody {
            payload,
            position: 0,
            trailers_sent: false,
        }
    }
}

impl Drop for RequestBody {
    /// The client's connection may have been about to wake this one: the others look themselves.
    fn drop(&mut self) {
        if let Some(payload) = &self.payload {
            payload.source.borrow_mut().wake();
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(payload) = self.payload.clone() else {
            return Poll::Ready(None);
        };
        if self.trailers_sent {
            return Poll::Ready(None);
        }
        let frame = std::task::ready!(payload.poll(self.position, context));
        match &frame {
            Some(Ok(frame)) if frame.is_data() => self.position += 1,
            _ => self.trailers_sent = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.payload.is_none()
    }

    /// Nothing is said of a body that is not there: in HTTP/2 hyper would send its length.
    fn size_hint(&self) -> SizeHint {
        self.payload
            .as_ref()
            .map_or_else(SizeHint::default, |payload| payload.size)
    }
}
