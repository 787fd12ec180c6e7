//! What a workload does over HTTP/1.1, seen by the raw client.

use std::time::{Duration, Instant};

use conformance::client::Connection;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::kit::{answer, behaviour, get, header, request, workload};

#[tokio::test]
async fn the_echo_says_what_was_received_and_the_log_has_it() {
    let (fleet, address) = workload("{}").await;
    let asked = request("{method: POST, url: 'http://w:8080/a%2F?b', headers: {X-A: [p, q]}, body: hello}");
    let response = Connection::new(*address.ip()).send(&asked).await;
    assert_eq!((response.status, response.error), (Some(200), None));
    let echo: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(
        (&echo["workload"], &echo["method"], &echo["path"]),
        (&"w".into(), &"POST".into(), &"/a%2F?b".into())
    );
    let received = fleet.log.of("lab-1");
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body_bytes, 5);
    assert_eq!(received[0].value("host"), Some("w:8080"));
    let repeated: Vec<&str> = received[0]
        .headers
        .iter()
        .filter(|(n, _)| n == "x-a")
        .map(|(_, v)| v.as_str())
        .collect();
    assert_eq!(repeated, ["p", "q"]);
    assert_eq!(fleet.log.count("lab-2"), 0);
}

#[tokio::test]
async fn statuses_come_in_turn_and_the_last_repeats_until_the_behaviour_changes() {
    let (mut fleet, address) = workload("{statuses: [503, 200], connection_header: x-conn}").await;
    let mut connection = Connection::new(*address.ip());
    for expected in [503, 200, 200] {
        let response = connection.send(&get()).await;
        assert_eq!(response.status, Some(expected));
        assert_eq!(header(&response, "x-conn"), Some("1"));
    }
    let second = Connection::new(*address.ip()).send(&get()).await;
    assert_eq!(header(&second, "x-conn"), Some("2"));
    fleet
        .change("w", behaviour("{statuses: [500, 204]}"))
        .await
        .unwrap();
    assert_eq!(connection.send(&get()).await.status, Some(500));
    let empty = connection.send(&get()).await;
    assert_eq!((empty.status, empty.body.len()), (Some(204), 0));
}

#[tokio::test]
async fn headers_are_added_and_may_replace_the_content_type() {
    let response = answer(
        "{status: 418, headers: {X-One: 1, set-cookie: [a, b], content-type: text/x}}",
        &get(),
    )
    .await;
    assert_eq!(
        (response.status, header(&response, "x-one")),
        (Some(418), Some("1"))
    );
    assert_eq!(header(&response, "content-type"), Some("text/x"));
    assert_eq!(
        response
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .count(),
        2
    );
}

#[tokio::test]
async fn nobody_listens_where_connections_are_refused_until_that_changes() {
    let (mut fleet, address) = workload("{refuse: true}").await;
    let mut connection = Connection::new(*address.ip());
    assert_eq!(
        connection.send(&get()).await.error.as_deref(),
        Some("ConnectionRefusedError")
    );
    fleet.change("w", behaviour("{}")).await.unwrap();
    assert_eq!(connection.send(&get()).await.status, Some(200));
    fleet.change("w", behaviour("{refuse: true}")).await.unwrap();
    assert_eq!(
        connection.send(&get()).await.error.as_deref(),
        Some("IncompleteReadError")
    );
    assert_eq!(
        connection.send(&get()).await.error.as_deref(),
        Some("ConnectionRefusedError")
    );
}

#[tokio::test]
async fn a_black_hole_answers_no_syn() {
    let (_fleet, address) = workload("{blackhole: true}").await;
    let connecting = tokio::net::TcpStream::connect(address);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), connecting)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn connections_end_as_the_case_wants() {
    let ends = [
        ("{reset: true}", "ConnectionResetError"),
        ("{close: true}", "IncompleteReadError"),
    ];
    for (yaml, error) in ends {
        let response = answer(yaml, &get()).await;
        assert_eq!(
            (response.status, response.error.as_deref()),
            (None, Some(error)),
            "{yaml}"
        );
    }
    let response = answer("{garbage: true}", &get()).await;
    assert_eq!((response.status, response.error.is_some()), (None, true));
}

#[tokio::test]
async fn a_truncated_answer_has_a_head_and_breaks_off() {
    for yaml in ["{truncate: true}", "{truncate: true, chunked: true}"] {
        let response = answer(yaml, &get()).await;
        assert_eq!(
            (response.status, response.error.as_deref()),
            (Some(200), Some("IncompleteReadError")),
            "{yaml}"
        );
        assert!(response.body.is_empty());
    }
}

#[tokio::test]
async fn chunks_and_trailers_frame_the_same_body() {
    let plain = answer("{}", &get()).await;
    for yaml in ["{chunked: true}", "{trailers: {x-sum: '1'}}"] {
        let response = answer(yaml, &get()).await;
        assert_eq!(header(&response, "transfer-encoding"), Some("chunked"), "{yaml}");
        assert_eq!(response.body, plain.body, "{yaml}");
    }
}

#[tokio::test]
async fn an_answer_to_head_has_a_length_and_no_body() {
    let (_fleet, address) = workload("{}").await;
    let mut connection = Connection::new(*address.ip());
    let response = connection
        .send(&request("{method: HEAD, url: 'http://w:8080/'}"))
        .await;
    assert!(header(&response, "content-length").is_some_and(|length| length != "0"));
    assert!(response.body.is_empty());
    assert_eq!(connection.send(&get()).await.status, Some(200));
}

#[tokio::test]
async fn delays_come_before_the_head_and_before_the_body() {
    for yaml in ["{delay: 0.2}", "{body_delay: 0.2}"] {
        let response = answer(yaml, &get()).await;
        assert_eq!(response.status, Some(200));
        assert!(response.seconds >= 0.2, "{yaml}: {}", response.seconds);
    }
}

#[tokio::test]
async fn who_hangs_never_answers_and_notices_when_the_other_side_leaves() {
    let (fleet, address) = workload("{hang: true}").await;
    let sending = async { Connection::new(*address.ip()).send(&get()).await };
    assert!(
        tokio::time::timeout(Duration::from_millis(200), sending)
            .await
            .is_err()
    );
    assert_eq!(fleet.log.count("lab-1"), 1);
    fleet.stop().await;
}

#[tokio::test]
async fn a_workload_that_closes_waits_until_the_other_side_knows() {
    let (mut fleet, address) = workload("{}").await;
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    writer.write_all(get().bytes()).await.unwrap();
    assert!(reader.read(&mut [0; 4096]).await.unwrap() > 0);
    let knowing = async {
        let bytes = reader.read(&mut [0; 8]).await.unwrap();
        // As long as this takes, the other side does not know.
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(writer);
        (bytes, Instant::now())
    };
    let closing = async {
        fleet.change("w", behaviour("{refuse: true}")).await.unwrap();
        Instant::now()
    };
    let ((bytes, known), closed) = tokio::join!(knowing, closing);
    assert_eq!(bytes, 0);
    assert!(closed >= known);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_address_is_free_again_once_the_fleet_has_stopped() {
    let (fleet, address) = workload("{}").await;
    let mut connection = Connection::new(*address.ip());
    assert_eq!(connection.send(&get()).await.status, Some(200));
    fleet.stop().await;
    drop(std::net::TcpListener::bind(address).unwrap());
    assert!(connection.send(&get()).await.error.is_some());
}
