//! What goes along to auth-service, and what becomes of an answer that is not its own.

use service_kit::Version::V1;
use tokio::net::TcpListener;

use crate::support::{Payments, mesh, order, problem, start_payments};

/// Pays with the mesh answering in place of auth-service; the answer to the client.
async fn pay_when_told(answer: &'static str) -> reqwest::Response {
    let (addr, _asked) = mesh(answer).await;
    start_payments(V1, addr).pay("k", &order()).await
}

#[tokio::test]
async fn the_meshs_own_answers_are_passed_on_with_status_and_body() {
    for (answer, status, told) in [
        (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 19\r\n\r\nno healthy upstream",
            503,
            "The mesh, in place of auth-service, answered 503: \"no healthy upstream\"",
        ),
        (
            "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 24\r\n\r\nupstream request timeout",
            504,
            "answered 504: \"upstream request timeout\"",
        ),
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            502,
            "answered 404: \"\"",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 19\r\n\r\nRBAC: access denied",
            403,
            "RBAC: access denied",
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n",
            502,
            "answered 302",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            502,
            "without saying who the user is",
        ),
    ] {
        let response = pay_when_told(answer).await;
        assert_eq!(
            response.headers()["x-served-by"],
            "payment-service/v1/pay-1",
            "{answer}"
        );
        let detail = problem(response, status).await;
        assert!(
            detail.contains(told) && detail.ends_with("with the same Idempotency-Key."),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn an_error_of_auth_service_itself_names_it() {
    let response = pay_when_told(
        "HTTP/1.1 500 Internal Server Error\r\nx-served-by: auth-service/v2/a\r\ncontent-length: 16\r\n\r\n\
         {\"detail\":\"oops\"}",
    );
    let response = response.await;
    assert_eq!(
        response.headers()["x-served-by"],
        "payment-service/v1/pay-1, auth-service/v2/a"
    );
    assert!(
        problem(response, 502)
            .await
            .contains("auth-service (auth-service/v2/a) answered 500")
    );
}

#[tokio::test]
async fn a_long_body_is_quoted_in_part() {
    let answer = format!(
        "HTTP/1.1 503 X\r\ncontent-length: 5000\r\n\r\n{}",
        "y".repeat(5_000)
    );
    let detail = problem(pay_when_told(answer.leak()).await, 503).await;
    assert!(detail.contains(&"y".repeat(200)) && !detail.contains(&"y".repeat(201)));
}

#[tokio::test]
async fn nobody_at_the_address_is_503_and_says_where_to_look() {
    let addr = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap(); // closed again
    let response = start_payments(V1, addr).pay("k", &order()).await;
    let detail = problem(response, 503).await;
    assert!(
        detail.contains("APP_AUTH_URL") && detail.contains("onnection refused"),
        "{detail}"
    );
}

/// What auth-service would be asked for this payment.
async fn asked(change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> String {
    let (addr, mut asked) = mesh("HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"user\":\"alice\"}").await;
    let service: Payments = start_payments(V1, addr);
    assert_eq!(
        change(service.request("k", &order()))
            .send()
            .await
            .unwrap()
            .status(),
        201
    );
    asked.recv().await.unwrap()
}

#[tokio::test]
async fn the_question_is_a_post_without_a_body() {
    let head = asked(|request| request).await;
    assert!(head.starts_with("POST /verify HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains("\r\nauthorization: Bearer t\r\n") && head.contains("\r\ncontent-length: 0\r\n"),
        "{head}"
    );
    assert!(!head.contains("idempotency-key"), "{head}");
}

#[tokio::test]
async fn trace_and_routing_headers_go_along_line_by_line() {
    let lines = [
        ("x-request-id", "r-1"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("b3", "1-2-1"),
        ("x-b3-traceid", "1"),
        ("x-canary", "true"),
        ("end-user", "jason"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
    ];
    let head = asked(|request| {
        lines
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value))
    })
    .await;
    for (name, value) in lines {
        assert!(
            head.contains(&format!("\r\n{name}: {value}\r\n")),
            "{name}: {head}"
        );
    }
}

#[tokio::test]
async fn a_failed_question_is_not_asked_twice() {
    let (addr, mut asked) = mesh("").await; // takes the request and closes the connection
    let service = start_payments(V1, addr);
    problem(service.pay("k", &order()).await, 503).await;
    assert!(asked.try_recv().is_ok());
    assert!(
        asked.try_recv().is_err(),
        "a retry here would hide what the mesh does"
    );
}
