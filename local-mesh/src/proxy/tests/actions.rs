//! Faults, copies, CORS, redirects and fixed answers, over real sockets.

use std::time::{Duration, Instant};

use super::TO_V1;
use super::backend::Behaviour;
use super::lab::{Lab, rule};

async fn lab(fields: &str) -> Lab {
    let endpoints = [("v1", Behaviour::Echo), ("v2", Behaviour::Echo)];
    Lab::new(&endpoints, &rule(&format!("- {fields}"))).await
}

#[tokio::test]
async fn routes_answer_themselves() {
    let rules = rule(
        "- match: [{uri: {prefix: /old}}]\n  redirect: {uri: /new}\n  headers: {response: {set: {x-why: moved}}}\n\
         - directResponse: {status: 201, body: {string: made}}\n  headers: {response: {remove: [content-type]}}",
    );
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rules).await;
    let moved = lab.get("/old?x=1").await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (301, "http://auth:8080/new?x=1")
    );
    assert_eq!(
        (moved.header("x-why"), moved.header("content-type")),
        ("moved", "")
    );
    let made = lab.get("/x").await;
    assert_eq!((made.status, made.body.as_str()), (201, "made"));
    assert_eq!(
        (made.header("location"), made.header("content-type")),
        ("http://auth:8080/x", "text/plain")
    );
    let line = lab.logged().await;
    assert_eq!(
        (&line["response_flags"], &line["response_code_details"]),
        (&"-".into(), &"direct_response".into())
    );
    // Answered before the body was read: the connection is of no more use.
    let post = lab
        .request("POST /x HTTP/1.1\r\nhost: auth:8080\r\ncontent-length: 5\r\n\r\nmoney")
        .await;
    assert_eq!(post.header("connection"), "close");
    let grpc = lab
        .request("GET /x HTTP/1.1\r\nhost: auth:8080\r\ncontent-type: application/grpc\r\n\r\n")
        .await;
    assert_eq!((grpc.status, grpc.body.as_str()), (200, ""));
    assert_eq!(
        (grpc.header("grpc-status"), grpc.header("grpc-message")),
        ("2", "made")
    );
    assert!(lab.texts().is_empty());
}

#[tokio::test]
async fn a_fault_delays_then_aborts_and_nobody_is_asked() {
    let fault = "{delay: {fixedDelay: 60ms, percentage: {value: 100}}, abort: {httpStatus: 503, percentage: {value: 100}}}";
    let lab = lab(&format!(
        "fault: {fault}\n  retries: {{attempts: 3, retryOn: 5xx}}\n  {TO_V1}"
    ))
    .await;
    let started = Instant::now();
    let answer = lab.get("/").await;
    assert!(started.elapsed() >= Duration::from_millis(60));
    assert_eq!((answer.status, answer.body.as_str()), (503, "fault filter abort"));
    let line = lab.logged().await;
    assert_eq!(
        (&line["response_flags"], &line["response_code_details"]),
        (&"DI,FI".into(), &"fault_filter_abort".into())
    );
    assert!(lab.texts().is_empty());
}

#[tokio::test]
async fn an_abort_with_a_grpc_code_depends_on_the_request() {
    let lab = lab(&format!(
        "fault: {{abort: {{grpcStatus: OK, percentage: {{value: 100}}}}}}\n  {TO_V1}"
    ))
    .await;
    let plain = lab.get("/").await;
    assert_eq!(
        (plain.status, plain.body.as_str(), plain.header("grpc-status")),
        (200, "fault filter abort", "")
    );
    let grpc = lab
        .request("GET / HTTP/1.1\r\nhost: auth:8080\r\ncontent-type: application/grpc\r\n\r\n")
        .await;
    assert_eq!((grpc.body.as_str(), grpc.header("grpc-status")), ("", "0"));
}

#[tokio::test]
async fn an_abort_takes_its_share_of_the_requests() {
    let lab = lab(&format!(
        "fault: {{abort: {{httpStatus: 500, percentage: {{value: 10}}}}}}\n  {TO_V1}"
    ))
    .await;
    let mut aborted = 0;
    for _ in 0..1000 {
        aborted += u32::from(lab.get("/").await.status == 500);
    }
    // 1000 draws at 10 %: outside of 43..=163 with probability below 1e-9 (exact binomial, both sides).
    assert!((43..=163).contains(&aborted), "{aborted} of 1000");
}

#[tokio::test]
async fn a_copy_is_the_request_as_it_was_sent_with_its_body() {
    let lab = lab(&format!(
        "rewrite: {{uri: /new}}\n  mirror: {{host: auth, subset: v2}}\n  headers: {{request: {{set: {{x-stage: a}}}}}}\n  {TO_V1}"
    ))
    .await;
    let answer = lab
        .request("POST / HTTP/1.1\r\nhost: auth:8080\r\nx-forwarded-for: 10.0.0.1\r\ncontent-length: 5\r\n\r\nmoney")
        .await;
    assert_eq!(answer.status, 200);
    lab.received(2).await;
    let texts = lab.texts();
    let (copies, originals): (Vec<_>, Vec<_>) = texts
        .iter()
        .partition(|text| text.contains("x-envoy-internal: true"));
    assert_eq!((copies.len(), originals.len()), (1, 1), "{texts:?}");
    assert!(
        copies[0].contains("x-forwarded-for: 10.0.0.1,127.0.0.1\r\n"),
        "{}",
        copies[0]
    );
    assert!(
        originals[0].contains("x-forwarded-for: 10.0.0.1\r\n"),
        "{}",
        originals[0]
    );
    for text in texts {
        assert!(
            text.starts_with("post /new http/1.1") && text.ends_with("\r\n\r\nmoney"),
            "{text}"
        );
        assert!(
            text.contains("x-stage: a") && text.contains("x-envoy-original-path: /\r\n"),
            "{text}"
        );
    }
    assert_eq!(lab.logged().await["path"], "/");
}

#[tokio::test]
async fn a_large_body_reaches_both_though_the_copy_is_slow_to_start() {
    let lab = lab(&format!("mirror: {{host: auth, subset: v2}}\n  {TO_V1}")).await;
    // More than is kept for another try.
    let body = "x".repeat(3 << 20);
    let head = format!(
        "POST / HTTP/1.1\r\nhost: auth:8080\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let answer = lab.request(&(head + &body)).await;
    assert!(answer.body.ends_with(&body));
    lab.received(2).await;
    assert!(lab.texts().iter().all(|text| text.ends_with(&body)));
}

#[tokio::test]
async fn without_an_endpoint_for_the_request_there_is_no_copy() {
    let rules = rule(
        "- match: [{uri: {prefix: /uh}}]\n  mirror: {host: auth, subset: v1}\n  route: [{destination: {host: auth, subset: v2}}]\n\
         - route: [{destination: {host: auth, subset: v1}}]",
    );
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rules).await;
    assert_eq!(lab.get("/uh").await.body, "no healthy upstream");
    assert_eq!(lab.get("/").await.status, 200);
    assert_eq!(lab.texts().len(), 1);
}

#[tokio::test]
async fn a_copy_that_fails_is_tried_once_and_not_noticed() {
    let fields =
        format!("mirror: {{host: auth, subset: v2}}\n  retries: {{attempts: 3, retryOn: 5xx}}\n  {TO_V1}");
    let endpoints = [("v1", Behaviour::Echo), ("v2", Behaviour::Close)];
    let lab = Lab::new(&endpoints, &rule(&format!("- {fields}"))).await;
    for round in 1..=3 {
        assert_eq!(lab.get("/").await.status, 200);
        lab.received(2 * round).await;
        assert_eq!(lab.texts().len(), 2 * round);
        assert_eq!(lab.logged().await["response_code"], 200);
    }
}

const CORS: &str = "corsPolicy: {allowOrigins: [{exact: \"https://a\"}], allowMethods: [\"*\"], allowHeaders: [\"*\"], \
                    exposeHeaders: [x-a, x-b], maxAge: 24h, allowCredentials: true";

#[tokio::test]
async fn a_preflight_is_answered_for_an_origin_that_is_allowed() {
    let lab = lab(&format!("{CORS}}}\n  {TO_V1}")).await;
    let preflight = |origin: &str| {
        format!(
            "OPTIONS / HTTP/1.1\r\nhost: auth:8080\r\norigin: {origin}\r\naccess-control-request-method: PUT\r\n\r\n"
        )
    };
    let answer = lab.request(&preflight("https://a")).await;
    for (name, value) in [
        ("access-control-allow-origin", "https://a"),
        ("access-control-allow-methods", "PUT"),
        ("access-control-expose-headers", "x-a,x-b"),
        ("access-control-max-age", "86400"),
        ("access-control-allow-credentials", "true"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(lab.texts().is_empty());
    assert_eq!(lab.logged().await["response_code_details"], "cors_response");
    // A foreign one goes on to the workload, without headers on its answer.
    let answer = lab.request(&preflight("https://b")).await;
    assert!(answer.body.contains("OPTIONS / HTTP/1.1"));
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn answers_say_who_may_read_them_the_proxys_own_too() {
    let lab = lab(&format!(
        "{CORS}}}\n  route: [{{destination: {{host: auth, subset: none}}}}]"
    ))
    .await;
    let get = |origin: &str| format!("GET / HTTP/1.1\r\nhost: auth:8080\r\norigin: {origin}\r\n\r\n");
    let answer = lab.request(&get("https://a")).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (503, "https://a")
    );
    assert_eq!(answer.header("access-control-allow-methods"), "");
    assert_eq!(
        lab.request(&get("https://b"))
            .await
            .header("access-control-allow-origin"),
        ""
    );
}

#[tokio::test]
async fn header_values_tell_what_the_proxy_knows() {
    let lab = lab(&format!(
        "name: login\n  headers: {{request: {{set: {{x-route: \"%ROUTE_NAME%\", x-to: \"%UPSTREAM_CLUSTER%\", x-from: \"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\"}}}}, \
         response: {{set: {{x-code: \"%RESPONSE_CODE%\", x-flags: \"%RESPONSE_FLAGS%\", x-path: \"%REQ(:path)%\"}}}}}}\n  rewrite: {{uri: /new}}\n  {TO_V1}"
    ))
    .await;
    let answer = lab
        .request("GET / HTTP/1.1\r\nhost: auth:8080\r\nx-forwarded-for: 10.1.1.1, 10.0.0.1\r\n\r\n")
        .await;
    assert_eq!(
        (
            answer.header("x-code"),
            answer.header("x-flags"),
            answer.header("x-path")
        ),
        ("200", "-", "/new")
    );
    for line in [
        "x-route: login\r\n",
        "x-to: outbound|8080|v1|auth.shop.svc.cluster.local;\r\n",
        "x-from: 10.0.0.1\r\n",
    ] {
        assert!(answer.body.contains(line), "{line} in {}", answer.body);
    }
}

#[tokio::test]
async fn a_header_name_that_cannot_be_sent_fails_every_request() {
    let lab = lab(&format!(
        "headers: {{request: {{set: {{x stage: a}}}}}}\n  {TO_V1}"
    ))
    .await;
    let answer = lab.get("/").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (503, "invalid header name: x stage")
    );
    assert_eq!(lab.logged().await["response_flags"], "DPE");
}
