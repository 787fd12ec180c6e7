//! The paths that every service answers.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{header, problem, start};

#[tokio::test]
async fn version_says_who_serves() {
    let service = start(&[("APP_INSTANCE", "demo-1")]);
    let response = service.get("/version").await;
    assert_eq!(header(&response, "x-served-by"), "demo-service/v2/demo-1");
    let expected = json!({
        "service": "demo-service", "version": "v2", "instance": "demo-1", "build": env!("CARGO_PKG_VERSION"),
        "served_by": ["demo-service/v2/demo-1"],
    });
    assert_eq!(response.json::<Value>().await.unwrap(), expected);
}

#[tokio::test]
async fn probes_answer_with_who_served_them() {
    let service = start(&[]);
    for path in ["/healthz", "/readyz", "/metrics"] {
        let response = service.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert!(header(&response, "x-served-by").starts_with("demo-service/v2/"));
    }
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body() {
    let service = start(&[]);
    let response = service.client.head(service.url("/version")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_ne!(header(&response, "content-length"), "0");
    assert_eq!(response.bytes().await.unwrap().len(), 0);
}

#[tokio::test]
async fn headers_shows_every_line_as_it_arrived() {
    let service = start(&[]);
    let request = service.client.put(service.url("/headers?a=1"));
    let request = request
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("x-canary", "yes");
    let shown: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&shown["method"], &shown["path"]),
        (&json!("PUT"), &json!("/headers?a=1"))
    );
    assert_eq!(shown["headers"]["cookie"], json!(["a=1", "b=2"]));
    assert_eq!(shown["headers"]["x-canary"], json!(["yes"]));
    assert_eq!(shown["headers"]["host"], json!([service.addr.to_string()]));
}

#[tokio::test]
async fn status_is_the_one_asked_for() {
    let service = start(&[]);
    for code in [200, 201, 304, 204, 599, 404, 503] {
        assert_eq!(service.get(&format!("/status/{code}")).await.status(), code);
    }
    let response = service
        .client
        .post(service.url("/status/418"))
        .send()
        .await
        .unwrap();
    assert!(problem(response, 418).await.contains("the path asks for"));
}

#[tokio::test]
async fn a_status_that_cannot_be_answered_is_refused() {
    let service = start(&[]);
    for code in ["101", "600", "0"] {
        assert!(
            problem(service.get(&format!("/status/{code}")).await, 400)
                .await
                .contains("200 to 599")
        );
    }
    assert!(
        problem(service.get("/status/ok").await, 400)
            .await
            .contains("`/status/ok`")
    );
}

#[tokio::test]
async fn delay_waits_at_least_as_long_as_asked() {
    let service = start(&[]);
    let start = Instant::now();
    assert_eq!(service.get("/delay/60").await.status(), 200);
    assert!(start.elapsed() >= Duration::from_millis(60));
    assert!(
        problem(service.get("/delay/60001").await, 400)
            .await
            .contains("at most 60000")
    );
}

#[tokio::test]
async fn metrics_count_by_pattern_status_and_version() {
    let service = start(&[]);
    service.get("/status/404").await;
    service.get("/status/404").await;
    service.get("/status/500").await;
    service.get("/no/such/path").await;
    let response = service.get("/metrics").await;
    assert_eq!(
        header(&response, "content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let page = response.text().await.unwrap();
    let labels = |route: &str, status: u16| {
        format!(r#"service="demo-service",version="v2",method="GET",route="{route}",status="{status}""#)
    };
    for line in [
        format!("http_requests_total{{{}}} 2", labels("/status/{code}", 404)),
        format!("http_requests_total{{{}}} 1", labels("/status/{code}", 500)),
        format!("http_requests_total{{{}}} 1", labels("unmatched", 404)),
        format!(
            "http_request_duration_seconds_count{{{}}} 2",
            labels("/status/{code}", 404)
        ),
    ] {
        assert!(
            page.lines().any(|found| found == line),
            "no line {line} in\n{page}"
        );
    }
}

#[tokio::test]
async fn a_method_invented_by_a_client_is_counted_without_its_name() {
    let service = start(&[]);
    let method = reqwest::Method::from_bytes(b"BREW").unwrap();
    service
        .client
        .request(method, service.url("/headers"))
        .send()
        .await
        .unwrap();
    let page = service.get("/metrics").await.text().await.unwrap();
    assert!(page.contains(r#"method="other",route="/headers""#) && !page.contains("BREW"));
}
