//! How a judgement ends.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is known at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Conclusion {
    /// Every used edge is as declared, within the tolerance.
    Confirmed,
    /// An edge is not as declared.
    Violation,
    /// A version answered that is to get nothing.
    Leak,
    /// The new version fails more often than the others (a rollout's error gate).
    Errors,
    /// The requests were not enough.
    Undecided,
    /// The answers say too little.
    CouldNotMeasure,
}

impl Conclusion {
    /// 0: as declared. 1: not as declared. 2: not known.
    pub fn exit_code(self) -> u8 {
        match self {
            Conclusion::Confirmed => 0,
            Conclusion::Violation | Conclusion::Leak | Conclusion::Errors => 1,
            Conclusion::Undecided | Conclusion::CouldNotMeasure => 2,
        }
    }
}

impl Conclusion {
    /// The worst of several: what is known to be wrong before what is not known.
    pub fn worst(of: impl Iterator<Item = Conclusion>) -> Option<Conclusion> {
        of.max_by_key(|conclusion| match conclusion {
            Conclusion::Violation => 5,
            Conclusion::Leak => 4,
            Conclusion::Errors => 3,
            Conclusion::CouldNotMeasure => 2,
            Conclusion::Undecided => 1,
            Conclusion::Confirmed => 0,
        })
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Conclusion::Confirmed => "CONFIRMED",
            Conclusion::Violation => "VIOLATION",
            Conclusion::Leak => "LEAK",
            Conclusion::Errors => "ERRORS",
            Conclusion::Undecided => "UNDECIDED",
            Conclusion::CouldNotMeasure => "COULD NOT MEASURE",
        })
    }
}

/// The end of a judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is known.
    pub conclusion: Conclusion,
    /// Length of the prefix of the dispatch order that decided.
    pub requests: u64,
    /// Why nothing is known, and what to do; `None` if something is.
    pub reason: Option<String>,
}
