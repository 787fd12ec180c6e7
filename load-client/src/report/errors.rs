//! What an error gate compared, and what it found.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::number;
use crate::expect::{Edge, Path};

/// The failures of the new versions of one edge beside those of the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorReport {
    /// Where the requests entered the mesh.
    pub path: Path,
    /// Who calls whom. At the gateway the requests with and without headers are taken together, and `variant` is null.
    #[serde(flatten)]
    pub edge: Edge,
    /// The versions that get a larger share than in the stage before; their failures are compared with those of the
    /// others.
    pub new: Vec<String>,
    /// The others that get a share.
    pub others: Vec<String>,
    /// Requests of the new versions.
    pub new_requests: u64,
    /// Of them, those answered with 500 and above.
    pub new_errors: u64,
    /// Requests of the others, and those whose version is not known.
    pub other_requests: u64,
    /// Of them, those without an answer or answered with 500 and above.
    pub other_errors: u64,
    /// An answer that takes longer counts as an error here; null: no answer is too slow.
    #[serde(default)]
    pub slower_than_ms: Option<f64>,
    /// `ln` of the evidence that the new versions fail more often, the largest so far.
    pub log_e: f64,
    /// Its part of the probability of a false alarm; there is an alarm from `log_e` `-ln(alpha)` on.
    pub alpha: f64,
    /// Whether there is one.
    pub alarm: bool,
}

impl fmt::Display for ErrorReport {
    /// `client -> payment-service: v2 fails 30.5 % of its requests (18 of 59), v1 0 % (0 of 64): e = 2.2e5, alarm at 1.0e4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} fails {}{} of its requests ({} of {}), {} {} ({} of {}): e = {}, alarm at {}",
            self.edge,
            self.new.join(" and "),
            self.slow(),
            rate(self.new_errors, self.new_requests),
            number::count(self.new_errors),
            number::count(self.new_requests),
            self.others.join(" and "),
            rate(self.other_errors, self.other_requests),
            number::count(self.other_errors),
            number::count(self.other_requests),
            number::power(self.log_e),
            number::power(-self.alpha.ln()),
        )
    }
}

impl ErrorReport {
    /// What is a failure besides errors.
    fn slow(&self) -> String {
        let slow = self
            .slower_than_ms
            .map(|ms| format!("(or takes more than {ms} ms for) "));
        slow.unwrap_or_default()
    }
}

#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn rate(errors: u64, requests: u64) -> String {
    number::observed(errors as f64 / requests.max(1) as f64, 1)
}
