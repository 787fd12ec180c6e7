//! What a client did wrong, before anything is charged.

use serde_json::json;
use service_kit::Version::V1;

use crate::support::{order, problem, start};

#[tokio::test]
async fn an_order_that_cannot_be_made_is_refused_with_the_field() {
    let service = start(V1).await;
    for (order, words) in [
        (
            json!({ "amount_cents": 0, "currency": "EUR", "to": "x" }),
            "`amount_cents` is 0",
        ),
        (
            json!({ "amount_cents": -5, "currency": "EUR", "to": "x" }),
            "`amount_cents` is -5",
        ),
        (
            json!({ "amount_cents": 1_000_000_000_001_u64, "currency": "EUR", "to": "x" }),
            "to 1000000000000",
        ),
        (
            json!({ "amount_cents": 1, "currency": "DOGE", "to": "x" }),
            "`DOGE`, expected one of `EUR`, `USD`",
        ),
        (
            json!({ "amount_cents": 1, "currency": "eur", "to": "x" }),
            "`currency`",
        ),
        (
            json!({ "amount_cents": 1, "currency": "EUR", "to": " " }),
            "`to` does not name a payee",
        ),
    ] {
        let detail = problem(service.pay("k", &order).await, 422).await;
        assert!(detail.contains(words), "{order}: {detail}");
    }
    assert_eq!(service.ledger().await["charges"], 0);
}

#[tokio::test]
async fn a_body_of_another_shape_is_refused_with_what_is_expected() {
    let service = start(V1).await;
    for (order, words) in [
        (
            json!({ "currency": "EUR", "to": "x" }),
            "missing field `amount_cents`",
        ),
        (
            json!({ "amount_cents": 1.5, "currency": "EUR", "to": "x" }),
            "floating point `1.5`",
        ),
        (
            json!({ "amount_cents": 1, "currency": "EUR", "to": "x", "note": "" }),
            "unknown field `note`",
        ),
        (json!([]), "expected"),
    ] {
        let detail = problem(service.pay("k", &order).await, 400).await;
        assert!(detail.contains(words), "{order}: {detail}");
    }
}

#[tokio::test]
async fn a_payment_needs_one_usable_key() {
    let service = start(V1).await;
    let unkeyed = || {
        service
            .client
            .post(format!("{}/payments", service.url))
            .bearer_auth(&service.token)
    };
    for request in [
        unkeyed(),
        unkeyed()
            .header("idempotency-key", "a")
            .header("idempotency-key", "b"),
        unkeyed().header("idempotency-key", ""),
        unkeyed().header("idempotency-key", "a b"),
        unkeyed().header("idempotency-key", "x".repeat(256)),
    ] {
        let response = request.json(&order()).send().await.unwrap();
        assert!(problem(response, 400).await.contains("`Idempotency-Key`"));
    }
    assert_eq!(service.pay(&"x".repeat(255), &order()).await.status(), 201);
}

#[tokio::test]
async fn a_payment_needs_a_token() {
    let service = start(V1).await;
    let request = service
        .client
        .post(format!("{}/payments", service.url))
        .json(&order());
    let response = request.header("idempotency-key", "k").send().await.unwrap();
    assert_eq!(response.headers()["x-served-by"], "payment-service/v1/pay-1");
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert!(problem(response, 401).await.contains("`POST /tokens`"));
}

#[tokio::test]
async fn a_bad_token_is_refused_in_the_words_of_auth_service() {
    let mut service = start(V1).await;
    service.token.insert(0, 'x');
    let response = service.pay("k", &order()).await;
    assert_eq!(
        response.headers()["x-served-by"],
        "payment-service/v1/pay-1, auth-service/v1/auth-1"
    );
    assert!(
        problem(response, 401)
            .await
            .contains("The token's signature is wrong")
    );
    assert_eq!(service.ledger().await["charges"], 0);
}
