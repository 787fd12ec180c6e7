//! `retries: {attempts: 2, retryOn: 5xx}`: each try fails with probability 1/2, so 7 of 8 requests are answered.

use anyhow::{Context, Result};
use serde_json::json;

use super::Report;
use super::bench::{self, Exchange, Shape};
use crate::call::Call;
use crate::target::{Caller, Target};

/// Of each try, on every pod: drawn by the pod.
const FAILS: f64 = 0.5;
const SHAPE: Shape = Shape {
    requests: 400,
    connections: 8,
};

pub(super) async fn see(target: &impl Target, report: &mut Report) -> Result<()> {
    let pods = bench::pods(target, "payment-service", "v1").await?;
    for pod in &pods {
        bench::fault(target, pod, &json!({"error_rate": FAILS, "status": 503})).await?;
    }
    let n = SHAPE.requests as u64;
    for caller in Caller::ALL {
        report.group(caller.name());
        let before = bench::answered(target, &pods, "/headers").await?;
        let way = target.way(caller, "payment-service");
        let sent = bench::send(way, SHAPE, |_| Call::get("/headers")).await?;
        let tries = sent.iter().map(tries).collect::<Result<Vec<_>>>()?;
        let at = |number: Option<u64>| tries.iter().filter(|tries| **tries == number).count() as u64;
        report.share("answered 200", 1.0 - FAILS.powi(3), n - at(None), n);
        for (number, name) in [(1, "first"), (2, "second"), (3, "third")] {
            let share = FAILS.powi(number);
            let seen = at(u64::try_from(number).ok());
            report.share(format!("by the {name} try"), share, seen, n);
        }
        let flags = bench::flags(target, caller, &sent).await?;
        let exhausted = flags.iter().filter(|flags| *flags == "URX").count();
        report.exactly("all others, flag URX", at(None), exhausted as u64);
        // A request that was not answered had all three tries.
        let made: u64 = tries.iter().map(|tries| tries.unwrap_or(3)).sum();
        let reached = bench::answered(target, &pods, "/headers").await? - before;
        report.exactly("tries that reached a pod", made, reached);
    }
    Ok(())
}

/// Which try was answered, as the pod was told it; `None` if none was.
fn tries(exchange: &Exchange) -> Result<Option<u64>> {
    if exchange.status() != 200 {
        return Ok(None);
    }
    let told = &exchange.answer.json()?["headers"]["x-envoy-attempt-count"][0];
    let number = told.as_str().and_then(|text| text.parse().ok());
    number
        .context("the request came without x-envoy-attempt-count")
        .map(Some)
}
