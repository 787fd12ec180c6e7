//! `outlierDetection`: after three errors in a row a pod gets nothing for five seconds, then it is tried again.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::json;

use super::Report;
use super::bench::{self, Exchange, count};
use crate::call::{Call, Connection};
use crate::mark::unique;
use crate::target::{Caller, Pod, Target};

/// As declared: `consecutive5xxErrors` and `baseEjectionTime`.
const ERRORS: u64 = 3;
const EJECTED: Duration = Duration::from_secs(5);
/// Up to two seconds more are Envoy's: the next look of `interval: 1s`, and up to a second in which it gathers changes of
/// health. The rest is for a machine that does much else; the rule of `manifests/base` would take 15 s at least.
const LATEST: Duration = Duration::from_secs(14);
/// Until a pod that gets every second request has failed three times; in 2^-44 of the runs it has not.
const PATIENCE: usize = 64;
/// Longer than anybody is left out here.
const RETURN: Duration = Duration::from_secs(30);
/// Fewer requests than this while the pod is out show nothing: if it were in, they would all miss it in 2^-30 of the runs.
const ENOUGH: u64 = 30;

pub(super) async fn see(target: &impl Target, report: &mut Report) -> Result<()> {
    for caller in Caller::ALL {
        // Each proxy learns for itself: what the gateway has found out, the client's sidecar does not know.
        ejected_and_back(target, report, caller).await?;
    }
    Ok(())
}

async fn ejected_and_back(target: &impl Target, report: &mut Report, caller: Caller) -> Result<()> {
    let pods = bench::pods(target, "payment-service", "v1").await?;
    let (bad, good) = (&pods[0], &pods[1]);
    bench::fault(target, bad, &json!({"error_rate": 1.0, "status": 500})).await?;
    let way = target.way(caller, "payment-service");
    let mut connection = Connection::new(way.clone());
    let third = third_error(&mut connection, bad).await?;
    // Well again at once: if it were asked, it would answer, and that would be seen.
    bench::no_faults(target).await?;
    let (meanwhile, back) = until_back(&mut connection, bad).await?;
    let out = third + EJECTED;
    let meanwhile: Vec<Exchange> = meanwhile.into_iter().filter(|one| one.sent < out).collect();
    let n = meanwhile.len() as u64;
    ensure!(
        n >= ENOUGH || back < out,
        "the machine was too busy: only {n} requests in {EJECTED:?}; run it again when it does less"
    );
    report.group(caller.name());
    let others = count(&meanwhile, |one| one.status() == 200 && one.pod() == good.name);
    report.exactly("in 5 s, by the other pod", n, others);
    report.times(
        "back after",
        format!("{} s", EJECTED.as_secs()),
        &[back - third],
        EJECTED..=LATEST,
    );
    Ok(())
}

fn failed(exchange: &Exchange) -> bool {
    exchange.status() >= 500
}

/// When the third error of the bad pod arrived.
///
/// # Errors
/// Another pod fails, too, or the bad one does not.
async fn third_error(connection: &mut Connection, bad: &Pod) -> Result<Instant> {
    let tag = unique("outlier-detection");
    let mut errors = 0;
    for number in 0..PATIENCE {
        let id = format!("{tag}-{number}");
        let sent = bench::exchange(connection, &Call::get("/version").tagged(&id), &id).await?;
        errors += u64::from(failed(&sent) && sent.pod() == bad.name);
        if errors == ERRORS {
            return Ok(sent.ended);
        }
    }
    bail!(
        "of {PATIENCE} requests only {errors} reached the failing pod {}",
        bad.name
    )
}

/// What was sent until the pod answered again, and when the request that it answered was sent.
///
/// # Errors
/// It does not answer for half a minute.
async fn until_back(connection: &mut Connection, pod: &Pod) -> Result<(Vec<Exchange>, Instant)> {
    let tag = unique("outlier-detection");
    let begun = Instant::now();
    let mut others = Vec::new();
    while begun.elapsed() < RETURN {
        let id = format!("{tag}-{}", others.len());
        let sent = bench::exchange(connection, &Call::get("/version").tagged(&id), &id).await?;
        if sent.pod() == pod.name {
            return Ok((others, sent.sent));
        }
        others.push(sent);
    }
    bail!("{} has not come back for {RETURN:?}", pod.name)
}
