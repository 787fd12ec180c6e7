//! `fault: {abort, delay}`: the caller's proxy draws who is aborted, who is delayed.

use std::time::Duration;

use anyhow::Result;

use super::Report;
use super::bench::{self, Exchange, Shape, count};
use crate::call::Call;
use crate::target::{Caller, Target};

/// As declared.
const ABORTED: f64 = 0.2;
const DELAYED: f64 = 0.3;
const DELAY: Duration = Duration::from_millis(500);
const STATUS: u16 = 418;
/// Never earlier, but for the clocks' grain. How late is the machine's business, within reason.
const BOUNDS: std::ops::RangeInclusive<Duration> = Duration::from_millis(490)..=Duration::from_secs(5);
const SHAPE: Shape = Shape {
    requests: 400,
    connections: 16,
};

pub(super) async fn see(target: &impl Target, report: &mut Report) -> Result<()> {
    let pods = bench::pods(target, "payment-service", "v1").await?;
    let n = SHAPE.requests as u64;
    for caller in Caller::ALL {
        report.group(caller.name());
        let before = bench::answered(target, &pods, "/version").await?;
        let way = target.way(caller, "payment-service");
        let sent = bench::send(way, SHAPE, |_| Call::get("/version")).await?;
        let reached = bench::answered(target, &pods, "/version").await? - before;
        let flags = bench::flags(target, caller, &sent).await?;
        let with = |flag: &'static str| {
            let pairs = sent.iter().zip(&flags);
            pairs.filter(move |(_, flags)| flags.split(',').any(|one| one == flag))
        };
        let aborted = with("FI").count() as u64;
        let late: Vec<Duration> = with("DI").map(|(sent, _)| sent.took()).collect();
        report.share("aborted, flag FI", ABORTED, aborted, n);
        let refused = with("FI").filter(|(sent, _)| is_abort(sent)).count() as u64;
        report.exactly(format!("these answered {STATUS}"), aborted, refused);
        let passed = count(&sent, |one| one.status() == 200);
        report.exactly("all others 200", n - aborted, passed);
        report.exactly("only they reached a pod", passed, reached);
        report.share("delayed, flag DI", DELAYED, late.len() as u64, n);
        report.times("these took", "≥ 0.5 s", &late, BOUNDS);
    }
    Ok(())
}

fn is_abort(exchange: &Exchange) -> bool {
    exchange.status() == STATUS && exchange.answer.text() == "fault filter abort"
}

const _: () = assert!(BOUNDS.start().as_millis() <= DELAY.as_millis());
