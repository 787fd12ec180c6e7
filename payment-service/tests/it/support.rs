//! Both services in this process, on free ports of loopback, and a stand-in for the mesh.

use std::net::SocketAddr;

use payment_service::http_client;
use reqwest::{Client, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use service_kit::{Config, Version, config};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

pub(crate) const KEY: &str = "a-key-for-tests-of-32-bytes-long";

fn settings<T: DeserializeOwned>(instance: &str, own: (&str, &str)) -> (Config, T) {
    let variables = [
        ("APP_HOST", "127.0.0.1"),
        ("APP_PORT", "0"),
        ("APP_INSTANCE", instance),
        own,
    ];
    config::read(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap()
}

/// Serves until the test's runtime ends.
pub(crate) fn start_auth(version: Version) -> SocketAddr {
    let (config, own) = settings("auth-1", ("APP_TOKEN_KEY", KEY));
    let service = auth_service::build(&config, own, version).unwrap();
    let addr = service.addr();
    tokio::spawn(service.run(std::future::pending()));
    addr
}

pub(crate) struct Payments {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) token: String,
}

/// payment-service that asks the auth-service at this address, whatever proxy the tests run behind.
pub(crate) fn start_payments(version: Version, auth: SocketAddr) -> Payments {
    let (config, own) = settings("pay-1", ("APP_AUTH_URL", &format!("http://{auth}")));
    let http = http_client().no_proxy().build().unwrap();
    let service = payment_service::build(&config, &own, version, http).unwrap();
    let url = format!("http://{}", service.addr());
    tokio::spawn(service.run(std::future::pending()));
    Payments {
        url,
        client: Client::builder().no_proxy().build().unwrap(),
        token: "t".to_owned(),
    }
}

/// Both services, and a token for alice.
pub(crate) async fn start(version: Version) -> Payments {
    let auth = start_auth(Version::V1);
    let mut payments = start_payments(version, auth);
    payments.token = payments.token_for(auth, "alice").await;
    payments
}

impl Payments {
    pub(crate) async fn token_for(&self, auth: SocketAddr, user: &str) -> String {
        let request = self
            .client
            .post(format!("http://{auth}/tokens"))
            .json(&json!({ "user": user }));
        let issued: Value = request.send().await.unwrap().json().await.unwrap();
        issued["token"].as_str().unwrap().to_owned()
    }

    /// A request with token and key, still to be sent.
    pub(crate) fn request(&self, key: &str, order: &Value) -> RequestBuilder {
        let request = self
            .client
            .post(format!("{}/payments", self.url))
            .bearer_auth(&self.token);
        request.header("idempotency-key", key).json(order)
    }

    pub(crate) async fn pay(&self, key: &str, order: &Value) -> Response {
        self.request(key, order).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn ledger(&self) -> Value {
        body(self.get("/ledger").await, 200).await
    }
}

pub(crate) fn order() -> Value {
    json!({ "amount_cents": 1999, "currency": "EUR", "to": "bookshop" })
}

/// Asserts the status and returns the JSON.
pub(crate) async fn body(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status);
    response.json().await.unwrap()
}

/// Asserts that the answer is a problem with this status and returns its detail.
pub(crate) async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert!(response.headers().contains_key("x-served-by"));
    body(response, status).await["detail"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Answers one request per connection with `answer`, as the mesh would, and hands out what was asked.
pub(crate) async fn mesh(answer: &'static str) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (asked, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let _ = asked.send(String::from_utf8(head).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (addr, requests)
}
