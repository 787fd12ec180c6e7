//! auth-service in this process, on a free port of loopback.

use std::net::SocketAddr;

use auth_service::{Settings, build};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use service_kit::{Version, config};

pub(crate) const KEY: &str = "a-key-for-tests-of-32-bytes-long";

pub(crate) struct Auth {
    addr: SocketAddr,
    client: Client,
}

/// Serves until the test's runtime ends.
pub(crate) fn start(version: Version, key: &str) -> Auth {
    let variables = [
        ("APP_HOST", "127.0.0.1"),
        ("APP_PORT", "0"),
        ("APP_INSTANCE", "i"),
        ("APP_TOKEN_KEY", key),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let (config, settings) = config::read::<Settings>(variables).unwrap();
    let service = build(&config, settings, version).unwrap();
    let addr = service.addr();
    tokio::spawn(service.run(std::future::pending()));
    Auth {
        addr,
        client: Client::builder().no_proxy().build().unwrap(),
    }
}

impl Auth {
    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.addr))
    }

    pub(crate) async fn issue(&self, user: &str) -> Response {
        self.post("/tokens")
            .json(&json!({ "user": user }))
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn token(&self, user: &str) -> String {
        body(self.issue(user).await, 201).await["token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) async fn verify(&self, token: &str) -> Response {
        self.post("/verify").bearer_auth(token).send().await.unwrap()
    }
}

/// Asserts the status and returns the JSON.
pub(crate) async fn body(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status);
    response.json().await.unwrap()
}

/// Asserts that the answer is a problem with this status and returns its detail.
pub(crate) async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers().contains_key("www-authenticate"), status == 401);
    body(response, status).await["detail"]
        .as_str()
        .unwrap()
        .to_owned()
}
