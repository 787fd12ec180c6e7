//! Headers that go along to the next hop, and those that come back.

use crate::support::{header, start};

#[tokio::test]
async fn routing_trace_and_identity_headers_go_along() {
    let service = start(&[]);
    let sent = [
        ("authorization", "Bearer t"),
        ("b3", "1-2"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("end-user", "jason"),
        ("traceparent", "00-1"),
        ("tracestate", "x=y"),
        ("x-b3-flags", "1"),
        ("x-b3-parentspanid", "1"),
        ("x-b3-sampled", "1"),
        ("x-b3-spanid", "1"),
        ("x-b3-traceid", "1"),
        ("x-canary", "true"),
        ("x-request-id", "r"),
    ];
    let others = [
        ("accept", "x"),
        ("content-type", "x"),
        ("idempotency-key", "x"),
        ("x-forwarded-for", "x"),
    ];
    let request = service.client.get(service.url("/forwarded"));
    let request = sent
        .iter()
        .chain(&others)
        .fold(request, |request, (name, value)| request.header(*name, *value));
    let forwarded: Vec<(String, String)> = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        forwarded,
        sent.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[tokio::test]
async fn served_by_names_this_service_first_and_then_what_it_called() {
    let service = start(&[("APP_INSTANCE", "i")]);
    let response = service
        .client
        .post(service.url("/called"))
        .body("auth-service/v1/j")
        .send()
        .await
        .unwrap();
    assert_eq!(
        header(&response, "x-served-by"),
        "demo-service/v2/i, auth-service/v1/j"
    );
}

#[tokio::test]
async fn a_called_service_that_answers_nonsense_cannot_break_the_header() {
    let service = start(&[("APP_INSTANCE", "i")]);
    let response = service
        .client
        .post(service.url("/called"))
        .body("a\r\nb: c")
        .send()
        .await
        .unwrap();
    assert_eq!(header(&response, "x-served-by"), "demo-service/v2/i");
    assert!(!response.headers().contains_key("b"));
}
