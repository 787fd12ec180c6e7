//! What the client makes of answers that a workload would not give.

use std::net::SocketAddrV4;

use conformance::client::{Connection, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::kit::{address, get, request};

/// A server that reads a first piece, writes these bytes and closes.
async fn canned(bytes: &'static [u8]) -> SocketAddrV4 {
    let address = address();
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(bytes).await.unwrap();
    });
    address
}

async fn answer(bytes: &'static [u8]) -> Response {
    let address = canned(bytes).await;
    Connection::new(*address.ip()).send(&get()).await
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let response =
        answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    assert_eq!(
        (response.status, response.body.as_slice()),
        (Some(200), &b"ok"[..])
    );
}

#[tokio::test]
async fn a_body_without_length_ends_with_the_connection() {
    let response = answer(b"HTTP/1.0 200 OK\r\n\r\nall of it").await;
    assert_eq!(
        (response.error, response.body.as_slice()),
        (None, &b"all of it"[..])
    );
}

#[tokio::test]
async fn what_is_not_http_is_an_error() {
    let response = answer(b"garbage\r\n\r\n").await;
    assert_eq!(
        (response.status, response.error.as_deref()),
        (None, Some("no status"))
    );
}

#[tokio::test]
async fn an_answer_counts_even_if_the_body_was_not_read() {
    let address = canned(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await;
    let large = request("{method: POST, url: 'http://w:8080/', body_size: 20000000}");
    let response = Connection::new(*address.ip()).send(&large).await;
    assert_eq!(response.status, Some(413));
}
