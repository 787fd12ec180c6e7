//! One key, one charge.

use serde_json::{Value, json};
use service_kit::Version::V2;
use tokio::task::JoinSet;

use crate::support::{body, order, problem, start, start_auth, start_payments};

#[tokio::test]
async fn a_duplicate_is_answered_with_the_first_result() {
    let service = start(V2).await;
    let first = body(service.pay("k", &order()).await, 201).await;
    let response = service.pay("k", &order()).await;
    assert_eq!(response.headers()["idempotency-replayed"], "true");
    assert_eq!(
        response.headers()["x-served-by"],
        "payment-service/v2/pay-1, auth-service/v1/auth-1"
    );
    assert_eq!(body(response, 201).await, first);
    let ledger = service.ledger().await;
    assert_eq!(
        (&ledger["charges"], &ledger["duplicates"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn of_simultaneous_requests_with_one_key_one_is_charged() {
    let service = start(V2).await;
    let mut sent = JoinSet::new();
    for _ in 0..40 {
        sent.spawn(service.request("k", &order()).send());
    }
    let mut payments: Vec<Value> = Vec::new();
    let mut replayed = 0;
    while let Some(response) = sent.join_next().await {
        let response = response.unwrap().unwrap();
        replayed += usize::from(response.headers().contains_key("idempotency-replayed"));
        payments.push(body(response, 201).await);
    }
    assert_eq!((payments.len(), replayed), (40, 39));
    assert!(payments.iter().all(|payment| *payment == payments[0]));
    let ledger = service.ledger().await;
    assert_eq!(
        (&ledger["charges"], &ledger["entries"][0]["duplicates"]),
        (&json!(1), &json!(39))
    );
}

#[tokio::test]
async fn a_key_used_for_another_payment_is_refused() {
    let service = start(V2).await;
    service.pay("k", &order()).await;
    let other = json!({ "amount_cents": 2000, "currency": "EUR", "to": "bookshop" });
    assert!(
        problem(service.pay("k", &other).await, 422)
            .await
            .contains("new key")
    );
    assert_eq!(service.ledger().await["charges"], 1);
}

#[tokio::test]
async fn the_key_of_another_user_does_not_give_away_the_payment() {
    let auth = start_auth(V2);
    let mut service = start_payments(V2, auth);
    service.token = service.token_for(auth, "alice").await;
    service.pay("k", &order()).await;
    service.token = service.token_for(auth, "bob").await;
    let detail = problem(service.pay("k", &order()).await, 422).await;
    assert!(!detail.contains("alice"), "{detail}");
}

#[tokio::test]
async fn a_refused_payment_leaves_its_key_unused() {
    let mut service = start(V2).await;
    let good = std::mem::replace(&mut service.token, "bad".to_owned());
    problem(service.pay("k", &order()).await, 401).await;
    service.token = good;
    let response = service.pay("k", &order()).await;
    assert!(!response.headers().contains_key("idempotency-replayed"));
    body(response, 201).await;
}

#[tokio::test]
async fn a_charge_made_on_two_instances_is_found_by_comparing_ledgers() {
    let auth = start_auth(V2);
    let (mut one, mut two) = (start_payments(V2, auth), start_payments(V2, auth));
    one.token = one.token_for(auth, "alice").await;
    two.token = one.token.clone();
    one.pay("only-here", &order()).await;
    for service in [&one, &two] {
        service.pay("twice", &order()).await;
    }
    let keys = |ledger: Value| -> Vec<String> {
        let entries = ledger["entries"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry["key"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(keys(one.ledger().await), ["only-here", "twice"]);
    assert_eq!(keys(two.ledger().await), ["twice"]);
}
