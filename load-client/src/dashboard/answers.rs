//! Counts of all answers, in the order in which they came.

use std::collections::BTreeMap;

use serde::Serialize;

use super::squares::Square;
use crate::judge::is_error;
use crate::outcome::Outcome;

/// Counts of all answers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Answers {
    /// Requests that came to their end.
    pub total: u64,
    /// Of them, those without an answer or answered with 500 or above.
    pub failed: u64,
    /// By the version that answered the client, in the order in which they first did.
    pub versions: Vec<(String, u64)>,
    /// What failed, by HTTP status or by what went wrong.
    pub errors: BTreeMap<String, u64>,
}

impl Answers {
    /// Takes in what became of a request, and says what its square looks like.
    pub(super) fn count(&mut self, outcome: &Outcome) -> Square {
        self.total += 1;
        let failed = is_error(outcome);
        if failed {
            self.failed += 1;
            let what = match &outcome.result {
                Ok(answer) => answer.status.to_string(),
                Err(failure) => failure.to_string(),
            };
            *self.errors.entry(what).or_default() += 1;
        }
        let served_by = outcome
            .result
            .as_ref()
            .ok()
            .and_then(|answer| answer.served_by.as_ref());
        let version = served_by
            .and_then(|hops| hops.first())
            .map(|hop| self.index(&hop.version));
        if let Some(version) = version {
            self.versions[version].1 += 1;
        }
        Square { version, failed }
    }

    /// Versions are few: looking them all over is quicker than a map.
    fn index(&mut self, name: &str) -> usize {
        let known = self.versions.iter().position(|(known, _)| known == name);
        known.unwrap_or_else(|| {
            self.versions.push((name.to_owned(), 0));
            self.versions.len() - 1
        })
    }
}
