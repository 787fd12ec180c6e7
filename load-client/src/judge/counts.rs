//! What was counted on the edges, as something to write down and to add up: counts are sufficient for a verdict.
//!
//! What needs the order of the answers is not here: the diagnostics of independence, and who gave which answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{EdgeState, Judge, Tally, Terms};
use crate::expect::{Claim, Edge, Expected, Origin};
use crate::latency::Latencies;
use crate::stats::{InvalidGate, InvalidSplit};

/// The counts of an edge, and what they are held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeCounts {
    /// For people.
    #[serde(flatten)]
    pub edge: Edge,
    /// Index of the request of the mix that speaks about it.
    pub request: usize,
    /// Version of the first hop for which the second is judged; null: this is the first hop.
    pub given: Option<String>,
    /// Where the split is declared; null if no traffic is.
    pub declared_by: Option<Origin>,
    /// Probabilities by version. Text, because many readers of JSON round a number in its last digit, and then sums over
    /// clients would not be exactly what one client finds.
    pub declared: BTreeMap<String, String>,
    /// By version, those that nobody declared included.
    pub answers: BTreeMap<String, Answers>,
    /// Requests whose version is not known.
    pub unattributed: u64,
    /// Requests without an answer or answered with 500 or above, whoever they are of.
    pub errors: u64,
}

/// The answers of a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// All of them.
    pub count: u64,
    /// Those of 500 and above.
    pub errors: u64,
    /// How long they took.
    pub latencies: Latencies,
}

/// Counts that no verdict can be made of.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCounts {
    /// Not a probability.
    #[error("{edge} declares `{weight}` for {version}, which is no number")]
    Weight {
        /// Of which edge.
        edge: Edge,
        /// Of which version.
        version: String,
        /// As written.
        weight: String,
    },
    /// Of the probabilities together.
    #[error(transparent)]
    Split(#[from] InvalidSplit),
    /// Of the terms.
    #[error(transparent)]
    Gate(#[from] InvalidGate),
}

impl EdgeCounts {
    /// Of an edge as it is now.
    pub fn of(state: &EdgeState) -> Self {
        let declared = state.expected().into_iter().flat_map(Expected::versions);
        let counted = state.stream().map_or(&[][..], |stream| stream.counts());
        let errors = state.errors_by_version();
        let answers = |(index, version): (usize, &String)| {
            let answers = Answers {
                count: counted[index],
                errors: errors[index],
                latencies: state.latencies()[index].clone(),
            };
            (version.clone(), answers)
        };
        Self {
            edge: state.edge().clone(),
            request: state.variant(),
            given: state.given().map(str::to_owned),
            declared_by: state.expected().map(|expected| expected.origin().clone()),
            declared: declared
                .map(|(version, share)| (version.to_owned(), share.to_string()))
                .collect(),
            answers: state.versions().iter().enumerate().map(answers).collect(),
            unattributed: state.stream().map_or(0, |stream| stream.unattributed()),
            errors: state.errors(),
        }
    }

    /// Adds what another client counted on the same edge.
    pub fn add(&mut self, other: &Self) {
        for (version, answers) in &other.answers {
            let sum = self.answers.entry(version.clone()).or_default();
            sum.count += answers.count;
            sum.errors += answers.errors;
            sum.latencies.add(&answers.latencies);
        }
        self.unattributed += other.unattributed;
        self.errors += other.errors;
    }

    fn claim(&self) -> Result<Claim, InvalidCounts> {
        let weight = |(version, weight): (&String, &String)| match weight.parse::<f64>() {
            Ok(number) => Ok((version.clone(), number)),
            Err(_not_a_number) => Err(InvalidCounts::Weight {
                edge: self.edge.clone(),
                version: version.clone(),
                weight: weight.clone(),
            }),
        };
        let expected = self.declared_by.clone().map(|origin| {
            let weights: Result<Vec<_>, _> = self.declared.iter().map(weight).collect();
            Ok::<_, InvalidCounts>(Expected::new(origin, weights?)?)
        });
        Ok(Claim {
            edge: self.edge.clone(),
            variant: self.request,
            given: self.given.clone(),
            expected: expected.transpose()?,
        })
    }
}

impl Judge {
    /// As if these had been counted and never looked at: [`Judge::stop`] looks once.
    ///
    /// # Errors
    /// What is declared is no split, or the terms are none.
    pub fn of_counts(edges: &[EdgeCounts], tally: Tally, terms: &Terms) -> Result<Self, InvalidCounts> {
        let claims: Result<Vec<Claim>, _> = edges.iter().map(EdgeCounts::claim).collect();
        let mut judge = Judge::new(claims?, terms)?;
        for (state, counts) in judge.edges.iter_mut().zip(edges) {
            state.take_counts(counts);
        }
        judge.tally = tally;
        Ok(judge)
    }
}
