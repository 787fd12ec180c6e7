//! What the load and its judge tell the live page, and an edge as the page knows it.

use std::time::Duration;

use serde::Serialize;

use crate::cause::Cause;
use crate::expect::{Edge, Path};
use crate::judge::{Conclusion, EdgeState, Judge};
use crate::report::{EdgeReport, EdgeVerdict, Report, StageReport, VersionReport};
use crate::stats::{Gate, Interval, Stream, Verdict};

/// Something that happened. Answers are not events: there are too many, see [`super::Board::answer`].
#[derive(Clone, Debug)]
pub enum Event {
    /// It begins.
    Begun {
        /// Where the requests enter the mesh.
        path: Path,
        /// The stages to walk, in order; none if there is no walk.
        stages: Vec<String>,
    },
    /// The command runs that puts a stage into force.
    Applying {
        /// Its name.
        stage: String,
        /// Whether it is applied to undo one that failed.
        rollback: bool,
    },
    /// From now on requests are judged.
    Judging {
        /// How long after the end of the command the new split was first seen; `None`: nothing changed, or it was not.
        in_force_after: Option<Duration>,
    },
    /// The edges of the judgement that goes on, as of now.
    Seen(Vec<EdgeNow>),
    /// A judgement is over.
    Judged(Judged),
    /// All is over.
    Ended {
        /// The verdict on all of it; `None` if nothing was judged.
        verdict: Option<Conclusion>,
        /// The same in a sentence.
        text: String,
    },
}

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

/// A version's part of an edge: what a report says of it, without what would be too dear to ask for all the time.
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

/// How a judgement ended.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: Conclusion,
    /// The same in a sentence.
    pub text: String,
    /// Requests that it rests on.
    pub requests: u64,
    /// On all paths.
    pub edges: Vec<EdgeNow>,
    /// What may have gone wrong: the likeliest cause of each edge that is not as declared.
    pub causes: Vec<(Edge, Cause)>,
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

    fn reported(path: Path, report: &EdgeReport) -> Option<Self> {
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

impl From<&StageReport> for Judged {
    fn from(report: &StageReport) -> Self {
        Judged {
            verdict: report.verdict,
            text: report.headline(),
            ..Judged::of(&report.paths)
        }
    }
}

impl From<&Report> for Judged {
    fn from(report: &Report) -> Self {
        Judged {
            verdict: report.verdict,
            text: report.headline(),
            ..Judged::of(std::slice::from_ref(report))
        }
    }
}

impl Judged {
    fn of(paths: &[Report]) -> Self {
        let edges = || {
            paths
                .iter()
                .flat_map(|path| path.edges.iter().map(|edge| (path.path, edge)))
        };
        let likeliest = |edge: &EdgeReport| Some((edge.edge.clone(), edge.causes.first()?.clone()));
        Judged {
            verdict: Conclusion::Undecided,
            text: String::new(),
            requests: paths.iter().map(|path| path.requests).sum(),
            edges: edges()
                .filter_map(|(path, edge)| EdgeNow::reported(path, edge))
                .collect(),
            causes: edges().filter_map(|(_, edge)| likeliest(edge)).collect(),
        }
    }
}
