//! The data plane over real sockets: endpoints with behaviours, a client that writes its requests by hand.

mod actions;
mod backend;
mod lab;
mod noise;
mod wire;

use backend::Behaviour;
use lab::{Lab, rule};

/// The destinations of a rule.
const TO_V1: &str = "route: [{destination: {host: auth, subset: v1}}]";
const EVERYTHING_TO_V1: &str = "- route: [{destination: {host: auth, subset: v1}}]";

#[tokio::test]
async fn an_endpoint_sees_what_envoy_would_send() {
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1)).await;
    let answer = lab.get("/a/../b?c=d").await;
    assert_eq!(answer.status, 200);
    let seen = answer.body.to_ascii_lowercase();
    for line in [
        "get /b?c=d http/1.1",
        "host: auth:8080",
        "x-forwarded-proto: http",
        "x-envoy-attempt-count: 1",
        "x-request-id: ",
    ] {
        assert!(seen.contains(line), "{line} in:\n{seen}");
    }
    assert_eq!(answer.header("server"), "envoy");
    assert!(
        answer
            .header("x-envoy-upstream-service-time")
            .parse::<u64>()
            .is_ok()
    );
}

#[tokio::test]
async fn what_leads_nowhere_is_answered_as_envoy_does() {
    let rules = rule(
        "- match: [{uri: {prefix: /nc}}]\n  route: [{destination: {host: auth, subset: missing}}]\n\
         - match: [{uri: {prefix: /uh}}]\n  route: [{destination: {host: auth, subset: v2}}]",
    );
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rules).await;
    for (path, status, body, flags, details) in [
        ("/nr", 404, "", "NR", "route_not_found"),
        ("/nc", 503, "", "NC", "cluster_not_found"),
        ("/uh", 503, "no healthy upstream", "UH", "no_healthy_upstream"),
    ] {
        let answer = lab.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{path}");
        let line = lab.logged().await;
        assert_eq!(
            (
                line["response_flags"].as_str(),
                line["response_code_details"].as_str()
            ),
            (Some(flags), Some(details))
        );
    }
    let unknown = lab.request("GET / HTTP/1.1\r\nhost: nobody:8080\r\n\r\n").await;
    assert_eq!((unknown.status, unknown.body.as_str()), (502, ""));
    assert_eq!(lab.logged().await["response_flags"], "-");
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_elsewhere() {
    let lab = Lab::new(
        &[("v1", Behaviour::Refuse), ("v1", Behaviour::Echo)],
        &rule(EVERYTHING_TO_V1),
    )
    .await;
    // Two draws of two endpoints; the one that refused is avoided five more times: 1 request in 2^6 fails.
    let mut retried = false;
    for _ in 0..20 {
        let answer = lab.get("/").await;
        retried |= answer.status == 200 && answer.body.contains("x-envoy-attempt-count: 2");
    }
    assert!(retried);
}

#[tokio::test]
async fn when_every_try_is_refused_the_client_learns_why() {
    let lab = Lab::new(&[("v1", Behaviour::Refuse)], &rule(EVERYTHING_TO_V1)).await;
    let answer = lab.get("/").await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.body,
        "upstream connect error or disconnect/reset before headers. \
         retried and the latest reset reason: remote connection failure"
    );
    let line = lab.logged().await;
    assert_eq!(line["response_flags"], "URX,UF");
    assert_eq!(
        line["response_code_details"],
        "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}"
    );
    assert_eq!(line["upstream_request_attempt_count"], 3);
}

#[tokio::test]
async fn an_endpoint_that_hangs_up_is_not_tried_again_by_default() {
    let lab = Lab::new(&[("v1", Behaviour::Close)], &rule(EVERYTHING_TO_V1)).await;
    let answer = lab.get("/").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer.body.ends_with("reset reason: connection termination"),
        "{}",
        answer.body
    );
    assert_eq!(lab.logged().await["response_flags"], "UC");
}

#[tokio::test]
async fn a_timeout_ends_the_wait_with_504() {
    let rules = rule("- timeout: 50ms\n  route: [{destination: {host: auth, subset: v1}}]");
    let lab = Lab::new(&[("v1", Behaviour::Hang)], &rules).await;
    let answer = lab.get("/").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (504, "upstream request timeout")
    );
    let line = lab.logged().await;
    assert_eq!(
        (&line["response_flags"], &line["response_code_details"]),
        (&"UT".into(), &"response_timeout".into())
    );
}

#[tokio::test]
async fn a_body_is_sent_again_with_every_try() {
    let rules = rule(
        "- retries: {attempts: 3, retryOn: 5xx, backoff: 1ms}\n  route: [{destination: {host: auth, subset: v1}}]",
    );
    let lab = Lab::new(&[("v1", Behaviour::FailTwice)], &rules).await;
    let answer = lab
        .request("POST /pay HTTP/1.1\r\nhost: auth:8080\r\ncontent-length: 5\r\n\r\nmoney")
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("x-envoy-attempt-count: 3") && answer.body.ends_with("money"));
    assert_eq!(lab.logged().await["bytes_received"], 5);
}

#[tokio::test]
async fn above_the_limit_on_requests_there_is_an_overflow() {
    let limits = "trafficPolicy: {connectionPool: {http: {http2MaxRequests: 1}}}";
    let lab = Lab::with_policy(&[("v1", Behaviour::Hang)], &rule(EVERYTHING_TO_V1), limits).await;
    let first = lab.open("GET /first HTTP/1.1\r\nhost: auth:8080\r\n\r\n").await;
    lab.received(1).await;
    let second = lab.get("/second").await;
    assert_eq!(
        (second.status, second.header("x-envoy-overloaded")),
        (503, "true")
    );
    assert!(second.body.ends_with("reset reason: overflow"));
    assert_eq!(lab.logged().await["response_flags"], "UO");
    drop(first);
    let line = lab.logged().await;
    assert_eq!(
        (&line["response_flags"], &line["path"]),
        (&"DC".into(), &"/first".into())
    );
}

#[tokio::test]
async fn five_errors_in_a_row_eject_an_endpoint() {
    let policy = "trafficPolicy: {outlierDetection: {maxEjectionPercent: 100}}";
    let lab = Lab::with_policy(&[("v1", Behaviour::Fail)], &rule(EVERYTHING_TO_V1), policy).await;
    for _ in 0..5 {
        let answer = lab.get("/").await;
        assert_eq!(answer.body, "broken");
    }
    assert_eq!(lab.get("/").await.body, "no healthy upstream");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1)).await;
    for _ in 0..10 {
        assert_eq!(lab.get("/").await.status, 200);
    }
    assert_eq!(lab.connections(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_the_endpoint_closes_is_no_error() {
    let lab = Lab::new(&[("v1", Behaviour::AnswerOnceAndClose)], &rule(EVERYTHING_TO_V1)).await;
    for round in 1..=20 {
        assert_eq!(lab.get("/").await.status, 200);
        lab.closed(round).await;
    }
    assert_eq!(lab.connections(), 20);
}

#[tokio::test]
async fn header_operations_reach_the_proxys_own_answers() {
    let rules = rule(
        "- headers: {response: {set: {x-stage: canary}}}\n  route: [{destination: {host: auth, subset: v2}}]",
    );
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rules).await;
    let answer = lab.get("/").await;
    assert_eq!((answer.status, answer.header("x-stage")), (503, "canary"));
}

#[tokio::test]
async fn a_split_follows_its_weights() {
    let rules = rule(
        "- route:\n  - {destination: {host: auth, subset: v1}, weight: 90}\n  - {destination: {host: auth, subset: v2}, weight: 10}",
    );
    let lab = Lab::new(&[("v1", Behaviour::Echo), ("v2", Behaviour::Fail)], &rules).await;
    let mut canary = 0;
    for _ in 0..1000 {
        canary += u32::from(lab.get("/").await.status == 500);
    }
    // 1000 draws at 10 %: outside of 43..=163 with probability below 1e-9 (exact binomial, both sides).
    assert!((43..=163).contains(&canary), "{canary} of 1000");
}

#[tokio::test]
async fn requests_are_counted_under_istios_names() {
    let lab = Lab::new(&[("v1", Behaviour::Echo)], &rule(EVERYTHING_TO_V1)).await;
    for _ in 0..3 {
        lab.get("/").await;
    }
    let metrics = lab.plane.metrics().await;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("istio_requests_total{"))
        .unwrap();
    for part in [
        "source_workload=\"client\"",
        "destination_service=\"auth.shop.svc.cluster.local\"",
        "destination_version=\"v1\"",
        "response_code=\"200\"",
        "response_flags=\"-\"",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(line.ends_with(" 3"), "{line}");
    assert!(metrics.contains("istio_request_duration_milliseconds_count{"));
}
