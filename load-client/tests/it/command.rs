//! The command line: what it sends, what it prints, how it exits.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::upstream::{Reply, Upstream, served_by};

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load-client"));
    // A proxy of the environment must not be used: nobody listens on port 1.
    command
        .env("http_proxy", "http://127.0.0.1:1")
        .env("HTTP_PROXY", "http://127.0.0.1:1");
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn load_client(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// 3 of 4 requests from v1, the fourth from v2.
fn three_to_one() -> Upstream {
    Upstream::start(|seen| {
        served_by(if seen.number % 4 == 3 {
            "shop/v2/b"
        } else {
            "shop/v1/a"
        })
    })
}

#[test]
fn a_run_counts_answers_versions_and_statuses() {
    let upstream = three_to_one();
    let output = load_client(&[
        "run",
        "--url",
        &upstream.url("/"),
        "--requests",
        "400",
        "-o",
        "json",
    ]);
    assert_eq!(code(&output), 0, "{output:?}");
    let report = json(&output);
    assert_eq!(report["requests"], 400);
    assert_eq!(report["errors"], 0);
    assert_eq!(report["statuses"]["200"], 400);
    assert_eq!(report["versions"]["v1"]["requests"], 300);
    assert_eq!(report["versions"]["v2"]["share"], 0.25);
    assert_eq!(report["unattributed"]["requests"], 0);
    assert!(report["duration_seconds"].as_f64().unwrap() > 0.0);
    let latency = &report["latency_ms"];
    assert!(latency["p50"].as_f64() <= latency["max"].as_f64());
    assert_eq!(upstream.seen().len(), 400);
}

#[test]
fn a_run_prints_a_table_that_fits_100_columns() {
    let upstream = three_to_one();
    let output = load_client(&[
        "run",
        "--url",
        &upstream.url("/"),
        "--requests",
        "100",
        "--rate",
        "5000",
    ]);
    let table = stdout(&output);
    assert_eq!(code(&output), 0, "{table}");
    assert!(table.contains("statuses: 200 (100)"), "{table}");
    assert!(table.contains("75.00 %"), "{table}");
    assert!(table.contains("from the start that the rate intended"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
}

/// One stall of 300 ms, 200 requests a second over one connection: request 20 + j was to start 5j ms into the stall, and so
/// ends 300 - 5j ms late at least. From the send only one request of 100 shows it.
#[test]
fn a_server_that_stalls_once_shows_from_the_intended_start_and_hardly_from_the_send() {
    let upstream = Upstream::start(|seen| match seen.number {
        20 => Reply::After(Duration::from_millis(300), Box::new(served_by("shop/v1/a"))),
        _ => served_by("shop/v1/a"),
    });
    let url = upstream.url("/");
    let words = ["run", "--url", &url, "--requests", "100", "--rate", "200"];
    let output = load_client(&[&words[..], &["--connections", "1", "-o", "json"]].concat());
    let report = json(&output);
    let ms = |of: &Value, clock: &str, part: &str| of[clock][part].as_f64().unwrap();
    for of in [&report, &report["versions"]["v1"]] {
        assert!(ms(of, "latency_from_intended_ms", "p90") >= 190.0, "{of:#}");
        assert!(ms(of, "latency_ms", "max") >= 300.0, "{of:#}");
        assert!(
            ms(of, "latency_ms", "p90") < ms(of, "latency_from_intended_ms", "p90"),
            "{of:#}"
        );
    }
}

#[test]
fn errors_are_failures_and_answers_of_500_and_above() {
    let upstream = Upstream::start(|seen| match seen.number % 5 {
        0 => Reply::Close,
        1 => Reply::Answer(503, Vec::new(), String::new()),
        2 => Reply::Answer(404, Vec::new(), String::new()),
        _ => served_by("shop/v1/a"),
    });
    let output = load_client(&[
        "run",
        "--url",
        &upstream.url("/"),
        "--requests",
        "50",
        "-o",
        "json",
    ]);
    let report = json(&output);
    assert_eq!(report["requests"], 40, "answers that arrived whole");
    assert_eq!(report["errors"], 20);
    assert_eq!(report["failures"]["closed"], 10);
    assert_eq!(report["unattributed"]["requests"], 20);
    assert_eq!(report["versions"]["v1"]["share"], 1.0);
}

#[test]
fn a_token_is_fetched_once_and_sent_with_every_request() {
    let upstream = Upstream::start(|seen| match seen.uri.path() {
        "/tokens" => {
            assert_eq!(seen.body, r#"{"user":"demo"}"#);
            assert_eq!(seen.header("content-type"), "application/json");
            Reply::Answer(
                201,
                Vec::new(),
                r#"{"token":"abc","deep":{"er":"xyz"}}"#.to_owned(),
            )
        }
        _ => served_by("shop/v1/a"),
    });
    let (url, tokens) = (upstream.url("/pay"), upstream.url("/tokens"));
    let mut arguments = vec!["run", "--url", &url, "--requests", "20", "--token-url", &tokens];
    arguments.extend(["--token-body", r#"{"user":"demo"}"#]);
    assert_eq!(code(&load_client(&arguments)), 0);
    let seen = upstream.seen();
    assert_eq!(seen.iter().filter(|seen| seen.uri == "/tokens").count(), 1);
    let paid: Vec<_> = seen.iter().filter(|seen| seen.uri == "/pay").collect();
    assert_eq!(paid.len(), 20);
    assert!(
        paid.iter()
            .all(|seen| seen.header("authorization") == "Bearer abc")
    );

    arguments.extend(["--token-pointer", "/deep/er"]);
    load_client(&arguments);
    assert_eq!(
        upstream.seen().last().unwrap().header("authorization"),
        "Bearer xyz"
    );
}

#[test]
fn without_a_token_nothing_is_sent() {
    let upstream = Upstream::start(|seen| match seen.uri.path() {
        "/tokens" => Reply::Answer(401, Vec::new(), "who are you?".to_owned()),
        _ => served_by("shop/v1/a"),
    });
    let (url, tokens) = (upstream.url("/pay"), upstream.url("/tokens"));
    let refused = load_client(&["run", "--url", &url, "--requests", "1", "--token-url", &tokens]);
    assert_eq!(code(&refused), 2);
    assert!(
        stderr(&refused).contains("was answered 401: who are you?"),
        "{refused:?}"
    );
    let elsewhere = load_client(&["run", "--url", &url, "--requests", "1", "--token-url", &url]);
    assert_eq!(code(&elsewhere), 2);
    assert!(
        stderr(&elsewhere).contains("no text at `/token`"),
        "{elsewhere:?}"
    );
    let nobody = load_client(&[
        "run",
        "--url",
        &url,
        "--requests",
        "1",
        "--token-url",
        "http://127.0.0.1:1/",
    ]);
    assert_eq!(code(&nobody), 2);
    assert!(
        stderr(&nobody).to_lowercase().contains("connection refused"),
        "{nobody:?}"
    );
    assert!(
        upstream
            .seen()
            .iter()
            .all(|seen| seen.method == "GET" && seen.header("authorization").is_empty())
    );
}

#[test]
fn a_proxy_is_used_only_when_given_and_sees_the_whole_url() {
    let proxy = Upstream::start(|_| served_by("shop/v1/a"));
    let through = proxy.url("");
    let url = "http://shop.example:8080/cart";
    let output = load_client(&["run", "--url", url, "--proxy", &through, "--requests", "5"]);
    assert_eq!(code(&output), 0, "{output:?}");
    for seen in proxy.seen() {
        assert_eq!(seen.uri, url);
        assert_eq!(seen.header("host"), "shop.example:8080");
    }
    assert_eq!(proxy.seen().len(), 5);
}

#[test]
fn what_cannot_be_measured_exits_2_and_says_why() {
    let message = |arguments: &[&str]| {
        let output = load_client(arguments);
        assert_eq!(code(&output), 2, "{output:?}");
        stderr(&output)
    };
    assert!(message(&["run", "--url", "http://127.0.0.1:1/"]).contains("nobody listens at 127.0.0.1:1"));
    assert!(message(&["run", "--url", "https://127.0.0.1/"]).contains("only http:// is supported"));
    assert!(message(&["run", "--url", "http://127.0.0.1:1/", "--duration", "10"]).contains("such as 10s"));
    assert!(message(&["run", "--url", "http://127.0.0.1:1/", "-H", "no colon"]).contains("name: value"));
    assert!(message(&["run", "--url", "http://127.0.0.1:1/", "--body", "@/no/such"]).contains("/no/such"));
    assert!(message(&["run"]).contains("--url"));
    assert!(message(&["walk"]).contains("unrecognized subcommand"));
}

#[test]
fn a_run_without_any_answer_could_not_measure() {
    let upstream = Upstream::start(|_| Reply::Close);
    let output = load_client(&[
        "run",
        "--url",
        &upstream.url("/"),
        "--requests",
        "10",
        "-o",
        "json",
    ]);
    assert_eq!(code(&output), 2);
    assert_eq!(json(&output)["failures"]["closed"], 10);
}
