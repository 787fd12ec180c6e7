//! Payments held against ledgers, in real runs against a service with two instances.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::command::{code, json as parsed, load_client, stderr, stdout};
use crate::upstream::{Reply, Seen, Upstream};

/// Two instances with a ledger each: key -> attempts after the first.
type Ledgers = [BTreeMap<String, u64>; 2];

/// Charges a payment on an instance, unless it did before.
fn charge(ledgers: &mut Ledgers, instance: usize, key: &str) {
    let entry = ledgers[instance].entry(key.to_owned());
    entry.and_modify(|duplicates| *duplicates += 1).or_insert(0);
}

fn answered(instance: usize, status: u16, attempts: u32, body: String) -> Reply {
    let headers = vec![
        ("x-served-by", format!("payment/v1/pod-{instance}")),
        ("x-envoy-attempt-count", attempts.to_string()),
    ];
    Reply::Answer(status, headers, body)
}

/// A service that does to its ledgers what `pay` says; `GET /ledger` is answered by either instance in turn.
fn service(pay: impl Fn(&mut Ledgers, &str, usize) -> Reply + Send + Sync + 'static) -> Upstream {
    let ledgers: Mutex<Ledgers> = Mutex::default();
    Upstream::start(move |seen: &Seen| {
        let mut ledgers = ledgers.lock().unwrap();
        let instance = seen.number % 2;
        if seen.uri.path() != "/ledger" {
            return pay(&mut ledgers, seen.header("idempotency-key"), instance);
        }
        assert_eq!(
            seen.header("x-user"),
            "alice",
            "headers of the load are sent along"
        );
        let entry =
            |(key, duplicates): (&String, &u64)| json!({"key": key, "duplicates": duplicates, "id": "1"});
        let entries: Vec<Value> = ledgers[instance].iter().map(entry).collect();
        let body =
            json!({"instance": format!("pod-{instance}"), "dropped": 0, "charges": 1, "entries": entries});
        answered(instance, 200, 1, body.to_string())
    })
}

/// 40 payments with the keys `pay-0` to `pay-39`, one after the other.
fn run(upstream: &Upstream, words: &[&str]) -> std::process::Output {
    let url = upstream.url("/payments");
    let fixed = [
        "run",
        "--url",
        &url,
        "--requests",
        "40",
        "--connections",
        "1",
        "-X",
        "POST",
    ];
    let headers = [
        "-H",
        "x-user: alice",
        "-H",
        "idempotency-key: pay-{n}",
        "--ledger",
    ];
    load_client(&[&fixed[..], &headers, words].concat())
}

fn reconciled(upstream: &Upstream, exit: i32) -> Value {
    let output = run(upstream, &["-o", "json", "--timeout", "300ms"]);
    assert_eq!(code(&output), exit, "{output:?}");
    parsed(&output)["reconciliation"].clone()
}

fn named(found: &Value, kind: &str) -> Vec<String> {
    let first = found[kind]["first"].as_array().unwrap();
    first
        .iter()
        .map(|key| key["key"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_payment_that_was_retried_on_the_same_instance_is_charged_once() {
    let upstream = service(|ledgers, key, instance| {
        charge(ledgers, instance, key);
        let again = key == "pay-7";
        if again {
            charge(ledgers, instance, key);
        }
        answered(instance, 201, 1 + u32::from(again), String::new())
    });
    let found = reconciled(&upstream, 0);
    for (what, wanted) in [
        ("sent", 40),
        ("paid", 40),
        ("charges", 40),
        ("replayed", 1),
        ("retried", 1),
        ("attempts", 41),
    ] {
        assert_eq!(found[what], wanted, "{what}: {found:#}");
    }
    assert_eq!(found["read"], json!(["pod-0", "pod-1"]));
    for kind in ["charged_twice", "charged_unknown", "lost"] {
        assert_eq!(found[kind]["count"], 0, "{found:#}");
    }
}

#[test]
fn a_payment_that_two_instances_charged_is_named_by_its_key() {
    let upstream = service(|ledgers, key, instance| {
        charge(ledgers, instance, key);
        if key == "pay-12" {
            charge(ledgers, 1 - instance, key);
        }
        answered(instance, 201, 2, String::new())
    });
    let found = reconciled(&upstream, 1);
    assert_eq!(
        (&found["charges"], named(&found, "charged_twice")),
        (&41.into(), vec!["pay-12".to_owned()])
    );
    assert_eq!(
        found["charged_twice"]["first"][0]["charged_by"],
        json!(["pod-0", "pod-1"])
    );

    let table = stdout(&run(&upstream, &[]));
    assert!(table.contains("pay-12 by pod-0 and pod-1"), "{table}");
    assert!(table.contains("repeated and not charged again: "), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn a_payment_that_was_charged_and_not_answered_is_named() {
    let upstream = service(|ledgers, key, instance| {
        charge(ledgers, instance, key);
        if key == "pay-3" {
            Reply::Never
        } else {
            answered(instance, 201, 1, String::new())
        }
    });
    let found = reconciled(&upstream, 0);
    assert_eq!(
        (&found["sent"], &found["paid"], &found["charges"]),
        (&40.into(), &39.into(), &40.into())
    );
    assert_eq!(named(&found, "charged_unknown"), ["pay-3"]);
}

#[test]
fn a_payment_that_is_in_no_ledger_is_lost() {
    let upstream = service(|ledgers, key, instance| {
        if key != "pay-20" {
            charge(ledgers, instance, key);
        }
        answered(instance, 201, 1, String::new())
    });
    let found = reconciled(&upstream, 1);
    assert_eq!(named(&found, "lost"), ["pay-20"]);
}

#[test]
fn payments_without_a_key_and_ledgers_that_are_none_are_told() {
    let upstream = service(|_, _, instance| answered(instance, 201, 1, String::new()));
    let url = upstream.url("/payments");
    let output = load_client(&["run", "--url", &url, "--ledger", "--requests", "1"]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("add -H 'idempotency-key: {uuid}'"),
        "{output:?}"
    );

    let elsewhere = format!("--ledger={}", upstream.url("/payments"));
    let output = load_client(&[
        "run",
        "--url",
        &url,
        "-H",
        "idempotency-key: {uuid}",
        "--requests",
        "1",
        &elsewhere,
    ]);
    assert_eq!(code(&output), 2, "{output:?}");
    let said = stdout(&output);
    assert!(
        said.contains("not reconciled: ") && said.contains("is no ledger (status 201)"),
        "{said}"
    );
}
