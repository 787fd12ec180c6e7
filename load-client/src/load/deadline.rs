//! A time limit for one request after another that costs next to nothing as long as it is kept.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// Of one task: the timer remembers who is to be woken.
///
/// A timer per request would be set and cancelled tens of thousands of times a second, nearly always in vain. This one
/// stays set for the limit of an earlier request; only when it goes off is it set to the limit of the current one.
pub(super) struct Deadline {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(super) fn new(limit: Duration) -> Self {
        Deadline { limit, timer: None }
    }

    /// Runs `work`, which began at `start`; `None` if it takes longer than the limit.
    pub(super) async fn keep<F: Future>(&mut self, start: Instant, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            while self.timer.as_ref().is_none_or(|timer| timer.is_elapsed()) {
                let left = self.limit.saturating_sub(start.elapsed());
                if left.is_zero() {
                    return Poll::Ready(None);
                }
                let timer = self.timer.insert(Box::pin(tokio::time::sleep(left)));
                let _ = timer.as_mut().poll(context);
            }
            Poll::Pending
        })
        .await
    }
}
