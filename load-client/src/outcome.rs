//! What became of one request, as the load generator hands it to the judge.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One service instance that took part in an answer, from one element of `x-served-by` (`service/version/instance`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// The service's name, such as `payment-service`.
    pub service: String,
    /// The version that answered, such as `v2`.
    pub version: String,
    /// The instance, such as a pod's name.
    pub instance: String,
}

/// An answer that arrived whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Who served it, the service nearest to the client first. `None`: the answer names no version.
    /// Interned by the reader: equal header values share one allocation.
    pub served_by: Option<Rc<[Hop]>>,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// No connection could be made.
    Connect,
    /// The connection closed before the answer was complete.
    Closed,
    /// The answer did not come in time.
    Timeout,
    /// What came was not HTTP.
    Protocol,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::Connect => "no connection",
            Failure::Closed => "connection closed early",
            Failure::Timeout => "timeout",
            Failure::Protocol => "not HTTP",
        })
    }
}

/// The fate of one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which request of the mix was sent; 0 is the plain one.
    pub variant: usize,
    /// The answer, or why there was none.
    pub result: Result<Answer, Failure>,
    /// Time from the send to the end of the answer.
    pub latency: Duration,
    /// Time from the intended start to the end of the answer; in a closed loop equal to `latency`.
    pub from_intended: Duration,
    /// Attempts that the mesh made (`x-envoy-attempt-count`), 1 when the answer does not say.
    pub attempts: u32,
    /// Which connection it was sent over, numbered as they were opened.
    pub connection: u64,
    /// Which unit it belongs to: consecutive requests with one key. Without units each request is one.
    pub unit: u64,
}

/// A request to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// Its place in the dispatch order, to be given back to [`Sink::resolve`].
    pub sequence: u64,
    /// Which request of the mix to send; 0 is the plain one.
    pub variant: usize,
}

/// Decides whether another request is sent, and takes in what became of it.
///
/// Single-threaded: the connections of one load generator share it as `Rc<RefCell<..>>`.
pub trait Sink {
    /// The next request to send; `None` when enough were sent.
    fn dispatch(&mut self) -> Option<Dispatch>;

    /// Takes in what became of a dispatched request. Every dispatched request is resolved exactly once: one that is
    /// dropped would bias the counts towards the versions that answer fast.
    fn resolve(&mut self, sequence: u64, outcome: Outcome);
}
