//! What `manifests/base/security.yaml` refuses, sent on a real cluster and seen refused; what it allows, seen answered.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::scenario::Report;
use e2e::{Call, Caller, Cluster, Connection, Target, Way, until};
use serde_json::json;

use crate::cluster::on_cluster;

/// A policy needs a few requests to reach connections that are open; pods have just started.
const SETTLED: Duration = Duration::from_secs(30);
const REQUESTS: usize = 10;

const REFUSED: &str = "403 by policy";
const NO_ANSWER: &str = "no answer";

/// What comes back, in words.
async fn outcome(way: &Way, call: &Call) -> String {
    match Connection::new(way.clone()).send(call).await {
        // Of the sidecar before the service; no service here answers so.
        Ok(answer) if answer.status == 403 && answer.text() == "RBAC: access denied" => REFUSED.to_owned(),
        Ok(answer) => answer.status.to_string(),
        Err(_) => NO_ANSWER.to_owned(),
    }
}

/// All outcomes, once the first is as expected (or never is).
async fn outcomes(way: &Way, call: &Call, expected: &str) -> String {
    let first = until("as declared", SETTLED, async || {
        Ok((outcome(way, call).await == expected).then_some(()))
    });
    let mut seen = BTreeSet::new();
    if first.await.is_err() {
        seen.insert(format!("never {expected}"));
    }
    for _ in 0..REQUESTS {
        seen.insert(outcome(way, call).await);
    }
    seen.into_iter().collect::<Vec<_>>().join(", ")
}

/// A heading, a way, and what is asked on it with what must come back.
async fn ask(report: &mut Report, heading: &str, way: Way, cases: &[(&str, Call, &str)]) {
    report.group(heading);
    for (what, call, expected) in cases {
        let seen = outcomes(&way, call, expected).await;
        report.exactly(what, (*expected).to_owned(), seen);
    }
}

fn fault() -> Call {
    Call::put("/fault", &json!({"error_rate": 1.0}))
}

fn tokens() -> Call {
    Call::post("/tokens", &json!({"user": "security"}))
}

/// A token that nobody signed: whoever gets as far as auth-service is answered 401.
fn verify() -> Call {
    Call::post("/verify", &json!({"token": "nobody's"}))
}

async fn outside_in(cluster: &Cluster, report: &mut Report) -> Result<()> {
    let gateway = Way::from(cluster.gateway());
    let cases = [
        ("GET /version", Call::get("/version"), "200"),
        ("GET /metrics", Call::get("/metrics"), REFUSED),
        ("PUT /fault", fault(), REFUSED),
    ];
    ask(report, "gateway -> payment-service", gateway.clone(), &cases).await;
    // The routes of the stage let nothing but POST /tokens through to auth-service: here they let everything.
    let narrow = "            exact: /tokens\n          method:\n            exact: POST\n";
    let edited = cluster
        .lab()
        .edited_stage("10-stable", &[(narrow, "            prefix: /\n")])?;
    cluster.apply(edited.path()).await?.expect(0)?;
    let cases = [
        ("POST /tokens", tokens(), "201"),
        ("POST /verify", verify(), REFUSED),
        ("GET /version", Call::get("/version"), REFUSED),
    ];
    ask(report, "gateway -> auth-service", gateway, &cases).await;
    Ok(())
}

async fn load_client(cluster: &Cluster, report: &mut Report) {
    let way = |service| cluster.way(Caller::Inside, service);
    let cases = [
        ("GET /version", Call::get("/version"), "200"),
        ("GET /metrics", Call::get("/metrics"), REFUSED),
        ("PUT /fault", fault(), REFUSED),
    ];
    ask(
        report,
        "load-client -> payment-service",
        way("payment-service"),
        &cases,
    )
    .await;
    ask(report, "load-client -> auth-service", way("auth-service"), &cases).await;
}

async fn others(cluster: &Cluster, report: &mut Report) -> Result<()> {
    let version = || Call::get("/version");
    let stranger = async |service: &str| cluster.relay("traffic-lab", "stranger", service).await;
    let cases = [("GET /version", version(), REFUSED)];
    ask(
        report,
        "stranger -> payment-service",
        stranger("payment-service:8080").await?,
        &cases,
    )
    .await;
    let cases = [
        ("POST /verify", verify(), REFUSED),
        ("POST /tokens", tokens(), REFUSED),
    ];
    ask(
        report,
        "stranger -> auth-service",
        stranger("auth-service:8080").await?,
        &cases,
    )
    .await;

    let impostor = async |service: &str| cluster.relay("traffic-lab", "impostor", service).await;
    let cases = [
        ("POST /verify", verify(), "401"),
        ("GET /version", version(), REFUSED),
    ];
    ask(
        report,
        "payment's identity -> auth-service",
        impostor("auth-service:8080").await?,
        &cases,
    )
    .await;
    let cases = [("GET /version", version(), REFUSED)];
    ask(
        report,
        "payment's identity -> payment",
        impostor("payment-service:8080").await?,
        &cases,
    )
    .await;

    let outsider = async |service: &str| cluster.relay("outside", "outsider", service).await;
    // It can reach what is not in the mesh's care: the others are not out of reach, they refuse.
    let cases = [("GET /version", version(), "200")];
    ask(
        report,
        "outside the mesh -> istiod",
        outsider("istiod.istio-system:15014").await?,
        &cases,
    )
    .await;
    for service in ["payment-service", "auth-service"] {
        let authority = format!("{service}.traffic-lab:8080");
        let way = outsider(&authority).await?;
        way.open().await?;
        let cases = [("GET /version", version(), NO_ANSWER)];
        ask(report, &format!("outside the mesh -> {service}"), way, &cases).await;
    }
    Ok(())
}

async fn everything(cluster: &Cluster) -> Result<()> {
    let mut report = Report::new("security", "who may ask what", cluster.name());
    for (namespace, name) in [
        ("outside", "outsider"),
        ("traffic-lab", "stranger"),
        ("traffic-lab", "impostor"),
    ] {
        cluster.rolled_out(namespace, name).await?;
    }
    load_client(cluster, &mut report).await;
    others(cluster, &mut report).await?;
    outside_in(cluster, &mut report).await?;
    let mut table = Vec::new();
    report.write_table(&mut table)?;
    let table = String::from_utf8(table)?;
    ensure!(report.confirmed, "{table}");
    eprintln!("{table}");
    Ok(())
}

#[tokio::test]
async fn what_must_be_refused_is_refused_and_nothing_else_is() -> Result<()> {
    on_cluster(async |cluster| {
        let testing = cluster.lab().root().join("manifests/testing");
        let files = ["00-outside.yaml", "strangers.yaml"].map(|file| testing.join(file));
        for file in &files {
            cluster.apply(file).await?.expect(0)?;
        }
        let seen = everything(cluster).await;
        for file in files.iter().rev() {
            cluster.delete(file).await?.expect(0)?;
        }
        seen
    })
    .await
}
