//! `consistentHash`: by a cookie that the proxy hands out (payment), by a header (auth).

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;

use super::Report;
use crate::call::{Answer, Call, Connection};
use crate::mark::unique;
use crate::target::{Caller, Target};
use crate::way::Way;

/// Sessions; the chance that they all hash to one of two pods is below 10^-10 (a ring of 1024 is not quite even).
const SESSIONS: usize = 40;
const ONE_POD: f64 = 1e-10;
/// Requests of each, every one on a connection of its own.
const VISITS: usize = 5;
const COOKIE: &str = "lab-session";

pub(super) async fn see(target: &impl Target, report: &mut Report) -> Result<()> {
    for caller in Caller::ALL {
        let way = target.way(caller, "payment-service");
        let mut stays = Vec::new();
        for _ in 0..SESSIONS {
            stays.push(with_cookie(&way).await?);
        }
        report.group(format!("{}: cookie", caller.name()));
        judge(report, &stays);
    }
    let way = target.way(Caller::Inside, "auth-service");
    let mut stays = Vec::new();
    for number in 0..SESSIONS {
        stays.push(with_header(&way, &format!("user-{number}")).await?);
    }
    report.group("in mesh, auth: header");
    judge(report, &stays);
    callers_agree(target, report, &stays).await
}

/// The pods that answered one session.
type Stay = BTreeSet<String>;

fn judge(report: &mut Report, stays: &[Stay]) {
    let faithful = stays.iter().filter(|stay| stay.len() == 1).count();
    report.exactly("sessions with one pod", SESSIONS, faithful);
    let used: Stay = stays.iter().flatten().cloned().collect();
    let pods = used.len() as u64;
    report.count("pods in use", "both", (pods, 2), 2..=2, ONE_POD);
}

/// The first request brings no cookie and gets one; the others bring it.
async fn with_cookie(way: &Way) -> Result<Stay> {
    let first = Connection::new(way.clone()).send(&Call::get("/version")).await?;
    let given = first
        .headers
        .get("set-cookie")
        .and_then(|value| value.to_str().ok());
    let cookie = given.and_then(|given| given.split(';').next());
    let mut stay = Stay::from([pod(&first)]);
    for _ in 1..VISITS {
        let mut call = Call::get("/version");
        if let Some(cookie) = cookie.filter(|cookie| cookie.starts_with(COOKIE)) {
            call = call.header("cookie", cookie);
        }
        stay.insert(pod(&Connection::new(way.clone()).send(&call).await?));
    }
    Ok(stay)
}

async fn with_header(way: &Way, user: &str) -> Result<Stay> {
    let mut stay = Stay::new();
    for _ in 0..VISITS {
        let call = Call::get("/version").header("end-user", user);
        stay.insert(pod(&Connection::new(way.clone()).send(&call).await?));
    }
    Ok(stay)
}

/// The pod of an answer; of an error, what kind of error, so that it counts as another place.
fn pod(answer: &Answer) -> String {
    let mut hops = answer.hops().into_iter();
    match hops.next() {
        Some(hop) if answer.status == 200 => hop.instance,
        _ => format!("status {}", answer.status),
    }
}

/// Payment pods ask auth-service for the same user (they pass the header on). Each has a proxy of its own, and all of
/// them find the pod that the client inside was led to: the ring depends on the endpoints alone.
async fn callers_agree(target: &impl Target, report: &mut Report, stays: &[Stay]) -> Result<()> {
    let mut connection = Connection::new(target.way(Caller::Gateway, "payment-service"));
    let asked = Call::post("/tokens", &json!({"user": "sticky"}));
    let token = connection.send(&asked).await?.json()?;
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap_or_default());
    let order = json!({"amount_cents": 100, "currency": "EUR", "to": "shop"});
    let tag = unique("sticky-sessions");
    let mut same = 0;
    for (number, stay) in stays.iter().enumerate() {
        let call = Call::post("/payments", &order)
            .header("authorization", &*bearer)
            .header("idempotency-key", format!("{tag}-{number}"))
            .header("end-user", format!("user-{number}"));
        let hops = connection.send(&call).await?.hops();
        same += usize::from(hops.get(1).is_some_and(|hop| stay.contains(&hop.instance)));
    }
    report.exactly("the same seen by payment", SESSIONS, same);
    Ok(())
}
