//! Why an edge is not as declared.

use super::{EdgeState, Judge};
use crate::cause::{Alternative, Cause, Facts, Knowledge, Other, causes, preference};
use crate::stats::{Diagnosis, Verdict};

/// Level of the tests of independence when the verdict is that something is wrong: then draws may be at fault.
const WRONG: f64 = 0.001;
/// The same when it is confirmed or open: a right mesh is told to be odd by chance once in ten thousand edges.
const RIGHT: f64 = 1e-5;

impl Judge {
    /// The causes of what is wrong on an edge, the likeliest first; none where nothing is.
    pub fn causes(&self, edge: usize, knowledge: &Knowledge) -> Vec<Cause> {
        let state = &self.edges[edge];
        let Some(witness) = state.witness().filter(|_| self.is_wrong(state)) else {
            return Vec::new();
        };
        let alternative = |one: &Alternative| Alternative {
            elsewhere: self.elsewhere(edge, &one.of, knowledge),
            ..one.clone()
        };
        let alternatives = knowledge.of(edge).iter().map(alternative).collect();
        causes(&facts(state, alternatives), witness)
    }

    /// Refuted, or with so many requests without a version that it cannot be confirmed.
    fn is_wrong(&self, state: &EdgeState) -> bool {
        match state.verdict() {
            Some(Verdict::Violation | Verdict::Leak) => true,
            Some(Verdict::Undecided) => {
                let (gate, stream) = (state.gate(), state.stream());
                gate.zip(stream)
                    .is_some_and(|(gate, stream)| !gate.attributes_enough(stream))
            }
            _ => false,
        }
    }

    /// How much better these rules explain what the other edges show than what is declared for them does, in nats.
    fn elsewhere(&self, edge: usize, of: &Other, knowledge: &Knowledge) -> f64 {
        let others = self.edges.iter().enumerate().filter(|(index, _)| *index != edge);
        let one = |(index, state): (usize, &EdgeState)| {
            let there = knowledge.of(index).iter().find(|other| other.of == *of)?;
            Some(preference(
                &facts(state, Vec::new()),
                state.witness()?,
                &there.shares,
            ))
        };
        others.filter_map(one).sum()
    }
}

impl EdgeState {
    /// Whether the answers are independent draws; `None`: no traffic is declared.
    pub fn diagnosis(&self) -> Option<Diagnosis> {
        let refuted = matches!(self.verdict(), Some(Verdict::Violation | Verdict::Leak));
        let level = if refuted { WRONG } else { RIGHT };
        Some(Diagnosis::new(self.trace()?, self.expected()?.split(), level))
    }
}

fn facts(state: &EdgeState, alternatives: Vec<Alternative>) -> Facts {
    let declared = state.stream().map(|stream| stream.split().weights().to_vec());
    let workloads = state.expected().map(|expected| expected.workloads().to_vec());
    Facts {
        versions: state.versions().to_vec(),
        declared: declared.unwrap_or_default(),
        workloads: workloads.unwrap_or_default(),
        alternatives,
        second_hop: state.given().is_some(),
    }
}
