//! A service with nothing but the kit, and one path that echoes JSON.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::Value;
use service_kit::{Config, Service, Version, forwarded, record_called, resource};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

/// Configuration from these variables, on a free port of loopback.
pub(crate) fn config(variables: &[(&str, &str)]) -> Config {
    let loopback = [
        ("APP_HOST", "127.0.0.1"),
        ("APP_PORT", "0"),
        ("APP_DRAIN_MS", "0"),
    ];
    let given = loopback
        .iter()
        .chain(variables)
        .map(|(k, v)| (k.to_string(), v.to_string()));
    let unique: BTreeMap<_, _> = given.collect();
    service_kit::config::read::<Nothing>(unique).unwrap().0
}

pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
}

pub(crate) fn start(variables: &[(&str, &str)]) -> Running {
    let service = Service::build("demo-service", Version::V2, &config(variables), routes).unwrap();
    let addr = service.addr();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(service.run(async {
        let _ = stopped.await;
    }));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    Running {
        addr,
        client,
        stop: Some(stop),
        served,
    }
}

fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/echo", "POST").route(web::post().to(|body: web::Json<Value>| async { body })))
        .service(resource("/called", "POST").route(web::post().to(called)))
        .service(resource("/forwarded", "GET").route(service_kit::get().to(show_forwarded)));
}

/// Pretends that handling the request led to a call; the body is what the called service said in `x-served-by`.
async fn called(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    record_called(&request, &body);
    HttpResponse::Ok().finish()
}

async fn show_forwarded(request: HttpRequest) -> web::Json<Vec<(String, String)>> {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let mut lines: Vec<_> = forwarded(request.headers())
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect();
    lines.sort();
    web::Json(lines)
}

impl Running {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }
}

pub(crate) fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

/// Asserts that the answer is a problem with this status and returns its detail.
pub(crate) async fn problem(response: reqwest::Response, status: u16) -> String {
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert!(header(&response, "x-served-by").starts_with("demo-service/v2/"));
    assert_eq!(response.status(), status);
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        (&body["type"], &body["status"]),
        (&"about:blank".into(), &status.into())
    );
    assert!(body["title"].is_string());
    body["detail"].as_str().unwrap().to_owned()
}
