//! `/fault`: off by default, exact at 0 and 1, a share between, never on probes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Running, problem, start};

async fn put(service: &Running, fault: Value) -> reqwest::Response {
    service
        .client
        .put(service.url("/fault"))
        .json(&fault)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn without_permission_there_is_no_fault() {
    let service = start(&[]);
    assert!(
        problem(put(&service, json!({"error_rate": 1})).await, 404)
            .await
            .contains("APP_FAULTS=true")
    );
    assert!(
        problem(service.get("/fault").await, 404)
            .await
            .contains("APP_FAULTS=true")
    );
    assert_eq!(service.get("/version").await.status(), 200);
}

#[tokio::test]
async fn a_fault_is_set_shown_and_removed() {
    let service = start(&[("APP_FAULTS", "true")]);
    let fault = json!({"error_rate": 1.0, "status": 500, "latency_ms": 0});
    assert_eq!(
        put(&service, fault.clone()).await.json::<Value>().await.unwrap(),
        fault
    );
    assert_eq!(service.get("/fault").await.json::<Value>().await.unwrap(), fault);
    assert!(
        problem(service.get("/version").await, 500)
            .await
            .contains("DELETE /fault")
    );
    assert!(
        problem(service.get("/no/such/path").await, 500)
            .await
            .contains("DELETE /fault")
    );
    assert_eq!(
        service
            .client
            .delete(service.url("/fault"))
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    assert_eq!(service.get("/version").await.status(), 200);
}

#[tokio::test]
async fn probes_and_metrics_are_spared() {
    let service = start(&[("APP_FAULTS", "true")]);
    put(&service, json!({"error_rate": 1})).await;
    for path in ["/healthz", "/readyz", "/metrics", "/fault"] {
        assert_eq!(service.get(path).await.status(), 200, "{path}");
    }
    assert_eq!(service.get("/headers").await.status(), 503);
}

#[tokio::test]
async fn latency_comes_before_every_answer() {
    let service = start(&[("APP_FAULTS", "true")]);
    put(&service, json!({"latency_ms": 70})).await;
    let start = Instant::now();
    assert_eq!(service.get("/version").await.status(), 200);
    assert!(start.elapsed() >= Duration::from_millis(70));
}

/// 600 draws at 0.3: between 107 and 258 failures (180 +- 7 standard deviations of 11.2). An honest service fails this
/// with probability below 1e-10; one that ignores the rate (0 or 1) or halves or doubles it fails it practically always.
#[tokio::test]
async fn the_error_rate_is_the_share_that_fails() {
    let service = start(&[("APP_FAULTS", "true")]);
    put(&service, json!({"error_rate": 0.3})).await;
    let mut failed = 0;
    for _ in 0..600 {
        failed += u32::from(service.get("/version").await.status() == 503);
    }
    assert!((107..=258).contains(&failed), "{failed} of 600 failed");
}

#[tokio::test]
async fn numbers_out_of_range_are_refused_and_change_nothing() {
    let service = start(&[("APP_FAULTS", "true")]);
    for (fault, word) in [
        (json!({"error_rate": 1.1}), "error_rate"),
        (json!({"error_rate": -0.1}), "error_rate"),
        (json!({"status": 200}), "status"),
        (json!({"latency_ms": 60_001}), "latency_ms"),
    ] {
        assert!(problem(put(&service, fault).await, 422).await.contains(word));
    }
    assert!(
        problem(put(&service, json!({"rate": 1})).await, 400)
            .await
            .contains("unknown field `rate`")
    );
    assert_eq!(service.get("/version").await.status(), 200);
}
