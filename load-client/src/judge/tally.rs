//! What became of all requests together.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::edge::is_error;
use crate::outcome::{Failure, Outcome};

/// A longer wait counts as this.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// Counts and latencies.
#[derive(Clone, Debug)]
pub struct Tally {
    requests: u64,
    errors: u64,
    retried: u64,
    named: u64,
    statuses: BTreeMap<u16, u64>,
    failures: BTreeMap<Failure, u64>,
    /// Of whole answers, from the intended start, in microseconds.
    latencies: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        let Ok(latencies) = Histogram::new_with_bounds(1, LONGEST_MICROS, 3) else {
            unreachable!("the bounds of the histogram are constants")
        };
        Self {
            requests: 0,
            errors: 0,
            retried: 0,
            named: 0,
            statuses: BTreeMap::new(),
            failures: BTreeMap::new(),
            latencies,
        }
    }
}

impl Tally {
    pub(super) fn record(&mut self, outcome: &Outcome) {
        self.requests += 1;
        self.errors += u64::from(is_error(outcome));
        self.retried += u64::from(outcome.attempts > 1);
        match &outcome.result {
            Ok(answer) => {
                *self.statuses.entry(answer.status).or_default() += 1;
                self.named += u64::from(answer.served_by.is_some());
                self.latencies.saturating_record(micros(outcome.from_intended));
            }
            Err(failure) => *self.failures.entry(*failure).or_default() += 1,
        }
    }

    /// Requests taken in.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Requests without an answer, and answers of 500 and above.
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// Requests that the mesh tried more than once.
    pub fn retried(&self) -> u64 {
        self.retried
    }

    /// Whole answers.
    pub fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Answers that name a version.
    pub fn named(&self) -> u64 {
        self.named
    }

    /// Answers by status.
    pub fn statuses(&self) -> &BTreeMap<u16, u64> {
        &self.statuses
    }

    /// Requests without an answer, by what went wrong.
    pub fn failures(&self) -> &BTreeMap<Failure, u64> {
        &self.failures
    }

    /// Of whole answers, from the intended start, in microseconds.
    pub fn latencies(&self) -> &Histogram<u64> {
        &self.latencies
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
