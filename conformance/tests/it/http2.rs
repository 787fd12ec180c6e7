//! A workload over HTTP/2, seen by the library's client.

use std::net::SocketAddrV4;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, Response};
use tokio::net::TcpStream;

use crate::kit::workload;

async fn connect(address: SocketAddrV4) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (send, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    send
}

async fn ask(send: &SendRequest<Bytes>) -> Result<Response<h2::RecvStream>, h2::Error> {
    let mut send = send.clone().ready().await?;
    let request = Request::post("http://auth:8080/p?q")
        .header("x-lab-id", "lab-1")
        .body(())
        .unwrap();
    let (response, mut body) = send.send_request(request, false)?;
    body.send_data(Bytes::from_static(b"hello"), true)?;
    response.await
}

#[tokio::test]
async fn the_echo_has_the_authority_as_host_and_the_trailers_follow() {
    let (fleet, address) =
        workload("{status: 201, headers: {x-a: [p, q]}, trailers: {grpc-status: '0'}}").await;
    let response = ask(&connect(address).await).await.unwrap();
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers().get_all("x-a").iter().count(), 2);
    let mut body = response.into_body();
    let echo = body.data().await.unwrap().unwrap();
    let echo: serde_json::Value = serde_json::from_slice(&echo).unwrap();
    assert_eq!(echo["path"], "/p?q");
    assert_eq!(body.trailers().await.unwrap().unwrap()["grpc-status"], "0");
    let received = fleet.log.of("lab-1");
    assert_eq!(
        (received[0].value("host"), received[0].body_bytes),
        (Some("auth:8080"), 5)
    );
}

#[tokio::test]
async fn a_refused_stream_is_reset_and_the_connection_stays() {
    let (fleet, address) = workload("{refuse_stream: true}").await;
    let send = connect(address).await;
    for _ in 0..2 {
        let error = ask(&send).await.unwrap_err();
        assert_eq!(error.reason(), Some(h2::Reason::REFUSED_STREAM));
    }
    assert_eq!(fleet.log.count("lab-1"), 0);
}

#[tokio::test]
async fn a_request_can_end_the_connection_and_says_nothing_of_its_stream() {
    let (_fleet, address) = workload("{close: true}").await;
    let error = ask(&connect(address).await).await.unwrap_err();
    assert_eq!(error.reason(), None, "{error}");

    let (_fleet, address) = workload("{reset: true}").await;
    let error = ask(&connect(address).await).await.unwrap_err();
    let kind = error.get_io().map(std::io::Error::kind);
    assert_eq!(kind, Some(std::io::ErrorKind::ConnectionReset), "{error}");
}
