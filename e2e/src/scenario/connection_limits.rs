//! `http2MaxRequests: 4`: four requests may be in flight, the fifth is refused at once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::task::JoinSet;

use super::Report;
use super::bench::{self, Exchange, Shape, count};
use crate::call::{Call, Connection};
use crate::mark::unique;
use crate::target::{Caller, Target};
use crate::way::Way;

/// As declared.
const LIMIT: usize = 4;
/// Sent before the first of them is answered.
const BURST: usize = 12;
/// Between two of them. Workers of a proxy look at the limit without a lock: of two requests in the same microsecond
/// both might pass.
const APART: Duration = Duration::from_millis(20);
/// Half of what the service takes to answer.
const AT_ONCE: Duration = Duration::from_secs(1);
const AFTER: Shape = Shape {
    requests: 40,
    connections: LIMIT,
};

pub(super) async fn see(target: &impl Target, report: &mut Report) -> Result<()> {
    for caller in Caller::ALL {
        report.group(caller.name());
        let way = target.way(caller, "payment-service");
        let burst = burst(&way).await?;
        let passed = count(&burst, |one| one.status() == 200);
        report.exactly(format!("of {BURST} at once, 200"), LIMIT as u64, passed);
        let refused: Vec<&Exchange> = burst.iter().filter(|one| is_overflow(one)).collect();
        report.exactly("503, x-envoy-overloaded", BURST - LIMIT, refused.len());
        let took: Vec<Duration> = refused.iter().map(|one| one.took()).collect();
        report.times("these came after", "at once", &took, Duration::ZERO..=AT_ONCE);
        let flags = bench::flags(target, caller, &burst).await?;
        let flagged = flags.iter().filter(|flags| *flags == "UO").count();
        report.exactly("these, flag UO", BURST - LIMIT, flagged);
        // No more than four at a time, as many as one likes in all.
        let after = bench::send(way, AFTER, |_| Call::get("/version")).await?;
        let passed = count(&after, |one| one.status() == 200);
        report.exactly("four at a time, 200", AFTER.requests as u64, passed);
    }
    Ok(())
}

fn is_overflow(exchange: &Exchange) -> bool {
    exchange.status() == 503 && exchange.header("x-envoy-overloaded") == Some("true")
}

/// Requests that take two seconds, each on a connection of its own, one soon after the other.
///
/// # Errors
/// The machine was so slow that the first answer came before the last request was sent: this shows nothing.
async fn burst(way: &Way) -> Result<Vec<Exchange>> {
    let tag = unique("connection-limits");
    let mut running = JoinSet::new();
    let mut turns = tokio::time::interval(APART);
    for number in 0..BURST {
        turns.tick().await;
        let (id, mut connection) = (format!("{tag}-{number}"), Connection::new(way.clone()));
        let call = Call::get("/delay/2000").tagged(&id);
        running.spawn(async move { bench::exchange(&mut connection, &call, &id).await });
    }
    let burst = running.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    let answered = burst
        .iter()
        .filter(|one| one.status() == 200)
        .map(|one| one.ended);
    let first: Instant = answered
        .min()
        .context("of a burst within the limit nothing was answered")?;
    ensure!(
        burst.iter().all(|one| one.sent < first),
        "the machine was too busy to send {BURST} requests within 2 s; run it again when it does less"
    );
    Ok(burst)
}
