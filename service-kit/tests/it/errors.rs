//! Errors are problem details that say what to do, and leave the connection usable.

use reqwest::header::CONTENT_TYPE;

use crate::support::{header, problem, start};

#[tokio::test]
async fn an_unknown_path_is_told_what_there_is() {
    let detail = problem(start(&[]).get("/nowhere").await, 404).await;
    assert!(detail.contains("`/nowhere`") && detail.contains("/version"));
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let service = start(&[]);
    let response = service
        .client
        .delete(service.url("/version"))
        .send()
        .await
        .unwrap();
    assert_eq!(header(&response, "allow"), "GET, HEAD");
    assert_eq!(
        problem(response, 405).await,
        "DELETE is not possible on `/version`; use GET, HEAD."
    );
}

#[tokio::test]
async fn broken_json_is_located() {
    let service = start(&[]);
    let request = service
        .client
        .post(service.url("/echo"))
        .header(CONTENT_TYPE, "application/json");
    let detail = problem(request.body("{\"a\": }").send().await.unwrap(), 400).await;
    assert!(detail.contains("line 1 column 7"), "{detail}");
}

#[tokio::test]
async fn json_that_is_not_declared_as_such_is_refused() {
    let service = start(&[]);
    let response = service
        .client
        .post(service.url("/echo"))
        .body("{}")
        .send()
        .await
        .unwrap();
    assert!(
        problem(response, 415)
            .await
            .contains("content-type: application/json")
    );
}

#[tokio::test]
async fn a_body_at_the_limit_is_read_and_one_byte_more_refused() {
    let service = start(&[]);
    let post = |length: usize| {
        let request = service
            .client
            .post(service.url("/echo"))
            .header(CONTENT_TYPE, "application/json");
        request.body(format!("\"{}\"", "x".repeat(length - 2))).send()
    };
    assert_eq!(post(65_536).await.unwrap().status(), 200);
    assert!(
        problem(post(65_537).await.unwrap(), 413)
            .await
            .contains("65536 bytes")
    );
    assert!(
        problem(post(3_000_000).await.unwrap(), 413)
            .await
            .contains("65536 bytes")
    );
    assert_eq!(post(10).await.unwrap().status(), 200);
}
