//! `POST /tokens` and `POST /verify` over sockets.

use serde_json::json;
use service_kit::Version::{V1, V2};

use crate::support::{KEY, body, problem, start};

#[tokio::test]
async fn every_version_verifies_what_every_version_issued() {
    let services = [start(V1, KEY), start(V2, KEY)];
    for issuer in &services {
        let token = issuer.token("alice").await;
        for verifier in &services {
            assert_eq!(body(verifier.verify(&token).await, 200).await["user"], "alice");
        }
    }
}

#[tokio::test]
async fn v2_says_what_a_token_allows_and_v1_does_not() {
    let (v1, v2) = (start(V1, KEY), start(V2, KEY));
    let scopes = json!(["payments:read", "payments:write"]);
    let token = v1.token("alice").await;
    assert_eq!(body(v2.verify(&token).await, 200).await["scopes"], scopes);
    assert_eq!(body(v2.issue("alice").await, 201).await["scopes"], scopes);
    assert!(body(v1.verify(&token).await, 200).await.get("scopes").is_none());
}

#[tokio::test]
async fn a_token_comes_with_what_a_client_needs_to_use_it() {
    let service = start(V1, KEY);
    let response = service.issue("alice").await;
    assert_eq!(response.headers()["x-served-by"], "auth-service/v1/i");
    let issued = body(response, 201).await;
    assert_eq!(
        (&issued["token_type"], &issued["user"]),
        (&json!("Bearer"), &json!("alice"))
    );
    assert_eq!(issued["expires_in"], 86_400);
    let verified = body(service.verify(issued["token"].as_str().unwrap()).await, 200).await;
    assert_eq!(verified["expires_at"], issued["expires_at"]);
}

#[tokio::test]
async fn a_token_may_come_in_the_body() {
    let service = start(V2, KEY);
    let token = service.token("alice").await;
    let response = service
        .post("/verify")
        .json(&json!({ "token": token }))
        .send()
        .await
        .unwrap();
    assert_eq!(body(response, 200).await["user"], "alice");
}

#[tokio::test]
async fn a_token_of_another_key_is_refused() {
    let token = start(V1, "another-key-of-enough-bytes").token("alice").await;
    assert!(
        problem(start(V1, KEY).verify(&token).await, 401)
            .await
            .contains("signature")
    );
}

#[tokio::test]
async fn without_a_token_the_answer_says_where_to_put_it() {
    let service = start(V1, KEY);
    let nothing = service.post("/verify").send().await.unwrap();
    assert!(problem(nothing, 401).await.contains("Authorization: Bearer"));
    let basic = service
        .post("/verify")
        .basic_auth("alice", Some("x"))
        .send()
        .await
        .unwrap();
    assert!(problem(basic, 401).await.contains("Authorization: Bearer"));
    let damaged = service.verify("no-dot").await;
    assert!(problem(damaged, 401).await.contains("POST /tokens"));
    let broken = service
        .post("/verify")
        .json(&json!({ "tokem": "x" }))
        .send()
        .await
        .unwrap();
    assert!(problem(broken, 400).await.contains("unknown field `tokem`"));
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let service = start(V1, KEY);
    for user in ["", "  ", "a\nb", &"x".repeat(129)] {
        assert!(problem(service.issue(user).await, 422).await.contains("`user`"));
    }
    assert_eq!(service.issue(&"x".repeat(128)).await.status(), 201);
}
