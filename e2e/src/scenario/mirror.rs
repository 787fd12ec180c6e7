//! `mirror` with `mirrorPercentage: 50`: v1 answers everything, v2 gets a copy of every second request.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Report;
use super::bench::{self, Shape, count};
use super::chance::{ALPHA, agreeing};
use crate::call::{Call, Connection};
use crate::mark::unique;
use crate::target::{Caller, Pod, Target};
use crate::wait::until;

/// As declared.
const COPIED: f64 = 0.5;
const SHAPE: Shape = Shape {
    requests: 200,
    connections: 4,
};
/// So many that some are copied in all runs but one in 2^30.
const PAYMENTS: u64 = 30;
/// Copies are on their way when the answer is there; nobody waits for them.
const ARRIVED: Duration = Duration::from_secs(30);
/// In which nothing more arrives.
const QUIET: Duration = Duration::from_millis(500);

pub(super) async fn see(target: &impl Target, report: &mut Report) -> Result<()> {
    let copies = bench::pods(target, "payment-service", "v2").await?;
    let n = SHAPE.requests as u64;
    for caller in Caller::ALL {
        report.group(caller.name());
        let before = bench::answered(target, &copies, "/version").await?;
        let way = target.way(caller, "payment-service");
        let sent = bench::send(way, SHAPE, |_| Call::get("/version")).await?;
        let v1 = count(&sent, |one| one.status() == 200 && one.answer.versions() == "v1");
        report.exactly("answered by v1", n, v1);
        let arrived = settled(target, &copies, "/version").await? - before;
        report.share("copied to v2", COPIED, arrived, n);
    }
    copied_payments(target, report, &copies).await
}

/// A copy of a payment is a payment: v2 charges it, although nobody sees its answer.
async fn copied_payments(target: &impl Target, report: &mut Report, copies: &[Pod]) -> Result<()> {
    let tag = unique("mirror");
    let before = bench::answered(target, copies, "/payments").await?;
    let mut connection = Connection::new(target.way(Caller::Gateway, "payment-service"));
    let asked = Call::post("/tokens", &json!({"user": "mirror"}));
    let token = connection.send(&asked).await?.json()?;
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap_or_default());
    let order = json!({"amount_cents": 100, "currency": "EUR", "to": "shop"});
    let mut paid = 0;
    for number in 0..PAYMENTS {
        let call = Call::post("/payments", &order)
            .header("authorization", &*bearer)
            .header("idempotency-key", format!("{tag}-{number}"));
        let answer = connection.send(&call).await?;
        paid +=
            u64::from(answer.status == 201 && answer.hops().first().is_some_and(|hop| hop.version == "v1"));
    }
    report.group("gateway, payments");
    report.exactly("made by v1", PAYMENTS, paid);
    let arrived = settled(target, copies, "/payments").await? - before;
    let mut charged = 0;
    for pod in copies {
        let ledger = Connection::new(target.direct(pod).await?);
        charged += of_tag(ledger, &tag).await?;
    }
    report.exactly("copies that v2 charged", arrived, charged);
    let some = *agreeing(PAYMENTS, COPIED, ALPHA).start()..=PAYMENTS;
    report.count("charged twice", "50 %", (charged, PAYMENTS), some, ALPHA);
    Ok(())
}

/// Payments in a pod's ledger whose keys begin with `tag`.
async fn of_tag(mut pod: Connection, tag: &str) -> Result<u64> {
    let ledger = pod.send(&Call::get("/ledger")).await?.json()?;
    let entries = ledger["entries"].as_array().map_or(&[][..], Vec::as_slice);
    let keys = entries.iter().filter_map(|entry| entry["key"].as_str());
    Ok(keys.filter(|key| key.starts_with(tag)).count() as u64)
}

/// The requests that these pods have answered, once no more of them arrive.
async fn settled(target: &impl Target, pods: &[Pod], route: &str) -> Result<u64> {
    let mut last = bench::answered(target, pods, route).await?;
    until("copies stop arriving", ARRIVED, async || {
        tokio::time::sleep(QUIET).await;
        let now = bench::answered(target, pods, route).await?;
        Ok((std::mem::replace(&mut last, now) == now).then_some(now))
    })
    .await
}
