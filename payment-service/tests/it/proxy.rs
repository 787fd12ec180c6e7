//! The binary behind `HTTP_PROXY`, as the local mesh starts it, and its configuration.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use reqwest::Client;
use serde_json::Value;

use crate::support::{Payments, mesh, order};

const V2: &str = env!("CARGO_BIN_EXE_payment-service-v2");

/// Killed when the test ends, however it ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(variables: &[(&str, &str)]) -> (Process, BufReader<std::process::ChildStderr>) {
    let mut command = Command::new(V2);
    command
        .env_clear()
        .env("APP_HOST", "127.0.0.1")
        .env("APP_PORT", "0")
        .envs(variables.iter().copied());
    let mut process = Process(command.stderr(Stdio::piped()).spawn().unwrap());
    let log = BufReader::new(process.0.stderr.take().unwrap());
    (process, log)
}

#[tokio::test]
async fn a_service_name_that_does_not_resolve_is_asked_through_the_proxy() {
    let answer =
        "HTTP/1.1 200 OK\r\nx-served-by: auth-service/v1/a\r\ncontent-length: 16\r\n\r\n{\"user\":\"alice\"}";
    for name in ["HTTP_PROXY", "http_proxy"] {
        let (proxy, mut asked) = mesh(answer).await;
        let (_process, log) = start(&[
            (name, &format!("http://{proxy}")),
            ("NO_PROXY", ""),
            ("APP_INSTANCE", "p"),
        ]);
        let mut entries = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let addr = entries
            .find_map(|entry| entry["fields"]["addr"].as_str().map(str::to_owned))
            .unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        let payments = Payments {
            url: format!("http://{addr}"),
            client,
            token: "t".to_owned(),
        };
        let response = payments.pay("k", &order()).await;
        assert_eq!(
            response.headers()["x-served-by"],
            "payment-service/v2/p, auth-service/v1/a"
        );
        let head = asked.recv().await.unwrap();
        assert!(
            head.starts_with("POST http://auth-service:8080/verify HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(head.contains("\r\nhost: auth-service:8080\r\n"), "{head}");
    }
}

#[test]
fn a_url_that_cannot_be_asked_ends_with_code_2_and_the_variable() {
    for (url, reason) in [
        ("auth-service", "is not a URL"),
        ("https://auth-service:8080", "is not a plain http URL"),
        ("http://auth-service:8080/?a=1", "is not a plain http URL"),
    ] {
        let (mut process, mut log) = start(&[("APP_AUTH_URL", url)]);
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        assert_eq!(process.0.wait().unwrap().code(), Some(2));
        assert!(
            text.starts_with(&format!("error: APP_AUTH_URL: {url:?} {reason}")),
            "{text}"
        );
    }
}
