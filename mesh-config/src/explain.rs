//! Why a request goes where it goes.

use std::fmt;

use serde::Serialize;

use crate::client::Client;
use crate::mesh::Mesh;
use crate::route::matching::RequestHead;

/// The decision for one request, with its reasons.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Each rule looked at, in order, up to the one that decided.
    pub rules: Vec<TriedRule>,
}

/// One rule that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct TriedRule {
    /// Index in `spec.http`.
    pub rule: usize,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rules", self.rules.len())
    }
}

/// Explains the decision for a request of `client` to `port`.
#[must_use]
pub fn explain(mesh: &Mesh, client: &Client, port: u16, request: &RequestHead<'_>) -> Explanation {
    let _ = (mesh, client, port, request);
    Explanation { rules: Vec::new() }
}
