//! `timeout: 1s`: a slow answer is given up, a quick one is not touched.

use std::time::Duration;

use anyhow::Result;

use super::Report;
use super::bench::{self, Exchange, Shape, count};
use crate::call::Call;
use crate::target::{Caller, Target};

/// As declared.
const TIMEOUT: Duration = Duration::from_secs(1);
/// No earlier than declared, but for the clocks' grain; and well before the service would have answered, after 4 s.
const EARLY: Duration = Duration::from_millis(990);
const LATE: Duration = Duration::from_secs(2);
const SHAPE: Shape = Shape {
    requests: 10,
    connections: 5,
};

pub(super) async fn see(target: &impl Target, report: &mut Report) -> Result<()> {
    for caller in Caller::ALL {
        report.group(caller.name());
        let way = target.way(caller, "payment-service");
        let slow = bench::send(way.clone(), SHAPE, |_| Call::get("/delay/4000")).await?;
        let took: Vec<Duration> = slow.iter().map(Exchange::took).collect();
        let given_up = count(&slow, |one| {
            one.status() == 504 && one.answer.text() == "upstream request timeout"
        });
        let flags = bench::flags(target, caller, &slow).await?;
        let flagged = flags.iter().filter(|flags| *flags == "UT").count();
        report.exactly("504 instead of 4 s", SHAPE.requests as u64, given_up);
        report.times("after", format!("{} s", TIMEOUT.as_secs()), &took, EARLY..=LATE);
        report.exactly("logged with flag UT", SHAPE.requests, flagged);
        // A tenth of the limit: on a machine that stands still for 0.9 s this would be its fault, not the mesh's.
        let quick = bench::send(way, SHAPE, |_| Call::get("/delay/100")).await?;
        let passed = count(&quick, |one| one.status() == 200);
        report.exactly("0.1 s: 200", SHAPE.requests as u64, passed);
    }
    Ok(())
}
