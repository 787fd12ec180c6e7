//! A virtual user: one connection, one request at a time.

use std::cell::{Cell, RefCell};
use std::io;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderName, Request};
use http_body_util::Full;
use tokio::sync::Mutex;

use super::deadline::Deadline;
use super::keys::Keys;
use super::line::Line;
use super::pace::Pace;
use super::request::PreparedRequest;
use crate::outcome::{Answer, Dispatch, Failure, Outcome, Sink};
use crate::version::VersionReader;

/// A user that finds nobody listening waits this long before it tries again, twice as long each time up to the
/// second: a closed loop would otherwise do nothing but dial.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What all users of a load share. Single-threaded: cells, no locks.
pub(super) struct Shared<S> {
    pub(super) sink: Rc<RefCell<S>>,
    /// By variant.
    pub(super) requests: Vec<PreparedRequest>,
    pub(super) reader: RefCell<VersionReader>,
    /// Open loop only. Users queue here; the first in the queue waits for the next start.
    pub(super) pace: Option<Mutex<Pace>>,
    /// Open loop only: the sink had no more; nobody need wait for another start to hear the same.
    pub(super) finished: Cell<bool>,
    /// Connections opened so far.
    pub(super) opened: Rc<Cell<u64>>,
    /// As in [`super::Load`].
    pub(super) per_unit: Option<NonZeroU64>,
    pub(super) keys: Keys,
}

/// Sends until the sink has no more.
pub(super) struct User<S> {
    shared: Rc<Shared<S>>,
    line: Line,
    deadline: Deadline,
    /// Reused for every body that is looked into.
    body: Vec<u8>,
}

impl<S: Sink> User<S> {
    pub(super) fn new(shared: Rc<Shared<S>>, line: Line, timeout: Duration) -> Self {
        User {
            shared,
            line,
            deadline: Deadline::new(timeout),
            body: Vec::new(),
        }
    }

    pub(super) async fn run(mut self) -> io::Result<()> {
        let mut pause = FIRST_PAUSE;
        while let Some((dispatch, intended)) = self.shared.turn().await? {
            let sent = Instant::now();
            let result = self.attempt(dispatch, sent).await;
            let end = Instant::now();
            let refused = matches!(result, Err(Failure::Connect));
            let outcome = Outcome {
                variant: dispatch.variant,
                latency: end - sent,
                from_intended: end - intended.unwrap_or(sent),
                attempts: result.as_ref().map_or(1, attempts),
                connection: self.line.number(),
                unit: self.shared.keys.unit(dispatch.sequence),
                result: result.map(|head| self.shared.answer(&head, &self.body)),
            };
            self.shared.sink.borrow_mut().resolve(dispatch.sequence, outcome);
            if refused {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            } else {
                pause = FIRST_PAUSE;
            }
        }
        Ok(())
    }

    /// One request within its time.
    async fn attempt(&mut self, dispatch: Dispatch, sent: Instant) -> Result<Parts, Failure> {
        let request = self.shared.request(dispatch);
        let reads_body = self.shared.reader.borrow().reads_body();
        let answer = self.line.send(request, reads_body.then_some(&mut self.body));
        let result = self
            .deadline
            .keep(sent, answer)
            .await
            .unwrap_or(Err(Failure::Timeout));
        if result.is_err() || self.shared.per_unit.is_some() {
            self.line.hang_up();
        }
        result
    }
}

impl<S: Sink> Shared<S> {
    /// The next request, and in an open loop the time it was meant to start; `None` when the sink has no more.
    async fn turn(&self) -> io::Result<Option<(Dispatch, Option<Instant>)>> {
        let Some(pace) = &self.pace else {
            return Ok(self.sink.borrow_mut().dispatch().map(|dispatch| (dispatch, None)));
        };
        // The lock is fair and held while waiting, so that the order of the starts is the order of dispatch.
        let mut pace = pace.lock().await;
        if self.finished.get() {
            return Ok(None);
        }
        let start = pace.next_start().await?;
        let next = self.sink.borrow_mut().dispatch();
        self.finished.set(next.is_none());
        Ok(next.map(|dispatch| (dispatch, Some(start))))
    }

    fn request(&self, dispatch: Dispatch) -> Request<Full<Bytes>> {
        self.requests[dispatch.variant].render(|| self.keys.values(dispatch.sequence))
    }

    fn answer(&self, head: &Parts, body: &[u8]) -> Answer {
        Answer {
            status: head.status.as_u16(),
            served_by: self.reader.borrow_mut().read(&head.headers, body),
        }
    }
}

/// What Envoy says when told to (`include_attempt_count_in_response`).
const ATTEMPTS: HeaderName = HeaderName::from_static("x-envoy-attempt-count");

fn attempts(head: &Parts) -> u32 {
    let value = head.headers.get(ATTEMPTS);
    value
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(1)
}
