//! Money.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use e2e::{Call, Connection, Ended, Target, run, unique, until};
use serde_json::Value;

use super::{apply, errors, pay, payment, token};

const ATTEMPTS: u64 = 20;
/// Two instances, drawn at random: this is never reached.
const BOTH: Duration = Duration::from_secs(60);

/// One key, many attempts: each instance charges it once and answers the others with the first result. That two
/// instances charged it is what their ledgers show: they are in memory, one per instance.
pub(crate) async fn charged_once_per_instance(target: &impl Target) -> Result<()> {
    apply(target, &target.lab().stage("10-stable")).await?;
    let token = token(target).await?;
    // The pods of a cluster outlive a test, and so do their ledgers.
    let key = unique("one-key");
    let call = payment(&token, &key);
    let mut connection = Connection::new(target.gateway());
    let mut answers: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    for _ in 0..ATTEMPTS {
        let answer = pay(&mut connection, &call).await?;
        let id = answer.json()?["id"]
            .as_str()
            .context("a payment has an id")?
            .to_owned();
        let replayed = answer.headers.contains_key("idempotency-replayed");
        answers
            .entry(answer.hops()[0].instance.clone())
            .or_default()
            .push((id, replayed));
    }
    let ledgers = ledgers(target).await?;
    for (instance, answers) in &answers {
        let charged = answers.iter().filter(|(_, replayed)| !replayed).count();
        assert_eq!(
            charged, 1,
            "{instance} charged more than once, or never: {answers:?}"
        );
        assert!(
            !answers[0].1,
            "the first answer of {instance} is the charge: {answers:?}"
        );
        assert!(
            answers.iter().all(|(id, _)| *id == answers[0].0),
            "one charge, one id: {answers:?}"
        );
        let entries = of_key(&ledgers[instance], &key);
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0]["id"], *answers[0].0);
        assert_eq!(entries[0]["duplicates"], answers.len() - 1);
    }
    let charges: usize = ledgers.values().map(|ledger| of_key(ledger, &key).len()).sum();
    assert_eq!(
        charges,
        answers.len(),
        "the ledgers know of every charge and of no other: {ledgers:?}"
    );
    Ok(())
}

/// `load-client run` pays 200 times with this key, and reads the ledgers afterwards.
async fn paid(target: &impl Target, key: &str) -> Result<Ended> {
    let mut command = target.lab().program("load-client");
    command.args(["run", "--requests", "200", "-o", "json", "--ledger", "-X", "POST"]);
    command.args([
        "--url",
        &target.url("/payments"),
        "-H",
        "content-type: application/json",
    ]);
    command.args(["-H", &format!("idempotency-key: {key}")]);
    command.args(["--body", r#"{"amount_cents":1250,"currency":"EUR","to":"shop"}"#]);
    command.args([
        "--token-url",
        &target.url("/tokens"),
        "--token-body",
        r#"{"user":"e2e"}"#,
    ]);
    run(&mut command).await
}

/// A key for each payment: each is charged once, and the client says so. One key for all: each instance charges it once, which is twice,
/// and the client names it.
pub(crate) async fn reconciled_with_the_ledgers(target: &impl Target) -> Result<()> {
    apply(target, &target.lab().stage("10-stable")).await?;
    let once = paid(target, "{uuid}").await?.expect(0)?.json()?;
    let found = &once["reconciliation"];
    for (what, wanted) in [
        ("sent", 200),
        ("paid", 200),
        ("charges", 200),
        ("replayed", 0),
        ("forgotten", 0),
    ] {
        assert_eq!(found[what], wanted, "{what}: {found:#}");
    }
    for kind in ["charged_twice", "charged_unknown", "lost"] {
        assert_eq!(found[kind]["count"], 0, "{found:#}");
    }
    let key = unique("one-key");
    let twice = paid(target, &key).await?.expect(1)?.json()?;
    let found = &twice["reconciliation"];
    assert_eq!(
        (&found["charges"], &found["replayed"]),
        (&2.into(), &198.into()),
        "{found:#}"
    );
    let named = &found["charged_twice"]["first"][0];
    assert_eq!(
        (&named["key"], &named["charged_by"]),
        (&key.into(), &found["read"]),
        "{found:#}"
    );
    Ok(())
}

/// v1 fails three in ten payments, before it charges, and the mesh tries again: more are paid than without another try, and each is
/// charged once.
///
/// Without another try 60 of 200 would fail; of three tries all fail for 5 of 200, for 30 with a probability below 10^-12.
pub(crate) async fn retried_and_charged_once(target: &impl Target) -> Result<()> {
    apply(target, &target.lab().scenario("retries")).await?;
    errors::fault(target, &["v1"], &errors::failing(0.3)).await?;
    let ended = paid(target, "{uuid}").await?;
    errors::fault(target, &["v1"], &errors::well()).await?;
    let report = ended.expect(0)?.json()?;
    let found = &report["reconciliation"];
    assert!(found["paid"].as_u64() > Some(170), "{found:#}");
    assert_eq!(found["charges"], found["paid"], "{found:#}");
    for kind in ["charged_twice", "charged_unknown", "lost"] {
        assert_eq!(found[kind]["count"], 0, "{found:#}");
    }
    assert_eq!(found["unread"], serde_json::json!([]), "{found:#}");
    Ok(())
}

fn of_key<'a>(ledger: &'a Value, key: &str) -> Vec<&'a Value> {
    let entries = ledger["entries"].as_array().map_or(&[][..], Vec::as_slice);
    entries.iter().filter(|entry| entry["key"] == key).collect()
}

/// The ledger of each v1 instance. The gateway draws who answers, so it is asked until all have.
async fn ledgers(target: &impl Target) -> Result<BTreeMap<String, Value>> {
    let pods = target.pods().await?;
    let instances = pods
        .iter()
        .filter(|pod| pod.app == "payment-service" && pod.version == "v1")
        .count();
    let mut ledgers = BTreeMap::new();
    let mut connection = Connection::new(target.gateway());
    until("every instance shows its ledger", BOTH, async || {
        let answer = connection.send(&Call::get("/ledger")).await?;
        ledgers.insert(answer.hops()[0].instance.clone(), answer.json()?);
        Ok((ledgers.len() == instances).then_some(()))
    })
    .await?;
    Ok(ledgers)
}
