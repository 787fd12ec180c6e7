//! Watches the answers in the order in which their requests were sent: for a new split to come into force, or for a
//! verdict. Load goes on between the two, over the same connections.

use std::cell::RefCell;
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Instant;

use tokio::sync::Notify;

use crate::fold::Fold;
use crate::judge::{Judge, is_error};
use crate::outcome::{Dispatch, Outcome, Sink};

/// What the answers are watched for.
pub(crate) trait Watch: Debug {
    /// Which request of the mix helps most now.
    fn next_variant(&mut self) -> usize;
    /// Takes in the next outcome in dispatch order, of a request sent at `sent`.
    fn take(&mut self, outcome: &Outcome, sent: Instant);
    /// Is there nothing more to watch for?
    fn is_done(&self) -> bool;
}

impl Watch for Judge {
    fn next_variant(&mut self) -> usize {
        Judge::next_variant(self)
    }

    fn take(&mut self, outcome: &Outcome, _sent: Instant) {
        Judge::take(self, outcome);
    }

    fn is_done(&self) -> bool {
        self.decision_so_far().is_some()
    }
}

/// The sink of `verify` and `rollout`.
#[derive(Debug)]
pub(crate) struct Referee {
    fold: Fold<(Outcome, Instant)>,
    /// Requests sent, and of these the ones folded: the sequence numbers of the next of either.
    sent: u64,
    folded: u64,
    /// Requests to send; no limit in a walk, where load goes on between the stages.
    limit: Option<u64>,
    watch: Option<Rc<RefCell<dyn Watch>>>,
    /// Sequence number of the first request that the watch is told of.
    from: u64,
    done: Rc<Notify>,
    /// Requests and errors since they were last asked for.
    counts: (u64, u64),
}

impl Referee {
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Referee {
            fold: Fold::new(),
            sent: 0,
            folded: 0,
            limit,
            watch: None,
            from: 0,
            done: Rc::default(),
            counts: (0, 0),
        }
    }

    /// Tells `watch` of the requests that are sent from now on, and nobody else.
    pub(crate) fn assign(&mut self, watch: Rc<RefCell<dyn Watch>>) {
        self.watch = Some(watch);
        self.from = self.sent;
    }

    /// Notified when the watch is done.
    pub(crate) fn done(&self) -> Rc<Notify> {
        Rc::clone(&self.done)
    }

    /// Requests folded since the last call, watched or not, and how many of them had no answer or one of 500 and above.
    pub(crate) fn take_counts(&mut self) -> (u64, u64) {
        std::mem::take(&mut self.counts)
    }

    /// Sends no more.
    pub(crate) fn end(&mut self) {
        self.limit = Some(self.sent);
    }

    fn take(&mut self, outcome: &Outcome, sent: Instant) {
        self.counts.0 += 1;
        self.counts.1 += u64::from(is_error(outcome));
        if let Some(watch) = self.watch.as_ref().filter(|_| self.folded >= self.from) {
            watch.borrow_mut().take(outcome, sent);
            if watch.borrow().is_done() {
                self.done.notify_one();
            }
        }
        self.folded += 1;
    }
}

impl Sink for Referee {
    fn dispatch(&mut self) -> Option<Dispatch> {
        if self.limit.is_some_and(|limit| self.sent >= limit) {
            return None;
        }
        self.sent += 1;
        let variant = self
            .watch
            .as_ref()
            .map_or(0, |watch| watch.borrow_mut().next_variant());
        Some(Dispatch {
            sequence: self.fold.dispatch(),
            variant,
        })
    }

    fn resolve(&mut self, sequence: u64, outcome: Outcome) {
        let sent = Instant::now() - outcome.latency;
        self.fold.resolve(sequence, (outcome, sent));
        while let Some((outcome, sent)) = self.fold.next() {
            self.take(&outcome, sent);
        }
    }
}

/// Waits until the watch is done.
pub(crate) async fn until_done<W: Watch>(watch: &RefCell<W>, done: &Notify) {
    while !watch.borrow().is_done() {
        done.notified().await;
    }
}
