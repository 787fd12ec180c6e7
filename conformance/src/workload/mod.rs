//! The workloads of a case: a small server per endpoint that notes what it receives and answers as it is told.

mod answer;
mod connection;
mod fleet;
mod http1;
mod http2;
mod listening;

pub use answer::Answer;
pub use fleet::{Fleet, FleetError};

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::case::Behaviour;

/// A request as a workload received it, complete with its body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Which workload.
    pub workload: String,
    /// Its method.
    pub method: String,
    /// Path and query, byte for byte.
    pub path: String,
    /// Names in lower case; over HTTP/2, `:authority` comes first, as `host`.
    pub headers: Vec<(String, String)>,
    /// Length of the body.
    pub body_bytes: usize,
}

/// All requests of a case, in the order in which they were received.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<(SystemTime, Received)>>>);

/// One workload, as its connections share it.
#[derive(Debug)]
struct Workload {
    name: String,
    behaviour: Mutex<Arc<Behaviour>>,
    /// Requests since its behaviour was set.
    received: AtomicUsize,
    /// Connections so far.
    accepted: AtomicUsize,
    log: Log,
}

/// How a connection goes on after a request.
#[derive(Clone, Debug, PartialEq)]
enum Reaction {
    Answer(Answer),
    /// No answer, ever.
    Hang,
    /// These bytes, then FIN.
    Close(&'static [u8]),
    Reset,
    /// HTTP/2 only.
    RefuseStream,
}

// === impl Received ===

impl Received {
    /// The first value of a header.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(one, _)| one == name)
            .map(|(_, value)| value.as_str())
    }
}

// === impl Log ===

impl Log {
    fn note(&self, request: Received) {
        self.lock().push((SystemTime::now(), request));
    }

    /// Those that carry this value of `x-lab-id`.
    pub fn of(&self, lab_id: &str) -> Vec<Received> {
        self.timed(lab_id).into_iter().map(|(_, one)| one).collect()
    }

    /// The same, each with when it was there, so that logs of several processes can be put together.
    pub fn timed(&self, lab_id: &str) -> Vec<(SystemTime, Received)> {
        let log = self.lock();
        log.iter()
            .filter(|(_, one)| one.value(crate::client::LAB_ID) == Some(lab_id))
            .cloned()
            .collect()
    }

    /// How many `of` would give.
    pub fn count(&self, lab_id: &str) -> usize {
        self.lock()
            .iter()
            .filter(|(_, one)| one.value(crate::client::LAB_ID) == Some(lab_id))
            .count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(SystemTime, Received)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Workload ===

impl Workload {
    fn behaviour(&self) -> Arc<Behaviour> {
        self.behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(behaviour);
        self.received.store(0, Ordering::Relaxed);
    }

    /// Notes a request and, after the delay that the case wants, says what is to be done.
    async fn receive(&self, request: Received, connection: usize, http2: bool) -> Reaction {
        let behaviour = self.behaviour();
        let number = self.received.fetch_add(1, Ordering::Relaxed);
        if http2 && behaviour.refuse_stream {
            return Reaction::RefuseStream;
        }
        self.log.note(request.clone());
        if behaviour.hang {
            return Reaction::Hang;
        }
        if let Some(seconds) = behaviour.delay {
            tokio::time::sleep(std::time::Duration::from_secs_f64(seconds)).await;
        }
        if behaviour.reset {
            Reaction::Reset
        } else if behaviour.garbage {
            Reaction::Close(b"this is not HTTP\r\n\r\n")
        } else if behaviour.close {
            Reaction::Close(b"")
        } else {
            Reaction::Answer(Answer::new(&behaviour, &request, number, connection))
        }
    }
}
