//! The result of a run, and how it is shown.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::tally::{Latencies, Tally};
use crate::outcome::Failure;

/// What a run saw.
#[derive(Debug, Serialize)]
pub struct RunReport {
    /// Answers that arrived whole, whatever their status.
    pub requests: u64,
    /// Requests without an answer, and answers of 500 and above.
    pub errors: u64,
    /// From the first send to the last answer.
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
}

/// What was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// Where to.
    pub url: String,
    /// Virtual users.
    pub connections: usize,
    /// Requests per second of an open loop; null in a closed loop.
    pub intended_rate: Option<f64>,
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

/// Latencies in milliseconds, exact to three digits; zero without answers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half of the answers came within this time.
    pub p50: f64,
    /// Nine of ten.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1000.
    #[serde(rename = "p99.9")]
    pub p99_9: f64,
    /// All.
    pub max: f64,
}

impl Percentiles {
    pub(crate) fn of(micros: &Histogram<u64>) -> Self {
        #[allow(clippy::cast_precision_loss)] // at most an hour in microseconds
        let ms = |micros: u64| micros as f64 / 1000.0;
        Percentiles {
            p50: ms(micros.value_at_quantile(0.5)),
            p90: ms(micros.value_at_quantile(0.9)),
            p99: ms(micros.value_at_quantile(0.99)),
            p99_9: ms(micros.value_at_quantile(0.999)),
            max: ms(micros.max()),
        }
    }
}

#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl RunReport {
    pub(super) fn new(tally: &Tally, asked: Asked, interrupted: bool) -> Self {
        let requests = tally.answers();
        let duration_seconds = tally.duration().as_secs_f64();
        let attributed = tally
            .versions
            .values()
            .map(|version| version.from_send.len())
            .sum();
        let version = |found: &Latencies| VersionReport {
            requests: found.from_send.len(),
            share: ratio(found.from_send.len(), attributed),
            latency_ms: Percentiles::of(&found.from_send),
            latency_from_intended_ms: Percentiles::of(&found.from_intended),
        };
        let mut all = tally.unattributed.clone();
        for version in tally.versions.values() {
            all.add(version);
        }
        #[allow(clippy::cast_precision_loss)] // counts below 2^53
        let rate = if duration_seconds > 0.0 {
            requests as f64 / duration_seconds
        } else {
            0.0
        };
        RunReport {
            requests,
            errors: tally.errors(),
            duration_seconds,
            rate,
            interrupted,
            asked,
            statuses: tally.statuses.clone(),
            failures: tally.failures.clone(),
            versions: tally
                .versions
                .iter()
                .map(|(name, found)| (name.clone(), version(found)))
                .collect(),
            unattributed: version(&tally.unattributed),
            latency_ms: Percentiles::of(&all.from_send),
            latency_from_intended_ms: Percentiles::of(&all.from_intended),
        }
    }
}
