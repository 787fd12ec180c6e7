//! `--expect v1=90,v2=10`: for people without manifests, and for showing that a wrong expectation is found.

use std::fmt;
use std::str::FromStr;

use super::{Expected, Origin};
use crate::stats::InvalidSplit;

/// The text states no split.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidStatement {
    /// Without `=`, or without a name.
    #[error("`{0}`: expected VERSION=WEIGHT pairs, such as v1=90,v2=10")]
    Pair(String),
    /// Not a number.
    #[error("`{weight}` is not a weight for version `{version}`; use a number from 0 up")]
    Weight {
        /// The version.
        version: String,
        /// As written.
        weight: String,
    },
    /// Which one counts?
    #[error("version `{0}` has two weights; give it one")]
    Twice(String),
    /// Of the weights together.
    #[error(transparent)]
    Split(#[from] InvalidSplit),
}

impl FromStr for Expected {
    type Err = InvalidStatement;

    /// Weights are relative, as in a VirtualService: `v1=9,v2=1` is the same as `v1=90,v2=10`. `v2=0` says that v2
    /// must not answer.
    fn from_str(text: &str) -> Result<Self, InvalidStatement> {
        let mut weights: Vec<(String, f64)> = Vec::new();
        for pair in text.split(',') {
            let (version, weight) = pair
                .split_once('=')
                .map(|(version, weight)| (version.trim(), weight.trim()))
                .filter(|(version, _)| !version.is_empty())
                .ok_or_else(|| InvalidStatement::Pair(pair.to_owned()))?;
            let number: Option<f64> = weight.parse().ok().filter(|w: &f64| w.is_finite() && *w >= 0.0);
            let number = number.ok_or_else(|| InvalidStatement::Weight {
                version: version.to_owned(),
                weight: weight.to_owned(),
            })?;
            if weights.iter().any(|(other, _)| other == version) {
                return Err(InvalidStatement::Twice(version.to_owned()));
            }
            weights.push((version.to_owned(), number));
        }
        Ok(Expected::new(Origin::Stated, weights)?)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Rule { object, rule } => write!(f, "{object} http[{rule}]"),
            Origin::Stated => f.write_str("--expect"),
        }
    }
}
