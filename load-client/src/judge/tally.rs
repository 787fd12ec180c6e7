//! What became of all requests together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::edge::is_error;
use crate::latency::Latencies;
use crate::outcome::{Failure, Outcome};

/// Counts and latencies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    requests: u64,
    errors: u64,
    retried: u64,
    named: u64,
    statuses: BTreeMap<u16, u64>,
    failures: BTreeMap<Failure, u64>,
    /// Of whole answers.
    latencies: Latencies,
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
                self.latencies.record(outcome);
            }
            Err(failure) => *self.failures.entry(*failure).or_default() += 1,
        }
    }

    /// Adds what another client counted.
    pub fn add(&mut self, other: &Tally) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.retried += other.retried;
        self.named += other.named;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (failure, count) in &other.failures {
            *self.failures.entry(*failure).or_default() += count;
        }
        self.latencies.add(&other.latencies);
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

    /// Of whole answers.
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }
}
