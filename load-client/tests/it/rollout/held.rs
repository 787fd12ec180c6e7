//! `load-client rollout --mesh-state`: what recorded proxies hold, beside each stage's verdict.

use std::process::Output;

use serde_json::Value;

use super::{Faults, Lab};
use crate::command::{code, command, json, stdout};
use crate::mesh_state::data;

/// One stage, with the proxies as they were recorded in 30-canary-10 (`lab`), or with none to ask.
fn walk(stage: &str, recorded: &str, words: &[&str]) -> Output {
    let lab = Lab::new(Faults::default());
    let read = [
        "--mesh-state",
        "--context",
        "recorded",
        "--settle-within",
        "2s",
        "--only",
        stage,
    ];
    let arguments = lab.arguments(&lab.apply(), &[&read[..], words].concat());
    let path = std::env::var("PATH").unwrap();
    command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
        .env("PATH", format!("{}:{path}", data("bin").display()))
        .env("RECORDED", data(recorded))
        .output()
        .unwrap()
}

fn held(output: &Output) -> Value {
    json(output)["stages"][0]["held"].clone()
}

#[test]
fn proxies_that_hold_what_is_declared_are_counted() {
    let output = walk("30-canary-10", "lab", &["-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let held = held(&output);
    assert_eq!(
        (&held["agrees"], held["edges"].as_array().unwrap().len()),
        (&true.into(), 3),
        "{held:#}"
    );
    let text = stdout(&walk("30-canary-10", "lab", &[]));
    assert!(text.contains("held by 5 proxies"), "{text}");
}

/// The answers are as declared all the same, so the verdict stands.
#[test]
fn proxies_that_hold_something_else_are_named_beside_the_verdict() {
    let output = walk("40-canary-50", "lab", &["-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let held = held(&output);
    assert_eq!(held["agrees"], false);
    let finding = &held["findings"][0];
    assert_eq!(finding["trouble"], "differs");
    let expected = "holds v1 90 %, v2 10 % for payment-service, not v1 50 %, v2 50 % \
                    (the client saw the declared split all the same)";
    assert_eq!(finding["text"], expected);
}

#[test]
fn proxies_that_cannot_be_read_do_not_change_the_verdict() {
    let output = walk("30-canary-10", "none", &[]);
    assert_eq!(code(&output), 0, "{output:?}");
    let text = stdout(&output);
    assert!(
        text.contains("30-canary-10: the proxies were not read: `"),
        "{text}"
    );
}
