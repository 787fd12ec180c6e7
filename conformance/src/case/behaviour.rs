//! How a workload behaves.

use serde::{Deserialize, Serialize};

use super::text::Fields;

/// What a workload does with a request. Without any of it: 200 and, as JSON, what it received.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// The status of every answer.
    pub status: Option<u16>,
    /// The status of the n-th request; the last repeats.
    pub statuses: Vec<u16>,
    /// Seconds before the answer.
    pub delay: Option<f64>,
    /// Headers of the answer.
    pub headers: Fields,
    /// Nothing listens.
    pub refuse: bool,
    /// A SYN is never answered.
    pub blackhole: bool,
    /// Reads the request, then RST.
    pub reset: bool,
    /// Reads the request, then FIN.
    pub close: bool,
    /// Reads the request and never answers.
    pub hang: bool,
    /// Answers what is not HTTP.
    pub garbage: bool,
    /// Headers and half of the body, then FIN.
    pub truncate: bool,
    /// Seconds between the headers and the body.
    pub body_delay: Option<f64>,
    /// The body comes in chunks.
    pub chunked: bool,
    /// What follows the body.
    pub trailers: Fields,
    /// A header of the answer with the ordinal of the connection at this workload.
    pub connection_header: Option<String>,
    /// HTTP/2: refuses every stream.
    pub refuse_stream: bool,
}

// === impl Behaviour ===

impl Behaviour {
    /// Whether a connection can be made.
    pub fn accepts(&self) -> bool {
        !self.refuse && !self.blackhole
    }

    /// Whether time is a part of it.
    pub fn takes_time(&self) -> bool {
        self.hang || self.blackhole || self.delay.is_some() || self.body_delay.is_some()
    }

    /// The status of the n-th request, counted from 0.
    pub fn status_of(&self, number: usize) -> u16 {
        let listed = self.statuses.get(number).or(self.statuses.last());
        listed.copied().or(self.status).unwrap_or(200)
    }
}
