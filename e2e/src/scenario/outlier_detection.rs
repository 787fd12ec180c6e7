//! `outlierDetection`: after three errors in a row a pod gets nothing for five seconds, then it is tried again.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::Report;
use super::bench::{self, Exchange, Shape, count};
use crate::call::{Call, Connection};
use crate::target::{Caller, Pod, Target};

/// As declared: `consecutive5xxErrors` and `baseEjectionTime`.
const ERRORS: u64 = 3;
const EJECTED: Duration = Duration::from_secs(5);
/// After the time itself: the next look of `interval: 1s`, up to a second in which Envoy gathers changes of health, and
/// two for a machine that does much else.
const LATEST: Duration = Duration::from_secs(9);
/// Until a pod that gets every second request has failed three times; in 2^-44 of the runs it has not.
const PATIENCE: usize = 64;
/// While the pod is out. Quick: well within the five seconds.
const MEANWHILE: Shape = Shape {
    requests: 60,
    connections: 1,
};

pub(super) async fn see(target: &impl Target, report: &mut Report) -> Result<()> {
    for caller in Caller::ALL {
        // Each proxy learns for itself: what the gateway has found out, the client's sidecar does not know.
        ejected_and_back(target, report, caller).await?;
    }
    Ok(())
}

async fn ejected_and_back(target: &impl Target, report: &mut Report, caller: Caller) -> Result<()> {
    report.group(caller.name());
    let pods = bench::pods(target, "payment-service", "v1").await?;
    let (bad, good) = (&pods[0], &pods[1]);
    bench::fault(target, bad, &json!({"error_rate": 1.0, "status": 500})).await?;
    let way = target.way(caller, "payment-service");
    let mut connection = Connection::new(way.clone());
    let third = third_error(&mut connection, bad).await?;
    let meanwhile = bench::send(way, MEANWHILE, |_| Call::get("/version")).await?;
    let n = MEANWHILE.requests as u64;
    let others = count(&meanwhile, |one| one.status() == 200 && one.pod() == good.name);
    // Before it is back, so that it does not fail again.
    bench::no_faults(target).await?;
    let back = back(&mut connection, bad).await?;
    report.exactly(
        "errors of the failing pod",
        ERRORS,
        ERRORS + count(&meanwhile, failed),
    );
    report.exactly("then the other one, 200", n, others);
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
    let tag = bench::tag();
    let mut errors = 0;
    for number in 0..PATIENCE {
        let id = format!("{tag}-{number}");
        let sent = bench::exchange(connection, &Call::get("/version").tagged(&id), &id).await?;
        errors += u64::from(failed(&sent) && sent.pod() == bad.name);
        if errors == ERRORS {
            return Ok(sent.ended);
        }
    }
    anyhow::bail!(
        "of {PATIENCE} requests only {errors} reached the failing pod {}",
        bad.name
    )
}

/// When the first good answer of the pod was asked for.
///
/// # Errors
/// There is none for half a minute.
async fn back(connection: &mut Connection, pod: &Pod) -> Result<Instant> {
    let limit = tokio::time::Duration::from_secs(30);
    let asked = async {
        loop {
            let sent = Instant::now();
            let answer = connection.send(&Call::get("/version")).await?;
            if answer.status == 200 && answer.hops().iter().any(|hop| hop.instance == pod.name) {
                return Ok(sent);
            }
        }
    };
    let returned = tokio::time::timeout(limit, asked).await;
    returned.with_context(|| format!("{} has not come back for {limit:?}", pod.name))?
}
