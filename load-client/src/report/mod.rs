//! One report, several renderings: everything that a table shows is in the JSON.

mod document;
mod edge;
mod errors;
mod html;
mod independence;
mod junit;
mod made;
mod markdown;
pub(crate) mod number;
mod rollout;
mod saved;
mod stage;
mod sticky;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cause::Knowledge;
use crate::expect::Path;
use crate::judge::{Conclusion, Decision, Judge};
use crate::latency::Percentiles;
use crate::outcome::Failure;
use crate::stats::FailOn;

pub use edge::{EdgeReport, EdgeVerdict, VersionReport};
pub use errors::ErrorReport;
pub use independence::IndependenceReport;
pub use made::Made;
pub(crate) use number::{count, declared};
pub use rollout::{Outcome, RolloutReport};
pub use saved::{NotAReport, SavedReport};
pub use stage::{Held, StageReport};
pub use sticky::{LeakReport, StickyReport};

/// What a judgement found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Where the requests entered the mesh.
    pub path: Path,
    /// `CONFIRMED`, `VIOLATION`, `LEAK`, `UNDECIDED` or `COULD_NOT_MEASURE`.
    pub verdict: Conclusion,
    /// Length of the prefix of the dispatch order that decided.
    pub requests: u64,
    /// Why nothing is known, and what to do; null if something is.
    pub reason: Option<String>,
    /// Probability of a wrong verdict, for all edges together.
    pub alpha: f64,
    /// Which deviation is a violation.
    pub fail_on: FailOn,
    /// Requests after which it would have stayed undecided.
    pub budget: u64,
    /// In the order of the chain; the plain request first, then its variants.
    pub edges: Vec<EdgeReport>,
    /// Requests without an answer, and answers of 500 and above.
    pub errors: u64,
    /// Requests that the mesh tried more than once.
    pub retried: u64,
    /// Requests whose version is not known.
    pub unattributed: u64,
    /// Answers by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests without an answer, by what went wrong.
    pub failures: BTreeMap<Failure, u64>,
    /// Of whole answers, from the send to their end.
    pub latency_ms: Percentiles,
    /// The same from the time the schedule meant to send; in a closed loop equal to `latency_ms`.
    pub latency_from_intended_ms: Percentiles,
    /// Version flips per key; null unless that was asked.
    #[serde(default)]
    pub sticky: Option<StickyReport>,
    /// Who made it, when and how; null unless a command line did.
    #[serde(default)]
    pub made: Option<Made>,
}

impl Report {
    /// Of a judgement and how it ended.
    pub fn new(path: Path, judge: &Judge, decision: &Decision) -> Self {
        let tally = judge.tally();
        Self {
            path,
            verdict: decision.conclusion,
            requests: decision.requests,
            reason: decision.reason.clone(),
            alpha: judge.terms().alpha,
            fail_on: judge.terms().fail_on,
            budget: judge.budget(),
            edges: judge.edges().iter().map(EdgeReport::new).collect(),
            errors: tally.errors(),
            retried: tally.retried(),
            unattributed: tally.requests() - tally.named(),
            statuses: tally.statuses().clone(),
            failures: tally.failures().clone(),
            latency_ms: tally.latencies().from_send.percentiles(),
            latency_from_intended_ms: tally.latencies().from_intended.percentiles(),
            sticky: StickyReport::new(judge),
            made: None,
        }
    }

    /// With what may have gone wrong on each edge.
    #[must_use]
    pub fn explained(mut self, judge: &Judge, knowledge: &Knowledge) -> Self {
        for (index, edge) in self.edges.iter_mut().enumerate() {
            edge.causes = judge.causes(index, knowledge);
        }
        self
    }
}
