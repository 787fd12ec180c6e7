//! What was found on one edge.

use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};

use super::independence::IndependenceReport;
use super::number;
use super::sticky::LeakReport;
use crate::cause::Cause;
use crate::expect::Edge;
use crate::judge::EdgeState;
use crate::latency::Percentiles;
use crate::stats::{Finding, Gate, Interval, Stream, Verdict};

/// One edge of the chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EdgeReport {
    /// Who calls whom, with which headers.
    #[serde(flatten)]
    pub edge: Edge,
    /// As of the last look.
    pub verdict: EdgeVerdict,
    /// What a verdict other than a plain CONFIRMED means here, in a sentence.
    pub note: Option<String>,
    /// Where the split is declared: object and index of the rule in its `spec.http`. Null if there is no traffic.
    pub declared_by: Option<String>,
    /// Accepted difference of a share, 0 to 1.
    pub tolerance: Option<f64>,
    /// Its part of the probability of a wrong verdict.
    pub alpha: Option<f64>,
    /// Requests that came this way, attributed or not.
    pub n: u64,
    /// Of them, those whose version is not known.
    pub unattributed: u64,
    /// Of them, those without an answer or answered with 500 or above.
    pub errors: u64,
    /// `ln` of the evidence against the declared split; the verdict is VIOLATION from `-ln(alpha)` on. Null when it is
    /// infinite (LEAK) or there is no traffic.
    pub log_e: Option<f64>,
    /// The smallest anytime p-value so far.
    pub p: Option<f64>,
    /// How `log_e` grew: pairs of `n` and `log_e`, 100 at most, the largest and the first that decided among them.
    #[serde(default)]
    pub evidence: Vec<(u64, f64)>,
    /// The `n` at which the evidence first was enough for a VIOLATION, or a leak was seen; null if never.
    #[serde(default)]
    pub refuted_at: Option<u64>,
    /// In the order of their names; versions that nobody declared at the end.
    pub versions: Vec<VersionReport>,
    /// Whether the answers are independent draws. Null if there is no traffic.
    #[serde(default)]
    pub independence: Option<IndependenceReport>,
    /// No answer of a version that is to get nothing. Null unless everything is to go to one version and does.
    #[serde(default)]
    pub leaks: Option<LeakReport>,
    /// What may have gone wrong, the likeliest first; empty when nothing has.
    #[serde(default)]
    pub causes: Vec<Cause>,
}

/// A version's part of an edge.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VersionReport {
    /// Its name.
    pub version: String,
    /// Declared share, 0 to 1.
    pub declared: f64,
    /// Answers.
    pub count: u64,
    /// Of them, those of 500 and above.
    pub errors: u64,
    /// Of the answers that name a version; null without any.
    pub observed: Option<f64>,
    /// Where the true share lies, for all versions together, except with probability `alpha`; null after a leak.
    pub interval: Option<Interval>,
    /// From the send to the end of the answer; null without answers.
    #[serde(default)]
    pub latency_ms: Option<Percentiles>,
    /// The same from the time the schedule meant to send; in a closed loop equal to `latency_ms`.
    #[serde(default)]
    pub latency_from_intended_ms: Option<Percentiles>,
}

/// The verdict on an edge, or that there is none to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeVerdict {
    /// Traffic is declared for it.
    Used(Verdict),
    /// None is.
    NotUsed,
}

impl EdgeVerdict {
    /// In the table.
    pub(super) fn text(self) -> &'static str {
        match self {
            EdgeVerdict::Used(Verdict::Confirmed) => "CONFIRMED",
            EdgeVerdict::Used(Verdict::Violation) => "VIOLATION",
            EdgeVerdict::Used(Verdict::Leak) => "LEAK",
            EdgeVerdict::Used(Verdict::Undecided) => "UNDECIDED",
            EdgeVerdict::NotUsed => "not used",
        }
    }
}

impl Serialize for EdgeVerdict {
    /// `CONFIRMED`, `VIOLATION`, `LEAK`, `UNDECIDED`, `NOT_USED`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            EdgeVerdict::Used(verdict) => verdict.serialize(serializer),
            EdgeVerdict::NotUsed => serializer.serialize_str("NOT_USED"),
        }
    }
}

impl<'de> Deserialize<'de> for EdgeVerdict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "NOT_USED" {
            return Ok(EdgeVerdict::NotUsed);
        }
        Verdict::deserialize(text.into_deserializer()).map(EdgeVerdict::Used)
    }
}

impl EdgeReport {
    pub(super) fn new(state: &EdgeState) -> Self {
        let unused = Self {
            edge: state.edge().clone(),
            verdict: EdgeVerdict::NotUsed,
            note: None,
            declared_by: None,
            tolerance: None,
            alpha: None,
            n: 0,
            unattributed: 0,
            errors: 0,
            log_e: None,
            p: None,
            evidence: Vec::new(),
            refuted_at: None,
            versions: Vec::new(),
            independence: None,
            leaks: None,
            causes: Vec::new(),
        };
        let (Some(stream), Some(gate), Some(finding)) = (state.stream(), state.gate(), state.finding())
        else {
            return unused;
        };
        let mut report = Self {
            verdict: EdgeVerdict::Used(finding.verdict),
            declared_by: state.expected().map(|expected| expected.origin().to_string()),
            tolerance: Some(gate.tolerance()),
            alpha: Some(gate.alpha()),
            n: stream.total(),
            unattributed: stream.unattributed(),
            errors: state.errors(),
            log_e: Some(finding.log_e).filter(|log_e| log_e.is_finite()),
            p: Some(stream.p_value()),
            versions: versions(state, stream, gate),
            independence: IndependenceReport::new(state),
            ..unused
        };
        if let Some(trajectory) = state.trajectory() {
            let points = trajectory.points().into_iter();
            report.evidence = points
                .map(|point| (point.requests, rounded(point.log_e)))
                .collect();
            report.refuted_at = trajectory.crossed().map(|point| point.requests);
        }
        report.leaks = LeakReport::new(&report);
        report.note = note(finding, gate, stream, &report.versions);
        report
    }
}

/// More digits than any chart can show.
fn rounded(log_e: f64) -> f64 {
    (log_e * 1e4).round() / 1e4
}

#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn versions(state: &EdgeState, stream: &Stream, gate: &Gate) -> Vec<VersionReport> {
    let named = stream.total() - stream.unattributed();
    let leaked = stream.split().leaked(stream.counts());
    // A finding may be older than the newest version: asked anew.
    let intervals = stream.intervals(gate.alpha());
    let latencies = |index: usize| Some(&state.latencies()[index]).filter(|found| found.count() > 0);
    let version = |(index, name): (usize, &String)| VersionReport {
        version: name.clone(),
        declared: stream.split().weights()[index],
        count: stream.counts()[index],
        errors: state.errors_by_version()[index],
        observed: (named > 0).then(|| stream.counts()[index] as f64 / named as f64),
        interval: Some(intervals[index]).filter(|_| !leaked),
        latency_ms: latencies(index).map(|found| found.from_send.percentiles()),
        latency_from_intended_ms: latencies(index).map(|found| found.from_intended.percentiles()),
    };
    state.versions().iter().enumerate().map(version).collect()
}

/// What a verdict other than a plain CONFIRMED means here.
fn note(finding: &Finding, gate: &Gate, stream: &Stream, versions: &[VersionReport]) -> Option<String> {
    let furthest = furthest(versions)?;
    let decimals = number::decimals(gate.tolerance());
    let got = || {
        let interval = furthest
            .interval
            .map(|interval| number::interval(interval, decimals));
        format!(
            "{} gets {} ({} %) where {} is declared",
            furthest.version,
            number::observed(furthest.observed.unwrap_or_default(), decimals),
            interval.unwrap_or_default(),
            number::declared(furthest.declared),
        )
    };
    match finding.verdict {
        Verdict::Confirmed if finding.offset => {
            let tolerance = number::points(gate.tolerance());
            Some(format!(
                "within {tolerance} as asked, but not exactly as declared: {}",
                got()
            ))
        }
        Verdict::Violation => Some(got()),
        Verdict::Leak => Some(strays(stream, versions)),
        Verdict::Confirmed | Verdict::Undecided => None,
    }
}

/// The version furthest from what was declared; of those alike (two versions always are) the one that gets less.
fn furthest(versions: &[VersionReport]) -> Option<&VersionReport> {
    let distance = |v: &VersionReport| ((v.observed.unwrap_or(v.declared) - v.declared).abs() * 1e9).round();
    let order = |a: &&VersionReport, b: &&VersionReport| {
        distance(a)
            .total_cmp(&distance(b))
            .then(b.declared.total_cmp(&a.declared))
    };
    versions.iter().max_by(order)
}

fn strays(stream: &Stream, versions: &[VersionReport]) -> String {
    let strays = versions.iter().filter(|v| v.declared == 0.0 && v.count > 0);
    let total = number::count(stream.total());
    let each = strays.map(|v| format!("{} answered {} of {total}", v.version, number::count(v.count)));
    format!(
        "{}, and is declared to get nothing",
        each.collect::<Vec<_>>().join(", ")
    )
}
