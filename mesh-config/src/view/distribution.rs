//! Exact probabilities of the destinations of a request.

use serde::Serialize;

use crate::object::ObjectKey;

/// Where a request goes, with exact probabilities.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// What became of it.
    pub outcome: Outcome,
    /// Empty unless routed. Entries for the same host and subset are united.
    pub shares: Vec<Share>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// 502, on a gateway 404.
    UnknownHost,
    /// 404.
    NoRoute,
    /// Forwarded.
    Routed {
        /// The VirtualService; `None` for the default route of a Service.
        object: Option<ObjectKey>,
        /// Index in its `spec.http`.
        rule: Option<usize>,
    },
}

/// The probability of one destination.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Full name.
    pub host: String,
    /// Name of the subset.
    pub subset: Option<String>,
    /// The subset's `version` label, else the subset's name; `None` without a subset.
    pub version: Option<String>,
    /// 0 to 1.
    pub probability: f64,
}
