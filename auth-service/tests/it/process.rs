//! The binaries: exit codes, messages, signals.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::KEY;

const V1: &str = env!("CARGO_BIN_EXE_auth-service-v1");
const V2: &str = env!("CARGO_BIN_EXE_auth-service-v2");

fn command(binary: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary);
    command
        .env_clear()
        .env("APP_HOST", "127.0.0.1")
        .env("APP_PORT", "0")
        .envs(variables.iter().copied());
    command.stderr(Stdio::piped());
    command
}

fn refused(variables: &[(&str, &str)]) -> String {
    let Output { status, stderr, .. } = command(V1, variables).output().unwrap();
    assert_eq!(status.code(), Some(2));
    let log = String::from_utf8(stderr).unwrap();
    log.lines().last().unwrap().to_owned()
}

/// Killed when the test ends, however it ends.
struct Process {
    child: Child,
    log: BufReader<ChildStderr>,
    addr: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts it and reads its log up to the line that says where it listens.
fn start(binary: &str, variables: &[(&str, &str)]) -> Process {
    let mut child = command(binary, variables).spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    let mut process = Process {
        child,
        log,
        addr: String::new(),
    };
    while process.addr.is_empty() {
        let mut line = String::new();
        assert_ne!(process.log.read_line(&mut line).unwrap(), 0, "it ended");
        assert!(!line.contains(KEY), "the key is in the log: {line}");
        let entry: Value = serde_json::from_str(&line).unwrap();
        process.addr = entry["fields"]["addr"].as_str().unwrap_or_default().to_owned();
    }
    process
}

#[test]
fn a_missing_or_short_key_ends_with_code_2_and_the_variable() {
    assert_eq!(
        refused(&[]),
        "error: APP_TOKEN_KEY is missing and has no default; set it and start again"
    );
    assert_eq!(
        refused(&[("APP_TOKEN_KEY", "secret")]),
        "error: APP_TOKEN_KEY: 6 bytes are too short for a signing key, use at least 16; correct the value and start again"
    );
}

#[test]
fn a_bad_or_unknown_variable_ends_with_code_2_and_the_variable() {
    let key = ("APP_TOKEN_KEY", KEY);
    assert!(refused(&[key, ("APP_PORT", "http")]).starts_with("error: APP_PORT: invalid digit"));
    assert!(refused(&[key, ("APP_DRAIN", "1")]).starts_with("error: APP_DRAIN is not known"));
    assert!(refused(&[key, ("APP_HOST", "192.0.2.1")]).starts_with("error: cannot listen on 192.0.2.1:0"));
}

#[tokio::test]
async fn each_binary_says_which_version_it_is() {
    for (binary, version) in [(V1, "v1"), (V2, "v2")] {
        let process = start(binary, &[("APP_TOKEN_KEY", KEY), ("APP_INSTANCE", "pod-1")]);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = client
            .get(format!("http://{}/version", process.addr))
            .send()
            .await
            .unwrap();
        assert_eq!(
            response.headers()["x-served-by"],
            format!("auth-service/{version}/pod-1")
        );
    }
}

#[test]
fn either_signal_drains_and_ends_with_code_0_within_four_seconds() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut process = start(V1, &[("APP_TOKEN_KEY", KEY)]);
        let told = Instant::now();
        kill(Pid::from_raw(process.child.id().try_into().unwrap()), signal).unwrap();
        assert_eq!(process.child.wait().unwrap().code(), Some(0), "{signal}");
        let took = told.elapsed();
        assert!(
            took >= Duration::from_millis(2500) && took < Duration::from_secs(4),
            "{signal}: {took:?}"
        );
        let log: Vec<_> = (&mut process.log).lines().map(Result::unwrap).collect();
        assert!(log.iter().any(|line| line.contains("draining")), "{log:?}");
    }
}
