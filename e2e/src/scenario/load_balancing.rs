//! Three load balancers side by side: `ROUND_ROBIN` for payment v1, `RANDOM` for v2, `LEAST_REQUEST` for auth.

use anyhow::Result;
use serde_json::json;

use super::Report;
use super::bench::{self, Exchange, Shape, count};
use super::chance::ALPHA;
use crate::call::Call;
use crate::target::{Caller, Target};

/// One connection stays with one worker of the proxy, and each worker takes its turns for itself.
const IN_TURN: Shape = Shape {
    requests: 100,
    connections: 1,
};
const MANY: Shape = Shape {
    requests: 400,
    connections: 8,
};

pub(super) async fn see(target: &impl Target, report: &mut Report) -> Result<()> {
    in_turn(target, report).await?;
    at_random(target, report).await?;
    less_busy(target, report).await
}

async fn in_turn(target: &impl Target, report: &mut Report) -> Result<()> {
    let pods = bench::pods(target, "payment-service", "v1").await?;
    let way = target.way(Caller::Gateway, "payment-service");
    let sent = bench::send(way, IN_TURN, |_| Call::get("/version")).await?;
    report.group("gateway, v1: ROUND_ROBIN");
    for pod in &pods {
        let share = (IN_TURN.requests / pods.len()) as u64;
        let got = count(&sent, |one| one.pod() == pod.name);
        report.exactly(&pod.name, share, got);
    }
    let changes = sent
        .windows(2)
        .filter(|pair| pair[0].pod() != pair[1].pod())
        .count();
    report.exactly("next one is the other", IN_TURN.requests - 1, changes);
    Ok(())
}

async fn at_random(target: &impl Target, report: &mut Report) -> Result<()> {
    let pods = bench::pods(target, "payment-service", "v2").await?;
    let way = target.way(Caller::Gateway, "payment-service");
    let sent = bench::send(way, MANY, |_| Call::get("/version").header("x-canary", "true")).await?;
    let n = MANY.requests as u64;
    let ours = |one: &Exchange| pods.iter().any(|pod| pod.name == one.pod());
    report.group("gateway, v2: RANDOM");
    report.exactly("answered by v2", n, count(&sent, ours));
    let first = count(&sent, |one| one.pod() == pods[0].name);
    report.share(&pods[0].name, 1.0 / pods.len() as f64, first, n);
    Ok(())
}

/// One of two pods is slow. Of two endpoints drawn (perhaps twice the same one, and then there is no choice) the less
/// busy one is taken, so the slow one gets about a quarter; by turns or at random it would get half.
///
/// Error rates: at a quarter, 160 of 400 or more come in 10^-11 of the runs; at a half, fewer than 160 in 3 * 10^-5.
async fn less_busy(target: &impl Target, report: &mut Report) -> Result<()> {
    let pods = bench::pods(target, "auth-service", "v1").await?;
    bench::fault(target, &pods[0], &json!({"latency_ms": 100})).await?;
    let way = target.way(Caller::Inside, "auth-service");
    let sent = bench::send(way, MANY, |_| Call::get("/version")).await?;
    let n = MANY.requests as u64;
    report.group("in mesh, auth: LEAST_REQUEST");
    report.exactly("answered 200", n, count(&sent, |one| one.status() == 200));
    let slow = count(&sent, |one| one.pod() == pods[0].name);
    report.count("by the slow one", "< half", (slow, n), 1..=n * 2 / 5 - 1, ALPHA);
    Ok(())
}
