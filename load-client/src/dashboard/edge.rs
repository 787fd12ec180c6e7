//! An edge as the page knows it: what a report says of it, without what would be too dear to ask for all the time.

use serde::Serialize;

use crate::expect::{Edge, Path};
use crate::judge::{EdgeState, Judge};
use crate::report::{EdgeReport, EdgeVerdict, VersionReport};
use crate::stats::{Gate, Interval, Stream, Verdict};

/// An edge of the call chain that has traffic.
#[derive(Clone, Debug, Serialize)]
pub struct EdgeNow {
    /// Where the requests entered the mesh.
    pub path: Path,
    /// Who calls whom.
    #[serde(flatten)]
    pub edge: Edge,
    /// As of the last look.
    pub verdict: Verdict,
    /// Accepted difference of a share, 0 to 1.
    pub tolerance: f64,
    /// Requests that came this way.
    pub n: u64,
    /// Of them, those without an answer or answered with 500 or above.
    pub errors: u64,
    /// In the order of their names; versions that nobody declared at the end.
    pub versions: Vec<VersionNow>,
}

/// A version's part of an edge.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionNow {
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
    /// Where the true share lies, for all versions together, except with probability alpha; null after a leak.
    pub interval: Option<Interval>,
}

impl EdgeNow {
    /// The edges of a judgement that are used.
    pub fn all(path: Path, judge: &Judge) -> Vec<Self> {
        let edges = judge.edges().iter();
        edges.filter_map(|state| EdgeNow::new(path, state)).collect()
    }

    fn new(path: Path, state: &EdgeState) -> Option<Self> {
        let (stream, gate, verdict) = (state.stream()?, state.gate()?, state.verdict()?);
        Some(EdgeNow {
            path,
            edge: state.edge().clone(),
            verdict,
            tolerance: gate.tolerance(),
            n: stream.total(),
            errors: state.errors(),
            versions: VersionNow::all(state, stream, gate),
        })
    }

    /// What a report says; `None` if the edge is not used.
    pub(super) fn reported(path: Path, report: &EdgeReport) -> Option<Self> {
        let EdgeVerdict::Used(verdict) = report.verdict else {
            return None;
        };
        Some(EdgeNow {
            path,
            edge: report.edge.clone(),
            verdict,
            tolerance: report.tolerance?,
            n: report.n,
            errors: report.errors,
            versions: report.versions.iter().map(VersionNow::from).collect(),
        })
    }

    /// Who calls whom, the client called after the path: it is another client on each.
    pub fn name(&self) -> String {
        let from = if self.is_first() {
            format!("{} ", self.path)
        } else {
            format!("{}: {} ", self.path, self.edge.from)
        };
        let with = self
            .edge
            .variant
            .as_ref()
            .map(|headers| format!(" with {headers}"));
        format!("{from}→ {}{}", self.edge.to, with.unwrap_or_default())
    }

    /// Whether it is the client that calls. A service that calls is named with its version.
    fn is_first(&self) -> bool {
        !self.edge.from.contains(' ')
    }
}

impl VersionNow {
    #[allow(clippy::cast_precision_loss)] // counts below 2^53
    fn all(state: &EdgeState, stream: &Stream, gate: &Gate) -> Vec<Self> {
        let (counts, weights) = (stream.counts(), stream.split().weights());
        let named = stream.total() - stream.unattributed();
        let leaked = stream.split().leaked(counts);
        let intervals = stream.intervals(gate.alpha());
        let version = |(index, name): (usize, &String)| VersionNow {
            version: name.clone(),
            declared: weights[index],
            count: counts[index],
            errors: state.errors_by_version()[index],
            observed: (named > 0).then(|| counts[index] as f64 / named as f64),
            interval: Some(intervals[index]).filter(|_| !leaked),
        };
        state.versions().iter().enumerate().map(version).collect()
    }
}

impl From<&VersionReport> for VersionNow {
    fn from(report: &VersionReport) -> Self {
        VersionNow {
            version: report.version.clone(),
            declared: report.declared,
            count: report.count,
            errors: report.errors,
            observed: report.observed,
            interval: report.interval,
        }
    }
}
