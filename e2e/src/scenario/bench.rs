//! What every scenario does with its target: sending, reading along, making pods fail, and putting all back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::call::{Answer, Call, Connection};
use crate::mark::unique;
use crate::target::{Caller, Logged, Pod, Target};
use crate::wait::until;
use crate::way::Way;

/// Envoy writes its log once a second; the machine may do much else.
const LOGGED: Duration = Duration::from_secs(30);

/// A request and its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    /// In the query of the request.
    pub(super) id: String,
    pub(super) answer: Answer,
    /// When the request was begun.
    pub(super) sent: Instant,
    /// When the answer was there, whole.
    pub(super) ended: Instant,
}

impl Exchange {
    pub(super) fn took(&self) -> Duration {
        self.ended - self.sent
    }

    pub(super) fn status(&self) -> u16 {
        self.answer.status
    }

    /// The pod that answered; empty if the mesh did so itself.
    pub(super) fn pod(&self) -> String {
        let mut hops = self.answer.hops().into_iter();
        hops.next().map(|hop| hop.instance).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers.get(name)?.to_str().ok()
    }
}

/// How many requests, by how many connections, each with one request after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) requests: usize,
    pub(super) connections: usize,
}

/// Sends requests and waits for all answers, which come in the order of their numbers.
///
/// # Errors
/// A request got no whole answer: the proxies of a mesh answer for what they cannot deliver, so this is no observation.
pub(super) async fn send(way: Way, shape: Shape, call: impl Fn(usize) -> Call) -> Result<Vec<Exchange>> {
    let tag = unique("load");
    let calls = (0..shape.requests).map(|number| {
        let id = format!("{tag}-{number}");
        (call(number).tagged(&id), id)
    });
    let (calls, next) = (Arc::new(calls.collect::<Vec<_>>()), Arc::new(AtomicUsize::new(0)));
    let mut users = JoinSet::new();
    for _ in 0..shape.connections {
        let (calls, next) = (calls.clone(), next.clone());
        let mut connection = Connection::new(way.clone());
        users.spawn(async move {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((call, id)) = calls.get(number) else {
                    return Ok(done);
                };
                done.push((number, exchange(&mut connection, call, id).await?));
            }
        });
    }
    let mut all = BTreeMap::new();
    while let Some(user) = users.join_next().await {
        let done: Result<Vec<(usize, Exchange)>> = user?;
        all.extend(done?);
    }
    Ok(all.into_values().collect())
}

/// Sends one request.
///
/// # Errors
/// There is no whole answer.
pub(super) async fn exchange(connection: &mut Connection, call: &Call, id: &str) -> Result<Exchange> {
    let sent = Instant::now();
    let answer = connection.send(call).await;
    Ok(Exchange {
        id: id.to_owned(),
        answer: answer.with_context(|| format!("request {id} got no answer"))?,
        sent,
        ended: Instant::now(),
    })
}

/// The response flags of these requests, in their order, from the log of the caller's proxy.
///
/// # Errors
/// The log does not show them all after half a minute.
pub(super) async fn flags(
    target: &impl Target,
    caller: Caller,
    exchanges: &[Exchange],
) -> Result<Vec<String>> {
    until("the access log shows every request", LOGGED, async || {
        let log = target.access_log(caller).await?;
        let by_id: BTreeMap<&str, &Logged> = log
            .iter()
            .filter_map(|line| Some((line.path.split_once("?id=")?.1, line)))
            .collect();
        let lines = exchanges.iter().map(|exchange| by_id.get(&*exchange.id));
        Ok(lines
            .map(|line| line.map(|line| line.flags.clone()))
            .collect::<Option<Vec<_>>>())
    })
    .await
}

/// The pods of a service in one version, in the order of their names.
///
/// # Errors
/// There are fewer than two, or one is not ready.
pub(super) async fn pods(target: &impl Target, app: &str, version: &str) -> Result<Vec<Pod>> {
    let mut pods = target.pods().await?;
    pods.retain(|pod| pod.app == app && pod.version == version);
    pods.sort_by(|a, b| a.name.cmp(&b.name));
    ensure!(
        pods.len() > 1 && pods.iter().all(|pod| pod.ready),
        "two ready pods of {app} {version} are needed; there are {pods:?}"
    );
    Ok(pods)
}

/// Makes a pod fail or wait, as `PUT /fault` of the services takes it.
///
/// # Errors
/// The pod does not answer 200.
pub(super) async fn fault(target: &impl Target, pod: &Pod, fault: &Value) -> Result<()> {
    told(target, pod, &Call::put("/fault", fault)).await.map(drop)
}

/// Ends what [`fault`] began, on every pod.
///
/// # Errors
/// A pod does not answer.
pub(super) async fn no_faults(target: &impl Target) -> Result<()> {
    for pod in target.pods().await? {
        told(target, &pod, &Call::delete("/fault")).await?;
    }
    Ok(())
}

/// Requests to this route that these pods have answered so far. Those that `PUT /fault` made fail are counted whatever
/// their route: the pod did not look at it.
///
/// # Errors
/// A pod does not show its metrics.
pub(super) async fn answered(target: &impl Target, pods: &[Pod], route: &str) -> Result<u64> {
    let routes = [route, "unmatched"].map(|route| format!("route=\"{route}\""));
    let mut sum = 0;
    for pod in pods {
        let page = told(target, pod, &Call::get("/metrics")).await?.text();
        let counters = page
            .lines()
            .filter(|line| line.starts_with("http_requests_total{"));
        for line in counters.filter(|line| routes.iter().any(|route| line.contains(route))) {
            let (_, count) = line.rsplit_once(' ').context("a counter has a value")?;
            sum += count.parse::<u64>().with_context(|| line.to_owned())?;
        }
    }
    Ok(sum)
}

async fn told(target: &impl Target, pod: &Pod, call: &Call) -> Result<Answer> {
    let way = target.direct(pod).await?;
    let answer = Connection::new(way).send(call).await?;
    ensure!(
        (200..300).contains(&answer.status),
        "pod {} answered {}: {}",
        pod.name,
        answer.status,
        answer.text()
    );
    Ok(answer)
}

/// How many of the requests it holds for.
pub(super) fn count(exchanges: &[Exchange], test: impl Fn(&Exchange) -> bool) -> u64 {
    exchanges.iter().filter(|exchange| test(exchange)).count() as u64
}
