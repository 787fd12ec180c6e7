//! Servers that stay with a version: for a connection, or for a key.
//!
//! Verdicts at alpha 10^-6 with a budget far above what they take; draws have a seed.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Mutex;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::command::{code, json, load_client, stderr, stdout};
use crate::upstream::{Reply, Seen, Upstream, served_by};

fn verify(url: &str, words: &[&str]) -> std::process::Output {
    let sure = ["--alpha", "0.000001", "--budget", "200000", "--tolerance", "10pp"];
    load_client(
        &[
            &["verify", "--url", url, "--expect", "v1=1,v2=1"],
            &sure[..],
            words,
        ]
        .concat(),
    )
}

fn of(share: f64) -> Reply {
    served_by(if share < 0.5 { "shop/v2/b" } else { "shop/v1/a" })
}

/// A number between 0 and 1 that depends on nothing else.
fn hash(of: &impl Hash) -> f64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    f64::from(u16::try_from(hasher.finish() >> 48).unwrap()) / 65536.0
}

/// Each connection stays with the version that it met first.
fn sticky_by_connection() -> Upstream {
    Upstream::start(|seen| of(hash(&(seen.connection, "version"))))
}

#[test]
fn connections_that_stay_with_a_version_qualify_the_verdict_and_name_the_flag_that_helps() {
    let upstream = sticky_by_connection();
    // Seven connections cannot be split in halves: the split of requests is wrong, and nobody knows that of the weights.
    let output = verify(&upstream.url("/"), &["--connections", "7"]);
    assert_eq!(code(&output), 1, "{output:?}");
    let text = stdout(&output);
    assert!(
        text.starts_with("VIOLATION") && text.contains("no independent draws"),
        "{text}"
    );
    assert!(
        text.contains("sticky by connection") && text.contains("--connections-per-unit 1"),
        "{text}"
    );
    let report = json(&verify(&upstream.url("/"), &["--connections", "7", "-o", "json"]));
    let found = &report["edges"][0]["independence"];
    assert_eq!(found["dependence"], "sticky-connections", "{report:#}");
    assert_eq!(found["units"], 7);
    assert_eq!(found["units_refute"], false);
    assert_eq!(report["edges"][0]["causes"][0]["kind"], "sticky");
}

#[test]
fn a_connection_for_each_request_makes_a_draw_of_each() {
    let upstream = sticky_by_connection();
    let output = verify(
        &upstream.url("/"),
        &["--connections", "7", "--connections-per-unit", "1", "-o", "json"],
    );
    assert_eq!(code(&output), 0, "{output:?}");
    let report = json(&output);
    assert_eq!(
        report["edges"][0]["independence"]["dependence"], "independent",
        "{report:#}"
    );
    // The last connections may have been opened for requests that were no longer sent.
    let seen = upstream.seen();
    let connections: std::collections::BTreeSet<_> = seen.iter().map(|seen| seen.connection).collect();
    assert_eq!(connections.len(), seen.len(), "a connection for each request");
}

fn by_key(header: &'static str) -> Upstream {
    Upstream::start(move |seen: &Seen| of(hash(&seen.header(header))))
}

#[test]
fn a_version_that_stays_with_a_key_is_confirmed_with_a_bound() {
    for (header, flag) in [("x-session", "header:x-session"), ("cookie", "cookie:session")] {
        let upstream = by_key(header);
        let output = verify(&upstream.url("/"), &["--sticky", flag, "-o", "json"]);
        assert_eq!(code(&output), 0, "{output:?}");
        let report = json(&output);
        let sticky = &report["sticky"];
        assert_eq!(
            (&sticky["key"], &sticky["flips"]),
            (&flag.into(), &0.into()),
            "{report:#}"
        );
        assert!(sticky["below"].as_f64().unwrap() <= 0.1);
        assert!(
            sticky["repeats"].as_u64().unwrap() >= 130,
            "13.8 nats / 0.105: {report:#}"
        );
        // Four requests with each key, each over a connection of its own; only the first is counted for the split.
        let seen = upstream.seen();
        let first = seen[0].header(header).to_owned();
        let same: Vec<_> = seen.iter().filter(|seen| seen.header(header) == first).collect();
        assert_eq!(same.len(), 4);
        let keys = sticky["keys"].as_u64().unwrap();
        assert_eq!(report["edges"][0]["n"].as_u64(), Some(keys));
        let text = stdout(&verify(&upstream.url("/"), &["--sticky", flag]));
        let wanted = format!("sticky by {flag}: 0 version flips in ");
        assert!(text.contains(&wanted) && text.contains("at 99.9999 %"), "{text}");
    }
}

#[test]
fn a_version_that_is_drawn_for_each_request_flips_and_that_is_a_violation() {
    let rng = Mutex::new(SmallRng::seed_from_u64(3));
    let upstream = Upstream::start(move |_| of(rng.lock().unwrap().random()));
    let output = verify(&upstream.url("/"), &["--sticky", "cookie:session", "-o", "json"]);
    assert_eq!(code(&output), 1, "{output:?}");
    let report = json(&output);
    assert_eq!(report["verdict"], "VIOLATION");
    assert!(
        report["reason"]
            .as_str()
            .unwrap()
            .contains("although cookie:session stays the same")
    );
    assert!(
        report["sticky"]["flips"].as_u64().unwrap() > 50,
        "it looks on after the first: {report:#}"
    );
    let text = stdout(&verify(&upstream.url("/"), &["--sticky", "cookie:session"]));
    assert!(text.contains("not sticky by cookie:session"), "{text}");
}

#[test]
fn what_makes_no_sense_is_told_before_anything_is_sent() {
    let upstream = Upstream::start(|_| of(0.0));
    let once = verify(
        &upstream.url("/"),
        &["--sticky", "cookie:a", "--connections-per-unit", "1"],
    );
    assert!(stderr(&once).contains("give 2 or more"), "{once:?}");
    let name = verify(&upstream.url("/"), &["--sticky", "session"]);
    assert!(stderr(&name).contains("cookie:NAME"), "{name:?}");
    assert_eq!((code(&once), code(&name)), (2, 2));
    assert!(upstream.seen().is_empty());
}

/// At alpha 0.001, 688 requests without a leak are below one percent.
#[test]
fn that_nothing_leaks_is_said_with_a_bound() {
    let upstream = Upstream::start(|_| served_by("shop/v1/a"));
    let words = [
        "verify",
        "--url",
        &upstream.url("/"),
        "--expect",
        "v1=1,v2=0",
        "--tolerance",
        "1pp",
    ];
    let output = load_client(&words);
    assert_eq!(code(&output), 0, "{output:?}");
    assert!(
        stdout(&output).contains("0 leaks in 688 requests, < 1 % at 99.9 %"),
        "{}",
        stdout(&output)
    );
    let report = json(&load_client(&[&words[..], &["-o", "json"]].concat()));
    assert_eq!(report["edges"][0]["leaks"]["n"], 688);
}
