//! A payment from request to answer, and how it is found again.

use serde_json::{Value, json};
use service_kit::Version::{V1, V2};

use crate::support::{body, order, problem, start, start_auth, start_payments};

#[tokio::test]
async fn a_payment_is_charged_and_found_by_its_location() {
    let service = start(V1).await;
    let response = service.pay("k1", &order()).await;
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(!response.headers().contains_key("idempotency-replayed"));
    let payment = body(response, 201).await;
    assert_eq!(location, format!("/payments/{}", payment["id"].as_str().unwrap()));
    for (field, value) in [
        ("status", json!("charged")),
        ("amount_cents", json!(1999)),
        ("currency", json!("EUR")),
        ("to", json!("bookshop")),
        ("user", json!("alice")),
    ] {
        assert_eq!(payment[field], value, "{field}");
    }
    assert_eq!(body(service.get(&location).await, 200).await, payment);
}

#[tokio::test]
async fn served_by_names_both_hops_in_the_order_of_the_way() {
    for (payments, auth) in [(V1, V1), (V1, V2), (V2, V1), (V2, V2)] {
        let auth_addr = start_auth(auth);
        let mut service = start_payments(payments, auth_addr);
        service.token = service.token_for(auth_addr, "alice").await;
        let both = format!("payment-service/{payments}/pay-1, auth-service/{auth}/auth-1");
        assert_eq!(service.pay("k", &order()).await.headers()["x-served-by"], both);
        let own = format!("payment-service/{payments}/pay-1");
        assert_eq!(service.get("/version").await.headers()["x-served-by"], own);
    }
}

#[tokio::test]
async fn v2_shows_the_fees_and_v1_does_not() {
    let made =
        |service: crate::support::Payments| async move { body(service.pay("k", &order()).await, 201).await };
    assert!(made(start(V1).await).await.get("fees").is_none());
    let fees = json!({ "processing_cents": 53, "conversion_cents": 0, "total_cents": 53, "net_cents": 1946 });
    assert_eq!(made(start(V2).await).await["fees"], fees);
}

#[tokio::test]
async fn an_id_of_another_instance_is_not_found_here() {
    let (one, other) = (start(V1).await, start(V1).await);
    let payment: Value = body(one.pay("k", &order()).await, 201).await;
    other.pay("k", &order()).await;
    let path = format!("/payments/{}", payment["id"].as_str().unwrap());
    assert!(problem(other.get(&path).await, 404).await.contains("(pay-1)"));
    for path in ["/payments/0", "/payments/-0", &format!("{path}0")] {
        problem(one.get(path).await, 404).await;
    }
}
