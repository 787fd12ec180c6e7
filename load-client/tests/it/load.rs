//! Sending: every request is resolved, with the right kind of failure, over connections that are made again.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::Method;
use load_client::load::{Load, LoadError, RequestSpec, Target};
use load_client::outcome::{Answer, Dispatch, Failure, Outcome, Sink};
use load_client::shard::Shard;

use crate::upstream::{Reply, Upstream, served_by};

/// Takes a number of requests and keeps what became of each, by its place in the dispatch order.
struct Collect {
    wanted: u64,
    sent: u64,
    outcomes: Vec<Option<Outcome>>,
}

impl Sink for Collect {
    fn dispatch(&mut self) -> Option<Dispatch> {
        (self.sent < self.wanted).then(|| {
            self.outcomes.push(None);
            self.sent += 1;
            Dispatch {
                sequence: self.sent - 1,
                variant: 0,
            }
        })
    }

    fn resolve(&mut self, sequence: u64, outcome: Outcome) {
        let slot = &mut self.outcomes[usize::try_from(sequence).unwrap()];
        assert!(
            slot.replace(outcome).is_none(),
            "request {sequence} was resolved twice"
        );
    }
}

fn load(url: &str) -> Load {
    Load {
        target: Target::new(url, None).unwrap(),
        requests: vec![RequestSpec {
            method: Method::GET,
            headers: Vec::new(),
            body: Vec::new(),
        }],
        connections: 4,
        rate: None,
        timeout: Duration::from_secs(30),
        version_source: "header:x-served-by".parse().unwrap(),
        seed: 1,
        shard: Shard::default(),
        per_unit: None,
    }
}

fn try_drive(load: &Load, wanted: u64) -> Result<Vec<Outcome>, LoadError> {
    let sink = Rc::new(RefCell::new(Collect {
        wanted,
        sent: 0,
        outcomes: Vec::new(),
    }));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, load.drive(Rc::clone(&sink)))?;
    let outcomes = std::mem::take(&mut sink.borrow_mut().outcomes);
    Ok(outcomes.into_iter().map(Option::unwrap).collect())
}

fn drive(load: &Load, wanted: u64) -> Vec<Outcome> {
    try_drive(load, wanted).unwrap()
}

fn failures(outcomes: &[Outcome]) -> Vec<Failure> {
    outcomes
        .iter()
        .map(|outcome| *outcome.result.as_ref().unwrap_err())
        .collect()
}

fn answers(outcomes: &[Outcome]) -> Vec<&Answer> {
    outcomes
        .iter()
        .map(|outcome| outcome.result.as_ref().unwrap())
        .collect()
}

#[test]
fn every_request_is_sent_and_resolved_once() {
    let upstream = Upstream::start(|seen| served_by(&format!("shop/v{}/i", seen.number % 2 + 1)));
    let outcomes = drive(&load(&upstream.url("/a?b=c")), 200);
    assert_eq!(answers(&outcomes).len(), 200);
    let seen = upstream.seen();
    assert_eq!(seen.len(), 200);
    assert!(seen.iter().all(|seen| seen.uri == "/a?b=c"));
    assert!(
        seen.iter()
            .all(|seen| seen.header("host") == upstream.address.to_string())
    );
    assert!(
        seen.iter().all(|seen| seen.connection < 4),
        "one connection per user"
    );
}

#[test]
fn a_request_carries_method_headers_and_body_with_its_placeholders_filled() {
    let upstream = Upstream::start(|_| served_by("shop/v1/i"));
    let mut load = load(&upstream.url("/"));
    load.requests[0] = RequestSpec {
        method: Method::PUT,
        headers: vec![
            ("x-key".parse().unwrap(), "{uuid}".to_owned()),
            ("x-two".parse().unwrap(), "a".to_owned()),
            ("x-two".parse().unwrap(), "b".to_owned()),
        ],
        body: br#"{"key":"{uuid}","n":{n}}"#.to_vec(),
    };
    drive(&load, 50);
    let seen = upstream.seen();
    let mut numbers: Vec<u64> = Vec::new();
    let mut keys = std::collections::BTreeSet::new();
    for request in &seen {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(request.method, Method::PUT);
        assert_eq!(
            body["key"],
            request.header("x-key"),
            "one value in all of a request"
        );
        assert_eq!(request.headers.get_all("x-two").iter().count(), 2);
        assert_eq!(request.header("content-length"), request.body.len().to_string());
        keys.insert(request.header("x-key").to_owned());
        numbers.push(body["n"].as_u64().unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    assert_eq!(keys.len(), 50, "a fresh key for each");

    let first_run = keys.clone();
    drive(&load, 50);
    keys.extend(upstream.seen().iter().map(|seen| seen.header("x-key").to_owned()));
    assert_eq!(keys, first_run, "the same seed gives the same keys");
}

#[test]
fn a_server_that_closes_after_each_answer_fails_nobody() {
    let upstream = Upstream::start(|_| {
        let headers = vec![
            ("x-served-by", "shop/v1/i".to_owned()),
            ("connection", "close".to_owned()),
        ];
        Reply::Answer(200, headers, "bye".to_owned())
    });
    let outcomes = drive(&load(&upstream.url("/")), 100);
    assert!(answers(&outcomes).iter().all(|answer| answer.status == 200));
    let connections: std::collections::BTreeSet<_> =
        upstream.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections.len(), 100);
}

#[test]
fn failures_are_told_apart() {
    let closing = Upstream::start(|_| Reply::Close);
    assert_eq!(
        failures(&drive(&load(&closing.url("/")), 5)),
        [Failure::Closed; 5]
    );

    let half = Upstream::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    let mut impatient = load(&half.url("/"));
    impatient.timeout = Duration::from_millis(20);
    assert_eq!(
        failures(&drive(&impatient, 2)),
        [Failure::Timeout; 2],
        "a body is read to its end"
    );

    let garbage = Upstream::saying(b"220 mail.example ESMTP\r\n");
    assert_eq!(
        failures(&drive(&load(&garbage.url("/")), 5)),
        [Failure::Protocol; 5]
    );

    let no_chunk = Upstream::saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n");
    assert_eq!(
        failures(&drive(&load(&no_chunk.url("/")), 5)),
        [Failure::Protocol; 5]
    );
}

#[test]
fn no_answer_in_time_is_a_timeout_and_the_next_request_has_its_own_time() {
    let upstream = Upstream::start(|seen| {
        if seen.number % 2 == 0 {
            Reply::Never
        } else {
            served_by("shop/v1/i")
        }
    });
    let mut load = load(&upstream.url("/"));
    load.connections = 1;
    load.timeout = Duration::from_millis(40);
    let outcomes = drive(&load, 6);
    let (odd, even): (Vec<_>, Vec<_>) = outcomes
        .into_iter()
        .enumerate()
        .partition(|(index, _)| index % 2 == 1);
    for (_, outcome) in even {
        assert_eq!(outcome.result.unwrap_err(), Failure::Timeout);
        assert!(outcome.latency >= load.timeout);
    }
    for (_, outcome) in odd {
        assert_eq!(outcome.result.unwrap().status, 200);
    }
}

#[test]
fn a_server_that_goes_away_is_a_failure_to_connect() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut load = load(&format!("http://{}/", listener.local_addr().unwrap()));
    load.connections = 1;
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let _ = stream.read(&mut [0; 1024]).unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).unwrap();
    });
    let outcomes = drive(&load, 3);
    server.join().unwrap();
    assert_eq!(answers(&outcomes[..1])[0].status, 200);
    assert_eq!(failures(&outcomes[1..]), [Failure::Connect; 2]);
}

#[test]
fn load_does_not_start_where_nobody_listens() {
    let upstream = Upstream::start(|_| served_by("shop/v1/i"));
    let load = load(&upstream.url("/"));
    upstream.stop();
    let error = try_drive(&load, 1).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("nobody listens at {}", load.target.address())),
        "{error}"
    );
    assert!(error.contains("--url"), "{error}");
}

#[test]
fn an_open_loop_counts_the_wait_for_a_connection_from_the_intended_start() {
    const SERVICE: Duration = Duration::from_millis(20);
    const INTERVAL: Duration = Duration::from_millis(5);
    let upstream = Upstream::start(|_| Reply::After(SERVICE, Box::new(served_by("shop/v1/i"))));
    let mut load = load(&upstream.url("/"));
    load.connections = 1;
    load.rate = Some(1.0 / INTERVAL.as_secs_f64());
    let outcomes = drive(&load, 20);
    for (index, outcome) in (0..).zip(&outcomes) {
        // Requests queue: number i ends after i + 1 services and was meant to start after i intervals.
        let queued = SERVICE * (index + 1) - INTERVAL * index;
        assert!(outcome.from_intended >= queued, "{index}: {outcome:?}");
        assert!(outcome.latency >= SERVICE);
        assert!(outcome.from_intended >= outcome.latency);
    }
}

#[test]
fn an_open_loop_never_starts_early() {
    let upstream = Upstream::start(|_| served_by("shop/v1/i"));
    let mut load = load(&upstream.url("/"));
    load.rate = Some(1000.0);
    let begin = Instant::now();
    assert_eq!(answers(&drive(&load, 101)).len(), 101);
    assert!(begin.elapsed() >= Duration::from_millis(100));
}

#[test]
fn equal_header_values_share_one_list_of_hops() {
    let upstream = Upstream::start(|_| served_by("payment/v2/p-1, auth/v1/a-1"));
    let outcomes = drive(&load(&upstream.url("/")), 10);
    let hops: Vec<_> = answers(&outcomes)
        .iter()
        .map(|answer| answer.served_by.clone().unwrap())
        .collect();
    assert_eq!(
        (hops[0][0].version.as_str(), hops[0][1].service.as_str()),
        ("v2", "auth")
    );
    assert!(hops.iter().all(|other| Rc::ptr_eq(other, &hops[0])));
}
