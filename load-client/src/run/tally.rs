//! Counts what became of the requests of a run.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::fold::Fold;
use crate::outcome::{Answer, Dispatch, Failure, Outcome, Sink};

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
    pub(super) statuses: BTreeMap<u16, u64>,
    pub(super) failures: BTreeMap<Failure, u64>,
    pub(super) versions: BTreeMap<String, Latencies>,
    /// Of answers that name no version.
    pub(super) unattributed: Latencies,
}

impl Tally {
    pub(super) fn new(limits: Limits) -> Self {
        Tally {
            limits,
            sent: 0,
            fold: Fold::new(),
            begin: None,
            end: None,
            statuses: BTreeMap::new(),
            failures: BTreeMap::new(),
            versions: BTreeMap::new(),
            unattributed: Latencies::new(),
        }
    }

    /// Answers that arrived whole, whatever their status.
    pub(super) fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Requests without an answer, and answers of 500 and above.
    pub(super) fn errors(&self) -> u64 {
        let failed: u64 = self.failures.values().sum();
        failed + self.statuses.range(500..).map(|(_, count)| count).sum::<u64>()
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
        let of_count = self
            .limits
            .requests
            .map_or(0, |whole| part(self.answers().into(), whole.into()));
        of_time.max(of_count)
    }

    fn count(&mut self, outcome: &Outcome) {
        match &outcome.result {
            Ok(answer) => {
                *self.statuses.entry(answer.status).or_default() += 1;
                self.latencies_of(answer).record(outcome);
            }
            Err(failure) => *self.failures.entry(*failure).or_default() += 1,
        }
    }

    fn latencies_of(&mut self, answer: &Answer) -> &mut Latencies {
        let Some(hop) = answer.served_by.as_ref().and_then(|hops| hops.first()) else {
            return &mut self.unattributed;
        };
        // Two look-ups, but a `String` only for the first answer of a version.
        if !self.versions.contains_key(&hop.version) {
            self.versions.insert(hop.version.clone(), Latencies::new());
        }
        self.versions
            .get_mut(&hop.version)
            .unwrap_or(&mut self.unattributed)
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
        Some(Dispatch {
            sequence: self.fold.dispatch(),
            variant: 0,
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

/// Of whole answers, in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Latencies {
    pub(super) from_send: Histogram<u64>,
    pub(super) from_intended: Histogram<u64>,
}

/// What a longer wait is counted as; `--timeout` ends it earlier unless told otherwise.
const LONGEST: Duration = Duration::from_hours(1);

impl Latencies {
    pub(super) fn new() -> Self {
        let longest = u64::try_from(LONGEST.as_micros()).unwrap_or(u64::MAX);
        // Three significant digits between a microsecond and an hour: within the bounds of the format.
        let Ok(empty) = Histogram::new_with_bounds(1, longest, 3) else {
            unreachable!("the bounds of the histogram are constants")
        };
        Latencies {
            from_send: empty.clone(),
            from_intended: empty,
        }
    }

    pub(super) fn add(&mut self, other: &Latencies) {
        self.from_send += &other.from_send;
        self.from_intended += &other.from_intended;
    }

    fn record(&mut self, outcome: &Outcome) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.from_send.saturating_record(micros(outcome.latency));
        self.from_intended
            .saturating_record(micros(outcome.from_intended));
    }
}
