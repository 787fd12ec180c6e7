//! `load-client verify` against servers with a known split.
//!
//! Splits are drawn with a seed by the server, in the order in which requests arrive. Verdicts are reached at alpha
//! 10^-6 with a budget far above what they take, so that a test fails by chance about once in a million runs.

use std::sync::Mutex;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::command::{code, json, load_client, stderr, stdout};
use crate::lab::{Hat, declared, manifests, stage};
use crate::upstream::{Reply, Upstream, reply_of, served_by};

/// v2 with this probability, else v1.
fn two_versions(v2: f64) -> impl Fn() -> &'static str + Send + Sync {
    let rng = Mutex::new(SmallRng::seed_from_u64(7));
    move || {
        if rng.lock().unwrap().random_bool(v2) {
            "shop/v2/b"
        } else {
            "shop/v1/a"
        }
    }
}

fn splitting(v2: f64) -> Upstream {
    let version = two_versions(v2);
    Upstream::start(move |_| served_by(version()))
}

const SURE: [&str; 6] = ["--alpha", "0.000001", "--budget", "200000", "-o", "json"];

fn verify(url: &str, words: &[&str]) -> std::process::Output {
    load_client(&[&["verify", "--url", url], words].concat())
}

#[test]
fn a_split_as_stated_is_confirmed() {
    let upstream = splitting(0.1);
    let words = [&["--expect", "v1=90,v2=10", "--tolerance", "3pp"], &SURE[..]].concat();
    let output = verify(&upstream.url("/"), &words);
    assert_eq!(code(&output), 0, "{output:?}");
    let report = json(&output);
    assert_eq!(report["verdict"], "CONFIRMED");
    assert_eq!(report["errors"], 0);
    let requests = report["requests"].as_u64().unwrap();
    let sent = upstream.seen().len() as u64;
    assert!(
        (requests..requests + 200).contains(&sent),
        "it stops at the decision: {requests} of {sent}"
    );
}

#[test]
fn another_split_is_a_violation_and_found_early() {
    let upstream = splitting(0.5);
    let output = verify(
        &upstream.url("/"),
        &[&["--expect", "v1=90,v2=10"], &SURE[..]].concat(),
    );
    assert_eq!(code(&output), 1, "{output:?}");
    let report = json(&output);
    assert_eq!(report["verdict"], "VIOLATION");
    // 50 % for 10 %: 14 nats of evidence at 0.51 a request.
    assert!(report["requests"].as_u64().unwrap() < 200, "{report:#}");
}

#[test]
fn a_version_that_is_to_get_nothing_is_a_leak() {
    let upstream = Upstream::start(|seen| {
        served_by(if seen.number == 40 {
            "shop/v3/c"
        } else {
            "shop/v1/a"
        })
    });
    let output = verify(&upstream.url("/"), &["--expect", "v1=1,v3=0"]);
    assert_eq!(code(&output), 1);
    assert!(
        stdout(&output).starts_with("LEAK after 41 requests"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn at_the_budget_it_is_undecided_and_nothing_more_was_sent() {
    let upstream = splitting(0.1);
    let output = verify(&upstream.url("/"), &["--expect", "v1=90,v2=10", "--budget", "50"]);
    assert_eq!(code(&output), 2);
    assert!(
        stdout(&output).starts_with("UNDECIDED after 50 requests"),
        "{}",
        stdout(&output)
    );
    assert_eq!(upstream.seen().len(), 50);
}

/// In the order of completion the slow version is missing among the answers so far: 16 connections that wait for v2
/// would count 1 % of it at first.
#[test]
fn a_slow_canary_is_not_taken_for_a_missing_one() {
    let version = two_versions(0.5);
    let upstream = Upstream::start(move |_| match version() {
        "shop/v2/b" => Reply::After(Duration::from_millis(20), Box::new(served_by("shop/v2/b"))),
        fast => served_by(fast),
    });
    let words = [&["--expect", "v1=1,v2=1", "--tolerance", "10pp"], &SURE[..]].concat();
    let output = verify(&upstream.url("/"), &words);
    assert_eq!(code(&output), 0, "{output:?}");
    assert_eq!(json(&output)["verdict"], "CONFIRMED");
}

#[test]
fn a_version_that_fails_without_a_name_cannot_be_confirmed() {
    let version = two_versions(0.5);
    let upstream = Upstream::start(move |_| match version() {
        "shop/v2/b" => Reply::Close,
        fine => served_by(fine),
    });
    let words = [&["--expect", "v1=1,v2=1"], &SURE[..]].concat();
    let output = verify(&upstream.url("/"), &words);
    assert_eq!(code(&output), 2, "{output:?}");
    let report = json(&output);
    assert_eq!(report["verdict"], "COULD_NOT_MEASURE");
    assert_eq!(report["errors"], report["unattributed"]);
}

#[test]
fn answers_without_a_version_are_told_with_the_flag_that_helps() {
    let upstream = Upstream::start(|_| Reply::Answer(200, Vec::new(), r#"{"version":"v1"}"#.to_owned()));
    let output = verify(&upstream.url("/"), &["--expect", "v1=1"]);
    assert_eq!(code(&output), 2);
    let text = stdout(&output);
    assert!(
        text.contains("header:x-served-by") && text.contains("--version-from"),
        "{text}"
    );
    let output = verify(
        &upstream.url("/"),
        &["--expect", "v1=1", "--version-from", "json:/version"],
    );
    assert_eq!(code(&output), 0, "{output:?}");
}

#[test]
fn the_expectation_and_its_variants_come_from_the_manifests() {
    let claims = declared(&stage("20-header-canary"));
    let hat = Mutex::new(Hat::new(&claims, 1));
    let upstream = Upstream::start(move |seen| {
        let canary = usize::from(seen.header("x-canary") == "true");
        reply_of(&hat.lock().unwrap().draw(canary))
    });
    let (base, canary) = (manifests("base"), manifests("stages/20-header-canary"));
    let words = [
        "-X",
        "POST",
        "--then",
        "POST http://auth-service:8080/verify",
        "--manifests",
        &base,
        &canary,
    ];
    let output = verify(&upstream.url("/payments"), &[&words, &SURE[..]].concat());
    assert_eq!(code(&output), 0, "{output:?}");
    let report = json(&output);
    let edges = report["edges"].as_array().unwrap();
    let confirmed = edges.iter().filter(|edge| edge["verdict"] == "CONFIRMED");
    assert_eq!(
        confirmed.count(),
        4,
        "plain and canary, two hops each: {report:#}"
    );
    let canaries = upstream
        .seen()
        .iter()
        .filter(|seen| seen.header("x-canary") == "true")
        .count();
    assert!(canaries > 100);
}

#[test]
fn what_cannot_be_judged_exits_2_before_anything_is_sent() {
    let upstream = splitting(0.5);
    let (url, base) = (upstream.url("/"), manifests("base"));
    let message = |words: &[&str]| {
        let output = verify(&url, words);
        assert_eq!(code(&output), 2, "{output:?}");
        stderr(&output)
    };
    assert!(message(&[]).contains("--manifests"));
    assert!(message(&["--expect", "v1=1", "--manifests", &base]).contains("cannot be used with"));
    assert!(message(&["--expect", "v1=-1"]).contains("not a weight"));
    assert!(message(&["--expect", "v1=1", "--tolerance", "2"]).contains("2pp"));
    assert!(message(&["--manifests", "/no/such/folder"]).contains("/no/such/folder"));
    assert!(message(&["--manifests", &base, "--from", "nobody"]).contains("NAMESPACE/NAME"));
    // Without a stage no VirtualService is bound to the gateway.
    assert!(message(&["--manifests", &base]).contains("host"));
    assert!(upstream.seen().is_empty());
    let nobody = load_client(&["verify", "--url", "http://127.0.0.1:1/", "--expect", "v1=1"]);
    assert_eq!(code(&nobody), 2);
    assert!(stderr(&nobody).contains("nobody listens at 127.0.0.1:1"));
}
