//! What was observed, in the recording and in a replay alike.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::text::Lines;

/// How often what occurred.
pub type Counts = BTreeMap<String, u64>;

/// Headers by lower-case name, values in order.
pub type Headers = BTreeMap<String, Lines>;

/// What came of the requests of a step.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Keys")]
pub enum Observed {
    /// One request, in full.
    One(One),
    /// Several requests, counted.
    Many(Many),
}

/// What came of one request.
#[derive(Clone, Debug, Default)]
pub struct One {
    /// None if there was no answer.
    pub status: Option<u16>,
    /// Why the answer is missing or broke off.
    pub error: Option<String>,
    /// Only if the proxy itself made the answer.
    pub body: Option<String>,
    /// Of the answer, without those that differ from run to run.
    pub headers: Headers,
    /// What the workloads received because of it, in order.
    pub upstream: Vec<Seen>,
    /// The same of mirror copies, in any order.
    pub mirrored: Vec<Seen>,
    /// Envoy's response flags; None where no HTTP access log line is written.
    pub flags: Option<String>,
    /// Envoy's response code details.
    pub details: Option<String>,
    /// How long it took, only in cases about time.
    pub seconds: Option<f64>,
}

/// What came of several requests.
#[derive(Clone, Debug, Default)]
pub struct Many {
    /// By status, or error where there was none.
    pub statuses: Counts,
    /// Requests that workloads received.
    pub workloads: Counts,
    /// By response flags.
    pub flags: Counts,
    /// Mirror copies that workloads received.
    pub mirrored: Option<Counts>,
    /// By response code details.
    pub details: Option<Counts>,
    /// The distinct answers that the proxy made itself.
    pub replies: Option<Vec<Reply>>,
}

/// A request as a workload saw it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// Which workload.
    pub workload: String,
    /// Its method.
    pub method: String,
    /// Path and query, byte for byte.
    pub path: String,
    /// Host, or `:authority`.
    #[serde(default)]
    pub host: Option<String>,
    /// Without Host, `x-request-id` and trace headers.
    #[serde(default)]
    pub headers: Headers,
    /// Length of the body, where the case is about it.
    #[serde(default)]
    pub body_bytes: Option<usize>,
}

/// An answer that the proxy made itself.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
    /// Its headers.
    pub headers: Headers,
}

// === impl Observed ===

impl Observed {
    /// How many access log lines and requests at workloads it has.
    pub fn amounts(&self) -> (usize, usize) {
        match self {
            Observed::One(one) => (
                usize::from(one.flags.is_some()),
                one.upstream.len() + one.mirrored.len(),
            ),
            Observed::Many(many) => {
                let sum = |counts: &Counts| counts.values().sum::<u64>();
                let copies = many.mirrored.as_ref().map_or(0, sum);
                let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
                (count(sum(&many.flags)), count(sum(&many.workloads) + copies))
            }
        }
    }
}

/// The keys an observation may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    status: Option<u16>,
    error: Option<String>,
    body: Option<String>,
    headers: Option<Headers>,
    upstream: Option<Vec<Seen>>,
    mirrored: Option<Mirrored>,
    flags: Option<Flags>,
    details: Option<Flags>,
    seconds: Option<f64>,
    statuses: Option<Counts>,
    workloads: Option<Counts>,
    replies: Option<Vec<Reply>>,
}

/// Copies in full, or counted.
#[derive(Deserialize)]
#[serde(untagged)]
enum Mirrored {
    Seen(Vec<Seen>),
    Counts(Counts),
}

/// One, or counted.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flags {
    One(String),
    Counts(Counts),
}

impl TryFrom<Keys> for Observed {
    type Error = &'static str;

    fn try_from(keys: Keys) -> Result<Self, Self::Error> {
        match keys.statuses {
            Some(_) => keys.many().map(Observed::Many),
            None => keys.one().map(Observed::One),
        }
    }
}

// === impl Keys ===

impl Keys {
    fn one(self) -> Result<One, &'static str> {
        let Keys {
            workloads: None,
            replies: None,
            ..
        } = self
        else {
            return Err("`workloads` and `replies` need `statuses`");
        };
        Ok(One {
            status: self.status,
            error: self.error,
            body: self.body,
            headers: self.headers.unwrap_or_default(),
            upstream: self.upstream.unwrap_or_default(),
            mirrored: match self.mirrored {
                Some(Mirrored::Seen(seen)) => seen,
                Some(Mirrored::Counts(_)) => return Err("`mirrored` of one request is a list"),
                None => Vec::new(),
            },
            flags: self.flags.map(Flags::one).transpose()?,
            details: self.details.map(Flags::one).transpose()?,
            seconds: self.seconds,
        })
    }

    fn many(self) -> Result<Many, &'static str> {
        let Keys {
            status: None,
            error: None,
            body: None,
            headers: None,
            upstream: None,
            ..
        } = self
        else {
            return Err("`status`, `error`, `body`, `headers` and `upstream` do not go with `statuses`");
        };
        Ok(Many {
            statuses: self.statuses.unwrap_or_default(),
            workloads: self.workloads.unwrap_or_default(),
            flags: self.flags.ok_or("`statuses` without `flags`")?.counts()?,
            mirrored: match self.mirrored {
                Some(Mirrored::Counts(counts)) => Some(counts),
                Some(Mirrored::Seen(seen)) if seen.is_empty() => Some(Counts::new()),
                Some(Mirrored::Seen(_)) => return Err("`mirrored` of several requests is counted"),
                None => None,
            },
            details: self.details.map(Flags::counts).transpose()?,
            replies: self.replies,
        })
    }
}

// === impl Flags ===

impl Flags {
    fn one(self) -> Result<String, &'static str> {
        match self {
            Flags::One(flags) => Ok(flags),
            Flags::Counts(_) => Err("`flags` and `details` of one request are text"),
        }
    }

    fn counts(self) -> Result<Counts, &'static str> {
        match self {
            Flags::Counts(counts) => Ok(counts),
            Flags::One(_) => Err("`flags` and `details` of several requests are counted"),
        }
    }
}
