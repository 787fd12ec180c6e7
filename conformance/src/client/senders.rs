//! The senders of a step, each with a connection of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Connection, Request, Response};
use crate::case::Asked;

/// Which requests a sender sends.
enum Share {
    /// The next one that nobody has sent.
    Next(Arc<AtomicUsize>),
    /// Every n-th: with stagger the first would send all while the others wait for their start.
    Own(std::iter::StepBy<std::ops::Range<usize>>),
}

/// Sends all requests of a step, each sender over a connection that `connect` gives; the answers are in no particular order.
pub async fn send(request: &Arc<Request>, asked: &Asked, connect: impl Fn() -> Connection) -> Vec<Response> {
    let senders = asked.parallel.min(asked.times);
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for index in 0..senders {
        let (request, times) = (request.clone(), asked.times);
        let late = Duration::from_secs_f64(asked.stagger.unwrap_or(0.0) * index as f64);
        let mut share = match asked.stagger {
            Some(_) => Share::Own((index..times).step_by(senders)),
            None => Share::Next(next.clone()),
        };
        let mut connection = connect();
        tasks.spawn(async move {
            tokio::time::sleep(late).await;
            let mut responses = Vec::new();
            while share.more(times) {
                responses.push(connection.send(&request).await);
            }
            responses
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

// === impl Share ===

impl Share {
    fn more(&mut self, times: usize) -> bool {
        match self {
            Share::Next(next) => next.fetch_add(1, Ordering::Relaxed) < times,
            Share::Own(own) => own.next().is_some(),
        }
    }
}
