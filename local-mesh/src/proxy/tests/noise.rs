//! No bytes stop the proxy, whichever side they come from.
//!
//! Seeded, so that a failure repeats; no statistics: each input must be survived.

use std::sync::Mutex;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::backend::Behaviour;
use super::lab::{Lab, PATIENCE, rule};
use super::{EVERYTHING_TO_V1, TO_V1};

/// What clients write, to be spoilt.
const REQUESTS: &[&str] = &[
    "GET /a/../b?c=d HTTP/1.1\r\nhost: auth:8080\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: auth:8080\r\ncontent-length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nhost: auth:8080\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n",
    "GET http://me@auth:8080/x HTTP/1.1\r\nhost: other\r\nx-forwarded-for: 1.2.3.4\r\ncookie: a=b\r\n\r\n",
    "GET /ws HTTP/1.1\r\nhost: auth:8080\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost: auth:8080\r\nexpect: 100-continue\r\nte: trailers\r\n\r\n",
    "GET /<a>^`~ HTTP/1.0\r\nhost: auth\r\n\r\n",
    "CONNECT auth:8080 HTTP/1.1\r\nhost: auth:8080\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

/// What endpoints write, to be spoilt.
pub(super) const ANSWERS: &[&str] = &[
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: b\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nabc",
    "HTTP/1.0 503 -\r\nconnection: keep-alive\r\ngrpc-status: 14\r\n\r\nto the end",
    // The beginning of HTTP/2: settings, then headers of an answer.
    "\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\u{8}",
];

/// A text with some of its bytes changed, repeated, left out or cut off; one in eight is noise altogether.
pub(super) fn spoilt(texts: &[&str], rng: &mut SmallRng) -> Vec<u8> {
    if rng.random_range(0..8) == 0 {
        let length = rng.random_range(0..300);
        return (0..length).map(|_| rng.random()).collect();
    }
    let mut bytes = Vec::new();
    // Several in a row are a pipeline.
    for _ in 0..rng.random_range(1..=3) {
        bytes.extend_from_slice(texts.choose(rng).unwrap_or(&"").as_bytes());
    }
    for _ in 0..rng.random_range(0..6) {
        let at = rng.random_range(0..bytes.len().max(1)).min(bytes.len());
        let end = rng.random_range(at..=bytes.len().min(at + 20));
        let special = *b"\0\r\n :;,\t/?#%\xff09".choose(rng).unwrap_or(&0);
        match rng.random_range(0..5) {
            0 => bytes.truncate(at.max(1)),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.insert(at, special),
            3 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece.repeat(rng.random_range(1..40)));
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = if rng.random() { special } else { rng.random() };
                }
            }
        }
    }
    bytes
}

/// Panics of the data plane's thread, which would end one connection only.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn watch_for_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() == Some("data-plane") {
                PANICS.lock().unwrap().push(panic.to_string());
            }
            before(panic);
        }));
    });
}

/// Writes the bytes, reads what comes, and asks something sensible afterwards.
async fn survives(lab: &Lab, bytes: &[u8], good: &str) {
    let exchange = async {
        let mut stream = lab.open("").await;
        // It may be closed while it is written to; that is an answer, too.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    let ended = timeout(PATIENCE, exchange).await.is_ok();
    let shown = bytes.escape_ascii();
    assert!(ended, "the connection stays open after {shown}");
    assert_eq!(lab.get(good).await.status, 200, "after {shown}");
    let panics = PANICS.lock().unwrap();
    assert!(panics.is_empty(), "{panics:?} after {shown}");
}

#[tokio::test]
async fn no_bytes_of_a_client_stop_the_proxy() {
    watch_for_panics();
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1)).await;
    for seed in 0..600 {
        let bytes = spoilt(REQUESTS, &mut SmallRng::seed_from_u64(seed));
        survives(&lab, &bytes, "/good").await;
    }
}

#[tokio::test]
async fn no_bytes_of_an_endpoint_stop_the_proxy() {
    watch_for_panics();
    let noise = format!("- match: [{{uri: {{prefix: /noise}}}}]\n  {TO_V1}\n");
    let echo = "- route: [{destination: {host: auth, subset: v2}}]";
    // An endpoint that is asked in HTTP/2 makes noise only.
    let itself = "- directResponse: {status: 200}";
    let http2 = "trafficPolicy: {connectionPool: {http: {h2UpgradePolicy: UPGRADE}}}";
    let request = b"POST /noise HTTP/1.1\r\nhost: auth:8080\r\ncontent-length: 5\r\n\r\nhello";
    let endpoints = [("v1", Behaviour::Noise), ("v2", Behaviour::Echo)];
    for (good, policy) in [(echo, ""), (itself, http2)] {
        let lab = Lab::with_policy(&endpoints, &rule(&format!("{noise}{good}")), policy).await;
        for _ in 0..300 {
            survives(&lab, request, "/good").await;
        }
    }
}
