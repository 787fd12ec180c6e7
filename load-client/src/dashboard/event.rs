//! What the load and its judge tell the live page.

use std::time::Duration;

use super::edge::EdgeNow;
use crate::cause::Cause;
use crate::expect::{Edge, Path};
use crate::judge::Conclusion;
use crate::report::{EdgeReport, Report, StageReport};

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
