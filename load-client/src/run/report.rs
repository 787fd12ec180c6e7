//! The result of a run, and how it is shown.

use std::collections::BTreeMap;

use serde::Serialize;

use super::clients;
use super::counts::{Asked, Counts};
use crate::judge::{InvalidCounts, Judge};
use crate::latency::{Latencies, Percentiles};
use crate::outcome::Failure;
use crate::reconcile::{LedgerError, Reconciliation};
use crate::report::Report;
use crate::shard::Shard;

/// What a run saw.
#[derive(Debug, Serialize)]
pub struct RunReport {
    /// Which of several clients it is of; null if it is of all.
    pub shard: Option<Shard>,
    /// Clients that made the run together.
    pub clients: usize,
    /// Answers that arrived whole, whatever their status.
    pub requests: u64,
    /// Requests without an answer, and answers of 500 and above.
    pub errors: u64,
    /// Requests that the mesh tried more than once.
    pub retried: u64,
    /// From the first send to the last answer; of several clients, of the one that took longest.
    pub duration_seconds: f64,
    /// Answers per second.
    pub rate: f64,
    /// True if the run was stopped before its limit: what was in flight then is not counted.
    pub interrupted: bool,
    /// What was to be done.
    #[serde(flatten)]
    pub asked: Asked,
    /// Answers by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer, by what went wrong.
    pub failures: BTreeMap<Failure, u64>,
    /// By version.
    pub versions: BTreeMap<String, VersionReport>,
    /// Answers that name no version.
    pub unattributed: VersionReport,
    /// Of all answers, from the send to the end of the answer.
    pub latency_ms: Percentiles,
    /// Of all answers, from the time the schedule meant to send; in a closed loop the same as `latency_ms`.
    pub latency_from_intended_ms: Percentiles,
    /// The split, judged once at the end. Null without an expectation, and for one client of several: the verdict is that
    /// of the sum.
    pub judgement: Option<Report>,
    /// Payments held against what was charged. Null unless that was asked, and after an error.
    pub reconciliation: Option<Reconciliation>,
    /// Why the ledgers could not be read, if they could not.
    pub ledger_error: Option<String>,
    /// What all this is computed from, to be added up by `load-client merge`.
    pub counts: Counts,
}

/// The answers of one version.
#[derive(Debug, Serialize)]
pub struct VersionReport {
    /// How many.
    pub requests: u64,
    /// Of the answers that name a version.
    pub share: f64,
    /// From the send to the end of the answer.
    pub latency_ms: Percentiles,
    /// From the time the schedule meant to send.
    pub latency_from_intended_ms: Percentiles,
}

#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl RunReport {
    /// Of what one client counted, or several. What one client alone knows of itself, such as causes, is in `judgement`.
    pub fn new(counts: Counts, judgement: Option<Report>) -> Self {
        let totals = &counts.totals;
        let (requests, duration_seconds) = (totals.answers(), counts.duration_seconds);
        let attributed = counts.versions.values().map(Latencies::count).sum();
        let versions = counts.versions.iter();
        #[allow(clippy::cast_precision_loss)] // counts below 2^53
        let rate = if duration_seconds > 0.0 {
            requests as f64 / duration_seconds
        } else {
            0.0
        };
        RunReport {
            shard: match counts.parts.as_slice() {
                [part] if part.shard.of > 1 => Some(part.shard),
                _ => None,
            },
            clients: counts.parts.len(),
            requests,
            errors: totals.errors(),
            retried: totals.retried(),
            duration_seconds,
            rate,
            interrupted: counts.interrupted,
            asked: counts.asked.clone(),
            statuses: totals.statuses().clone(),
            failures: totals.failures().clone(),
            versions: versions
                .map(|(name, found)| (name.clone(), VersionReport::new(found, attributed)))
                .collect(),
            unattributed: VersionReport::new(&counts.unattributed, attributed),
            latency_ms: totals.latencies().from_send.percentiles(),
            latency_from_intended_ms: totals.latencies().from_intended.percentiles(),
            judgement,
            reconciliation: None,
            ledger_error: None,
            counts,
        }
    }

    /// With what became of the payments.
    pub(super) fn reconciled(mut self, found: Option<Result<Reconciliation, LedgerError>>) -> Self {
        match found {
            Some(Ok(found)) => self.reconciliation = Some(found),
            Some(Err(error)) => self.ledger_error = Some(error.to_string()),
            None => {}
        }
        self
    }

    /// Of a sum over clients, judged once.
    ///
    /// # Errors
    /// What the clients wrote down cannot be judged.
    pub fn merged(counts: Counts) -> Result<Self, InvalidCounts> {
        if counts.edges.is_empty() {
            return Ok(Self::new(counts, None));
        }
        let mut judge = Judge::of_counts(&counts.edges, counts.totals.clone(), &counts.terms)?;
        let decision = judge.stop().clone();
        let report = Report::new(counts.path, &judge, &decision);
        let judgement = clients::of_several(report, &counts.parts);
        Ok(Self::new(counts, Some(judgement)))
    }
}

impl VersionReport {
    fn new(found: &Latencies, attributed: u64) -> Self {
        Self {
            requests: found.count(),
            share: ratio(found.count(), attributed),
            latency_ms: found.from_send.percentiles(),
            latency_from_intended_ms: found.from_intended.percentiles(),
        }
    }
}
