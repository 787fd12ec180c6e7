//! What people and programs get to see.

use std::collections::BTreeMap;

use load_client::expect::Path;
use load_client::judge::{Conclusion, Judge};
use load_client::report::{Outcome, Report, RolloutReport, StageReport};

use crate::lab::{Hat, STAGES, answered, declared, feed, hop, lenient, spread, stage, stated, terms};

/// A stage of a mesh that does what is declared.
pub(crate) fn walked(name: &str) -> StageReport {
    let claims = declared(&stage(name));
    let mut judge = Judge::new(claims.clone(), &terms()).unwrap();
    let mut hat = Hat::new(&claims, 7);
    let decision = feed(&mut judge, |variant| hat.draw(variant));
    let gateway = Report::new(Path::Gateway, &judge, &decision);
    let inside = Report::new(Path::InMesh, &judge, &decision);
    StageReport {
        stage: name.to_owned(),
        rollback: false,
        verdict: decision.conclusion,
        reason: None,
        in_force_after_seconds: Some(0.212),
        seconds: 2.5,
        change_requests: 1_234,
        change_errors: 0,
        change_errors_with: BTreeMap::new(),
        later_requests: 0,
        later_errors: 0,
        paths: vec![gateway, inside],
        gates: Vec::new(),
        held: None,
    }
}

/// 90/10 declared, 80/20 done.
pub(crate) fn violated() -> Report {
    let mut judge = stated("v1=90,v2=10");
    let mut draws = crate::kit::Draws::new(0.2, 1);
    let decision = feed(&mut judge, |_| {
        answered(0, 200, &[hop("shop", ["v1", "v2"][draws.draw()])])
    });
    Report::new(Path::Gateway, &judge, &decision)
}

pub(crate) fn leaked() -> Report {
    let mut judge = stated("v1=1,v2=0");
    let mut n = 0;
    let decision = feed(&mut judge, |_| {
        n += 1;
        answered(0, 200, &[hop("shop", if n < 50 { "v1" } else { "v3" })])
    });
    Report::new(Path::Gateway, &judge, &decision)
}

/// Half of what a verdict takes.
pub(crate) fn undecided() -> Report {
    let mut judge = stated("v1=90,v2=10");
    let mut next = spread(100);
    for _ in 0..200 {
        judge.take(&next(0));
    }
    let decision = judge.stop().clone();
    Report::new(Path::Gateway, &judge, &decision)
}

fn table(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_table_of_a_rollout_fits_in_80_columns_and_shows_every_edge() {
    let report = RolloutReport::new(STAGES.map(walked).into(), Outcome::Promoted, None);
    let text = table(|out| report.write_table(out));
    println!("{text}");
    let lines = text.lines().take_while(|line| !line.starts_with("CONFIRMED"));
    let widest = lines.map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 80, "{widest} columns:\n{text}");
    for wanted in STAGES.into_iter().chain([
        "-> payment-service",
        "payment-service v2",
        "-> auth-service",
        "[x-canary: true]",
        "not used",
        "── 30-canary-10, in force after 212 ms ──",
        "gateway ",
        "in mesh ",
        "CONFIRMED: 5 of 5 stages confirmed, 0 errors in",
    ]) {
        assert!(text.contains(wanted), "{wanted} in:\n{text}");
    }
}

#[test]
fn the_table_of_a_verdict_says_what_is_wrong() {
    let text = table(|out| violated().write_table(out));
    println!("{text}");
    for wanted in [
        "VIOLATION after",
        "client",
        "-> shop",
        "v2  10 %",
        "v2 gets 21.6 % (10.1–37.2 %) where 10 % is declared",
        "declared by --expect",
        "200: ",
    ] {
        assert!(text.contains(wanted), "{wanted} in:\n{text}");
    }
    let text = table(|out| leaked().write_table(out));
    println!("{text}");
    for wanted in [
        "LEAK after 50 requests",
        "v3 answered 1 of 50, and is declared to get nothing",
    ] {
        assert!(text.contains(wanted), "{wanted} in:\n{text}");
    }
    let text = table(|out| walked("30-canary-10").paths[0].write_table(out));
    println!("{text}");
    for wanted in [
        "as declared within 2 points (second hop 5 points)",
        "wrong at most 1 in 1,000 times (alpha 0.001, shared by 3 edges)",
    ] {
        assert!(text.contains(wanted), "{wanted} in:\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
}

#[test]
fn the_json_of_a_verdict_has_it_at_the_top_and_below_it_what_the_table_shows() {
    let report = violated();
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["verdict"], "VIOLATION");
    assert_eq!(json["requests"], report.requests);
    let edge = &json["edges"][0];
    assert_eq!(
        (&edge["from"], &edge["to"], &edge["verdict"]),
        (&"client".into(), &"shop".into(), &"VIOLATION".into())
    );
    assert_eq!(
        (&edge["n"], &edge["alpha"], &edge["tolerance"]),
        (&report.requests.into(), &0.001.into(), &0.02.into())
    );
    assert!(edge["log_e"].as_f64().unwrap() >= f64::ln(1000.0));
    assert!(edge["p"].as_f64().unwrap() <= 0.001);
    let v2 = &edge["versions"][1];
    assert_eq!((&v2["version"], &v2["declared"]), (&"v2".into(), &0.1.into()));
    let (low, observed, high) = (&v2["interval"]["low"], &v2["observed"], &v2["interval"]["high"]);
    assert!(
        0.1 < low.as_f64().unwrap() && low.as_f64() < observed.as_f64() && observed.as_f64() < high.as_f64()
    );
    assert_eq!(json["statuses"]["200"], report.requests);
    for number in ["errors", "unattributed", "retried"] {
        assert_eq!(json[number], 0, "{number}");
    }
    for of in [&json, v2] {
        for clock in ["latency_ms", "latency_from_intended_ms"] {
            assert_eq!(of[clock]["p50"], 2.0, "{of:#}");
        }
    }
}

#[test]
fn after_a_leak_there_is_no_interval_and_the_evidence_is_infinite() {
    let json = serde_json::to_value(leaked()).unwrap();
    assert_eq!(json["verdict"], "LEAK");
    let edge = &json["edges"][0];
    assert!(edge["log_e"].is_null());
    assert_eq!(edge["p"], 0.0);
    assert!(
        edge["versions"]
            .as_array()
            .unwrap()
            .iter()
            .all(|version| version["interval"].is_null())
    );
}

#[test]
fn an_offset_within_the_tolerance_is_a_note() {
    let mut judge = lenient();
    let decision = feed(&mut judge, spread(115));
    let report = Report::new(Path::Gateway, &judge, &decision);
    assert_eq!(report.verdict.exit_code(), 0);
    let note = report.edges[0].note.as_deref().unwrap();
    assert!(
        note.starts_with("within 2 points as asked, but not exactly as declared: v2 gets 11.5 %"),
        "{note}"
    );
    assert!(note.ends_with("where 10 % is declared"), "{note}");
}

#[test]
fn an_edge_without_traffic_is_not_used() {
    let json = serde_json::to_value(walked("10-stable")).unwrap();
    assert_eq!(json["stage"], "10-stable");
    assert_eq!(json["verdict"], "CONFIRMED");
    let path = &json["paths"][1];
    assert_eq!(
        (&path["path"], &path["verdict"]),
        (&"in mesh".into(), &"CONFIRMED".into())
    );
    let edge = &path["edges"][2];
    assert_eq!(
        (&edge["from"], &edge["verdict"]),
        (&"payment-service v2".into(), &"NOT_USED".into())
    );
}

#[test]
fn the_worst_stage_decides_a_rollout_and_failures_during_a_change_are_named() {
    let mut failing = walked("10-stable");
    failing.change_errors = 3;
    failing.change_errors_with = [("503".to_owned(), 2), ("timeout".to_owned(), 1)].into();
    failing.verdict = Conclusion::Violation;
    failing.paths[0] = violated();
    failing.rollback = true;
    let stages = vec![walked("10-stable"), failing];
    let reason = Some("rolled back to 10-stable".to_owned());
    let report = RolloutReport::new(stages, Outcome::RolledBack, reason);
    let text = table(|out| report.write_table(out));
    println!("{text}");
    for wanted in [
        "3 of 1,234 requests failed while the stage was put into force (503: 2, timeout: 1)",
        "(rollback)",
        "VIOLATION: 1 of 2 stages confirmed, 3 errors in",
        "rolled back to 10-stable",
    ] {
        assert!(text.contains(wanted), "{wanted} in:\n{text}");
    }
    assert_eq!(report.verdict.exit_code(), 1);
    assert_eq!(
        RolloutReport::new(Vec::new(), Outcome::Promoted, None)
            .verdict
            .exit_code(),
        2
    );
}
