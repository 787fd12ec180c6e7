//! Start and end: an address in use, readiness while draining, requests in flight.

use std::time::{Duration, Instant};

use service_kit::{Service, Version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{config, header, problem, start};

/// Long beyond any scheduling delay: what waits for it to pass is the stop, not an assertion.
const DRAIN: (&str, &str) = ("APP_DRAIN_MS", "1500");

#[tokio::test]
async fn an_address_in_use_is_named() {
    let service = start(&[]);
    let config = config(&[("APP_PORT", &service.addr.port().to_string())]);
    let refused = Service::build("demo-service", Version::V1, &config, |_| {})
        .err()
        .unwrap()
        .to_string();
    assert!(
        refused.starts_with(&format!("cannot listen on {}: ", service.addr)),
        "{refused}"
    );
    assert!(refused.ends_with("change APP_HOST or APP_PORT"), "{refused}");
}

#[tokio::test]
async fn while_draining_it_is_not_ready_but_serves_and_keeps_no_connection() {
    let mut service = start(&[DRAIN]);
    assert!(!service.get("/version").await.headers().contains_key("connection"));
    let told = Instant::now();
    service.stop();
    while service.get("/readyz").await.status() == 200 {
        assert!(told.elapsed() < Duration::from_millis(500), "still ready");
        tokio::task::yield_now().await;
    }
    assert!(
        problem(service.get("/readyz").await, 503)
            .await
            .contains("shutting down")
    );
    let response = service.get("/version").await;
    assert_eq!(
        (response.status().as_u16(), header(&response, "connection")),
        (200, "close")
    );
    service.served.await.unwrap().unwrap();
    assert!(told.elapsed() >= Duration::from_millis(1500), "did not drain");
    assert!(
        service
            .client
            .get(format!("http://{}/version", service.addr))
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn requests_in_flight_at_the_end_of_the_drain_are_finished() {
    let mut service = start(&[DRAIN]);
    // A single worker takes connections as they come: once a later one is answered, this request has been read.
    let mut slow = TcpStream::connect(service.addr).await.unwrap();
    slow.write_all(b"GET /delay/1800 HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    service.get("/version").await;
    let told = Instant::now();
    service.stop();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(r#"{"delay_ms":1800}"#),
        "{answer}"
    );
    service.served.await.unwrap().unwrap();
    assert!(
        told.elapsed() < Duration::from_secs(4),
        "the mesh kills after five seconds"
    );
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let mut service = start(&[]);
    service.get("/version").await.bytes().await.unwrap(); // stays in the client's pool
    let told = Instant::now();
    service.stop();
    service.served.await.unwrap().unwrap();
    assert!(told.elapsed() < Duration::from_secs(3));
}
