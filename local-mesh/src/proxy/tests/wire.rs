//! What goes over the wire besides ordinary requests.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::backend::Behaviour;
use super::lab::{Lab, rule};
use super::{EVERYTHING_TO_V1, TO_V1};

const HANDSHAKE: &str =
    "GET /ws HTTP/1.1\r\nhost: auth:8080\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";

#[tokio::test]
async fn what_is_no_http_is_answered_and_logged_as_envoy_does() {
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1)).await;
    for (request, status, body, details) in [
        (
            "GET / HTTP/1.2\r\nhost: auth\r\n\r\n",
            426,
            "Upgrade Required",
            "low_version",
        ),
        (
            "GET / HTTP/1.0\r\nhost: auth\r\n\r\n",
            426,
            "Upgrade Required",
            "low_version",
        ),
        (
            "GET / HTTP/1.1\r\nx user: a\r\n\r\n",
            400,
            "Bad Request",
            "http1.codec_error",
        ),
        (
            "FOO / HTTP/1.1\r\nhost: auth\r\n\r\n",
            400,
            "Bad Request",
            "http1.codec_error",
        ),
        (
            "POST / HTTP/1.1\r\nhost: auth\r\ntransfer-encoding: gzip\r\n\r\n",
            501,
            "Not Implemented",
            "http1.invalid_transfer_encoding",
        ),
    ] {
        let answer = lab.request(request).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, body),
            "{request:?}"
        );
        assert_eq!(
            (answer.header("server"), answer.header("connection")),
            ("envoy", "close")
        );
        let line = lab.logged().await;
        assert_eq!(
            (&line["response_flags"], &line["response_code_details"]),
            (&"DPE".into(), &details.into())
        );
    }
}

#[tokio::test]
async fn signs_that_the_parser_does_not_take_reach_the_endpoint_encoded() {
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1)).await;
    for (path, sent) in [
        ("/a<b>~c", "/a%3Cb%3E~c"),
        ("/a^b`c", "/a%5Eb%60c"),
        ("/~me", "/~me"),
    ] {
        let answer = lab.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer.body.starts_with(&format!("GET {sent} HTTP")),
            "{path}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn a_rewritten_path_is_sent_as_it_is() {
    for (uri, sent) in [
        ("v2/", "v2/login?a=b"),
        ("'/a b/'", "/a b/login?a=b"),
        ("'?'", "?login?a=b"),
    ] {
        let rules = format!("- match: [{{uri: {{prefix: /v1/}}}}]\n  rewrite: {{uri: {uri}}}\n  {TO_V1}");
        let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(&rules)).await;
        // Twice on one connection to the endpoint, with a body that looks like a head.
        let request =
            "POST /v1/login?a=b HTTP/1.1\r\nhost: auth:8080\r\ncontent-length: 14\r\n\r\nA / HTTP/1.1\r\n";
        for _ in 0..2 {
            let answer = lab.request(request).await;
            let first = format!("POST {sent} HTTP/1.1\r\n");
            assert!(answer.body.starts_with(&first), "{uri}: {}", answer.body);
            assert!(
                answer.body.ends_with("\r\n\r\nA / HTTP/1.1\r\n"),
                "{}",
                answer.body
            );
        }
        assert_eq!(lab.connections(), 1);
    }
}

#[tokio::test]
async fn a_body_is_not_taken_for_a_head() {
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1)).await;
    let mut stream = lab
        .open("POST / HTTP/1.1\r\nhost: auth:8080\r\ncontent-length: 5\r\n\r\n")
        .await;
    lab.accepted().await;
    stream.write_all(b"<^`~>").await.unwrap();
    let mut answer = vec![0; 4096];
    let mut size = 0;
    while !answer[..size].ends_with(b"<^`~>") {
        let read = stream.read(&mut answer[size..]).await.unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer[..size]));
        size += read;
    }
}

#[tokio::test]
async fn a_websocket_is_a_tunnel_to_the_endpoint() {
    let lab = Lab::new(&[("v1", Behaviour::Tunnel)], &rule(EVERYTHING_TO_V1)).await;
    let mut stream = lab.open(HANDSHAKE).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(
        head.starts_with(b"HTTP/1.1 101 "),
        "{}",
        String::from_utf8_lossy(&head)
    );
    stream.write_all(b"ping").await.unwrap();
    let mut back = [0; 4];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"ping");
    drop(stream);
    let line = lab.logged().await;
    assert_eq!(
        (&line["response_code"], &line["response_flags"]),
        (&101.into(), &"DC".into())
    );
}

#[tokio::test]
async fn an_endpoint_may_decline_a_websocket() {
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1)).await;
    let answer = lab.request(HANDSHAKE).await;
    assert_eq!(
        (answer.status, answer.body.as_str(), answer.header("connection")),
        (200, "", "close")
    );
    assert_eq!(
        lab.logged().await["response_code_details"],
        "websocket_handshake_unsuccessful"
    );
}

#[tokio::test]
async fn other_upgrades_are_refused() {
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1)).await;
    let answer = lab
        .request("GET / HTTP/1.1\r\nhost: auth:8080\r\nconnection: upgrade\r\nupgrade: spdy\r\n\r\n")
        .await;
    assert_eq!(answer.status, 403);
    assert_eq!(lab.logged().await["response_code_details"], "upgrade_failed");
}

#[tokio::test]
async fn a_client_that_goes_away_while_it_sends_is_no_failure_of_the_endpoint() {
    let policy = "trafficPolicy: {outlierDetection: {consecutive5xxErrors: 1, maxEjectionPercent: 100, baseEjectionTime: 1h}}";
    let lab = Lab::with_policy(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1), policy).await;
    let head = "POST / HTTP/1.1\r\nhost: auth:8080\r\ncontent-length: 5\r\n\r\nhe";
    let stream = lab.open(head).await;
    lab.accepted().await;
    drop(stream);
    let line = lab.logged().await;
    assert_eq!(
        (&line["response_flags"], &line["response_code_details"]),
        (&"DC".into(), &"downstream_remote_disconnect".into())
    );
    // Ejected, the only endpoint would be missing for an hour.
    assert_eq!(lab.get("/").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_protocol_error_in_both_versions() {
    let http2 = "trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}";
    for policy in ["", http2] {
        let endpoints = [("v1", Behaviour::Sentence)];
        let lab = Lab::with_policy(&endpoints, &rule(EVERYTHING_TO_V1), policy).await;
        let answer = lab.get("/").await;
        assert_eq!(answer.status, 502, "{policy}: {}", answer.body);
        assert!(
            answer.body.ends_with("reset reason: protocol error"),
            "{}",
            answer.body
        );
        assert_eq!(lab.logged().await["response_flags"], "UPE");
    }
}
