//! Counts what became of the requests of a run.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::book::Book;
use crate::fold::Fold;
use crate::judge::Judge;
use crate::latency::Latencies;
use crate::outcome::{Dispatch, Outcome, Sink};

/// When a run ends: at whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests to send.
    pub requests: Option<u64>,
    /// Time from the first send; what is in flight then is waited for.
    pub duration: Option<Duration>,
}

/// The sink of a run. Folded into dispatch order, so that an interrupted run does not report too few answers of a
/// slow version.
#[derive(Debug)]
pub(super) struct Tally {
    limits: Limits,
    sent: u64,
    fold: Fold<Outcome>,
    begin: Option<Instant>,
    end: Option<Instant>,
    /// Requests of the mix that speak about an edge; each is drawn alike.
    wanted: Rc<[usize]>,
    random: SmallRng,
    pub(super) judge: Judge,
    pub(super) versions: BTreeMap<String, Latencies>,
    /// Of answers that name no version.
    pub(super) unattributed: Latencies,
    /// Every payment, if they are to be reconciled.
    pub(super) book: Option<Book>,
}

impl Tally {
    /// `seed` is that of the draws from the mix.
    pub(super) fn new(limits: Limits, judge: Judge, seed: u64, book: Option<Book>) -> Self {
        Tally {
            limits,
            sent: 0,
            fold: Fold::new(),
            begin: None,
            end: None,
            wanted: judge.wanted(),
            random: SmallRng::seed_from_u64(seed),
            judge,
            versions: BTreeMap::new(),
            unattributed: Latencies::default(),
            book,
        }
    }

    /// From the first send to the last answer, zero if there was none.
    pub(super) fn duration(&self) -> Duration {
        let times = self.begin.zip(self.end);
        times.map_or(Duration::ZERO, |(begin, end)| end - begin)
    }

    /// Of the limit that is nearer, in permille.
    pub(super) fn permille(&self, now: Instant) -> u64 {
        let part = |done: u128, whole: u128| u64::try_from(done * 1000 / whole.max(1)).unwrap_or(1000);
        let passed = self.begin.map_or(Duration::ZERO, |begin| now - begin);
        let of_time = self
            .limits
            .duration
            .map_or(0, |whole| part(passed.as_micros(), whole.as_micros()));
        let done = self.judge.tally().requests();
        let of_count = self
            .limits
            .requests
            .map_or(0, |whole| part(done.into(), whole.into()));
        of_time.max(of_count)
    }

    fn count(&mut self, outcome: &Outcome) {
        self.judge.record(outcome);
        if let Some(book) = &mut self.book {
            book.record(outcome);
        }
        if let Ok(answer) = &outcome.result {
            let hop = answer.served_by.as_ref().and_then(|hops| hops.first());
            self.latencies_of(hop.map(|hop| hop.version.as_str()))
                .record(outcome);
        }
    }

    fn latencies_of(&mut self, version: Option<&str>) -> &mut Latencies {
        let Some(version) = version else {
            return &mut self.unattributed;
        };
        // Two look-ups, but a `String` only for the first answer of a version.
        if !self.versions.contains_key(version) {
            self.versions.insert(version.to_owned(), Latencies::default());
        }
        self.versions.get_mut(version).unwrap_or(&mut self.unattributed)
    }
}

impl Sink for Tally {
    fn dispatch(&mut self) -> Option<Dispatch> {
        let now = Instant::now();
        let begin = *self.begin.get_or_insert(now);
        let late = self.limits.duration.is_some_and(|limit| now - begin >= limit);
        if late || self.limits.requests.is_some_and(|limit| self.sent >= limit) {
            return None;
        }
        self.sent += 1;
        let variant = match *self.wanted {
            [only] => only,
            ref several => several[self.random.random_range(..several.len())],
        };
        Some(Dispatch {
            sequence: self.fold.dispatch(),
            variant,
        })
    }

    fn resolve(&mut self, sequence: u64, outcome: Outcome) {
        self.fold.resolve(sequence, outcome);
        while let Some(outcome) = self.fold.next() {
            self.count(&outcome);
        }
        self.end = Some(Instant::now());
    }
}
