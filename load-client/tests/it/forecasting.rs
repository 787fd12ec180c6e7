//! `load-client plan`: what a verdict will take, before anything is sent.

use crate::command::{code, json, load_client, stderr, stdout};
use crate::lab::manifests;

fn plan(words: &[&str]) -> std::process::Output {
    load_client(&[&["plan"], words].concat())
}

fn near(got: &serde_json::Value, expected: f64) {
    let got = got.as_f64().unwrap();
    assert!(
        (got - expected).abs() < 0.08 * expected + 3.0,
        "{got}, expected about {expected}"
    );
}

/// The references are exact, see `planning`.
#[test]
fn a_stated_split_takes_the_exact_number_of_requests_within_a_twelfth() {
    let output = plan(&[
        "--expect",
        "v1=90,v2=10",
        "--tolerance",
        "2pp",
        "--rate",
        "200",
        "-o",
        "json",
    ]);
    assert_eq!(code(&output), 0, "{output:?}");
    let forecast = json(&output);
    near(&forecast["confirm"]["median"], 4_161.0);
    near(&forecast["confirm"]["p99"], 10_005.0);
    near(&forecast["seconds"]["median"], 4_161.0 / 200.0);
    near(&forecast["seconds"]["p99"], 10_005.0 / 200.0);
    let find = forecast["edges"][0]["find"].as_array().unwrap();
    let wanted = [(0.0, 110.0, 110.0), (0.15, 800.0, 1_943.0), (0.2, 232.0, 558.0)];
    assert_eq!(find.len(), wanted.len(), "{forecast:#}");
    for (found, (share, median, most)) in find.iter().zip(wanted) {
        assert_eq!(found["version"], "v2");
        assert!((found["share"].as_f64().unwrap() - share).abs() < 1e-9);
        near(&found["needed"]["median"], median);
        near(&found["needed"]["p99"], most);
    }
}

/// The exact median of two points is 4,161 requests, the exact 99 % point 10,005: the way back has to give two points.
#[test]
fn a_budget_is_told_as_the_tolerance_that_it_can_show() {
    for (budget, chance) in [("4161", "median"), ("10005", "p99")] {
        let output = plan(&["--expect", "v1=90,v2=10", "--budget", budget, "-o", "json"]);
        let within = &json(&output)["within"];
        let first = within[chance]["first"].as_f64().unwrap();
        assert!((first - 0.02).abs() < 0.0012, "{within:#}");
    }
    let text = stdout(&plan(&["--expect", "v1=90,v2=10", "--budget", "5000"]));
    assert!(text.contains("5,000 requests confirm within 1."), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let nothing = stdout(&plan(&["--expect", "v1=90,v2=10", "--budget", "2"]));
    assert!(nothing.contains("2 requests are too few"), "{nothing}");
}

#[test]
fn the_edges_of_a_stage_are_planned_with_the_traffic_that_reaches_them() {
    let (base, canary) = (manifests("base"), manifests("stages/30-canary-10"));
    let words = [
        "--manifests",
        &base,
        &canary,
        "--url",
        "http://127.0.0.1:8080/payments",
        "-X",
        "POST",
    ];
    let then = ["--then", "POST http://auth-service:8080/verify", "-o", "json"];
    let output = plan(&[&words[..], &then].concat());
    assert_eq!(code(&output), 0, "{output:?}");
    let forecast = json(&output);
    let edges = forecast["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 3, "{forecast:#}");
    near(&edges[2]["traffic"], 0.1);
    let median = |edge: &serde_json::Value| edge["confirm"]["median"].as_u64().unwrap();
    assert!(
        median(&edges[2]) > 8 * median(&edges[1]),
        "a tenth of the requests reaches it: {forecast:#}"
    );
    assert_eq!(
        forecast["confirm"]["median"].as_u64(),
        edges.iter().map(median).max()
    );
}

#[test]
fn the_table_fits_80_columns_and_says_how_long_it_takes() {
    let text = stdout(&plan(&["--expect", "v1=90,v2=10", "--rate", "200"]));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(
        text.contains("at 200 a second") && text.contains("v2 gets 0 %"),
        "{text}"
    );
    let all = stdout(&plan(&["--expect", "v1=1,v2=0"]));
    assert!(all.contains("another answers"), "{all}");
}

#[test]
fn what_cannot_be_planned_exits_2_with_what_to_do() {
    for (words, wanted) in [
        (&[][..], "--manifests"),
        (&["--manifests", "x"][..], "--url"),
        (&["--expect", "v1=1", "--rate", "0"][..], "requests per second"),
    ] {
        let output = plan(words);
        assert_eq!(code(&output), 2, "{output:?}");
        assert!(stderr(&output).contains(wanted), "{}", stderr(&output));
    }
}
