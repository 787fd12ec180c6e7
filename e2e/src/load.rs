//! Load that counts every failure, independent of load-client: a judge is not tested by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::call::{Call, Connection};
use crate::wait::until;
use crate::way::Way;

/// Longer than anything answers, timeouts of the mesh included.
const PROGRESS: Duration = Duration::from_secs(60);

/// What became of the requests.
#[derive(Debug, Default)]
pub struct Tally {
    /// Answers of 200 to 299, by the versions that served them, such as `v1 v2`.
    pub answers: BTreeMap<String, u64>,
    /// All other answers, by status.
    pub refusals: BTreeMap<u16, u64>,
    /// One text per request without a whole answer.
    pub failures: Vec<String>,
}

impl Tally {
    /// Requests that were not answered as they should have been.
    pub fn bad(&self) -> u64 {
        self.refusals.values().sum::<u64>() + self.failures.len() as u64
    }

    fn add(&mut self, other: Tally) {
        for (versions, count) in other.answers {
            *self.answers.entry(versions).or_default() += count;
        }
        for (status, count) in other.refusals {
            *self.refusals.entry(status).or_default() += count;
        }
        self.failures.extend(other.failures);
    }
}

/// Running load: a number of connections, each with one request after the other.
#[derive(Debug)]
pub struct Load {
    users: JoinSet<Tally>,
    done: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Load {
    /// Starts it. `make` gives the request with this number, counted over all connections.
    pub fn start(
        way: impl Into<Way>,
        connections: usize,
        make: impl Fn(u64) -> Call + Send + Sync + 'static,
    ) -> Self {
        let (way, make, next) = (way.into(), Arc::new(make), Arc::new(AtomicU64::new(0)));
        let mut load = Load {
            users: JoinSet::new(),
            done: Arc::default(),
            stop: Arc::default(),
        };
        for _ in 0..connections {
            let (make, next) = (make.clone(), next.clone());
            let (done, stop) = (load.done.clone(), load.stop.clone());
            let connection = Connection::new(way.clone());
            load.users.spawn(async move {
                let call = || make(next.fetch_add(1, Ordering::Relaxed));
                user(connection, call, &done, &stop).await
            });
        }
        load
    }

    /// Waits until that many more requests have come to an end.
    ///
    /// # Errors
    /// They do not within a minute.
    pub async fn more(&self, requests: u64) -> Result<()> {
        let goal = self.done.load(Ordering::Relaxed) + requests;
        until("the load makes no progress", PROGRESS, async || {
            Ok((self.done.load(Ordering::Relaxed) >= goal).then_some(()))
        })
        .await
    }

    /// Lets requests in flight come to their end.
    pub async fn finish(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for tally in self.users.join_all().await {
            all.add(tally);
        }
        all
    }
}

async fn user(
    mut connection: Connection,
    call: impl Fn() -> Call,
    done: &AtomicU64,
    stop: &AtomicBool,
) -> Tally {
    let mut tally = Tally::default();
    while !stop.load(Ordering::Relaxed) {
        match connection.send(&call()).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                *tally.answers.entry(answer.versions()).or_default() += 1;
            }
            Ok(answer) => *tally.refusals.entry(answer.status).or_default() += 1,
            Err(error) => tally.failures.push(format!("{error:#}")),
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    tally
}
