//! Watches the answers in the order in which their requests were sent: for a new split to come into force, or for a
//! verdict. Load goes on between the two, over the same connections.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Instant;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Notify;

use crate::cause::Lack;
use crate::fold::Fold;
use crate::judge::{Judge, is_error, lack};
use crate::outcome::{Dispatch, Outcome, Sink};

/// What the answers are watched for.
pub(crate) trait Watch: Debug {
    /// The requests of the mix that help now, one at least. The next one is drawn from them, each alike.
    fn wanted(&self) -> Rc<[usize]>;
    /// Takes in the next outcome in dispatch order.
    fn take(&mut self, outcome: &Outcome, sent: &Sent);
    /// Is there nothing more to watch for?
    fn is_done(&self) -> bool;
}

/// What is known of a request before its answer.
#[derive(Debug)]
pub(crate) struct Sent {
    /// When.
    pub(crate) at: Instant,
    /// The requests of the mix that it was drawn from.
    pub(crate) from: Rc<[usize]>,
}

impl Watch for Judge {
    fn wanted(&self) -> Rc<[usize]> {
        Judge::wanted(self)
    }

    fn take(&mut self, outcome: &Outcome, _sent: &Sent) {
        Judge::take(self, outcome);
    }

    fn is_done(&self) -> bool {
        Judge::is_done(self)
    }
}

/// The sink of `verify` and `rollout`.
#[derive(Debug)]
pub(crate) struct Referee {
    fold: Fold<(Outcome, Instant)>,
    /// What each request that is not folded yet was drawn from.
    drawn_from: VecDeque<Rc<[usize]>>,
    random: SmallRng,
    /// Requests sent, and of these the ones folded: the sequence numbers of the next of either.
    sent: u64,
    folded: u64,
    /// Requests in a row that are of one unit, and so the same request of the mix.
    per_unit: u64,
    /// The latest draw from the mix.
    latest: Option<(usize, Rc<[usize]>)>,
    /// Requests to send; no limit in a walk, where load goes on between the stages.
    limit: Option<u64>,
    watch: Option<Rc<RefCell<dyn Watch>>>,
    /// Sequence number of the first request that the watch is told of.
    from: u64,
    done: Rc<Notify>,
    /// Since they were last asked for.
    counts: Counts,
}

/// Requests that came to their end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Sent before what is watched for now.
    pub(crate) before: Ended,
    /// Sent since then.
    pub(crate) since: Ended,
}

/// How many, and how many of them had no answer or one of 500 and above.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    /// Of the errors, how often each.
    pub(crate) with: BTreeMap<Lack, u64>,
}

impl Ended {
    fn take(&mut self, outcome: &Outcome) {
        self.requests += 1;
        if is_error(outcome) {
            self.errors += 1;
            *self.with.entry(lack(outcome)).or_default() += 1;
        }
    }

    fn add(&mut self, other: Ended) {
        self.requests += other.requests;
        self.errors += other.errors;
        for (lack, count) in other.with {
            *self.with.entry(lack).or_default() += count;
        }
    }
}

impl Counts {
    /// Nothing is watched for any more, or something else.
    pub(crate) fn all_before(mut self) -> Self {
        self.before.add(self.since);
        Counts {
            before: self.before,
            since: Ended::default(),
        }
    }
}

impl Referee {
    /// `seed` is that of the draws from the mix.
    pub(crate) fn new(limit: Option<u64>, seed: u64) -> Self {
        Referee {
            fold: Fold::new(),
            drawn_from: VecDeque::new(),
            random: SmallRng::seed_from_u64(seed),
            sent: 0,
            folded: 0,
            per_unit: 1,
            latest: None,
            limit,
            watch: None,
            from: 0,
            done: Rc::default(),
            counts: Counts::default(),
        }
    }

    /// So many requests in a row are the same request of the mix.
    #[must_use]
    pub(crate) fn in_units(self, per_unit: u64) -> Self {
        Referee {
            per_unit: per_unit.max(1),
            ..self
        }
    }

    /// Tells `watch` of the requests that are sent from now on, and nobody else.
    pub(crate) fn assign(&mut self, watch: Rc<RefCell<dyn Watch>>) {
        self.watch = Some(watch);
        self.from = self.sent;
        self.counts = self.take_counts().all_before();
    }

    /// Notified when the watch is done.
    pub(crate) fn done(&self) -> Rc<Notify> {
        Rc::clone(&self.done)
    }

    /// Of the requests folded since the last call.
    pub(crate) fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Sends no more.
    pub(crate) fn end(&mut self) {
        self.limit = Some(self.sent);
    }

    /// The next request of the mix, and what it was drawn from.
    fn draw(&mut self) -> (usize, Rc<[usize]>) {
        let wanted = match &self.watch {
            Some(watch) => watch.borrow().wanted(),
            None => Rc::from([0]),
        };
        (wanted[self.random.random_range(..wanted.len())], wanted)
    }

    fn take(&mut self, outcome: &Outcome, sent: &Sent) {
        let watched = self.folded >= self.from;
        let counts = if watched {
            &mut self.counts.since
        } else {
            &mut self.counts.before
        };
        counts.take(outcome);
        if let Some(watch) = self.watch.as_ref().filter(|_| watched) {
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
        let begins = self.sent.is_multiple_of(self.per_unit);
        self.sent += 1;
        let (variant, wanted) = match self.latest.take().filter(|_| !begins) {
            Some(latest) => latest,
            None => self.draw(),
        };
        self.latest = Some((variant, Rc::clone(&wanted)));
        self.drawn_from.push_back(wanted);
        Some(Dispatch {
            sequence: self.fold.dispatch(),
            variant,
        })
    }

    fn resolve(&mut self, sequence: u64, outcome: Outcome) {
        let sent = Instant::now() - outcome.latency;
        self.fold.resolve(sequence, (outcome, sent));
        while let Some((outcome, at)) = self.fold.next() {
            let Some(from) = self.drawn_from.pop_front() else {
                return;
            };
            self.take(&outcome, &Sent { at, from });
        }
    }
}

/// Waits until the watch is done.
pub(crate) async fn until_done<W: Watch>(watch: &RefCell<W>, done: &Notify) {
    while !watch.borrow().is_done() {
        done.notified().await;
    }
}
