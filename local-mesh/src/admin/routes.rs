//! From an HTTP request to the control plane and back.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use mesh_config::Source;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{Failure, Manifests, Query};
use crate::control::Control;

/// Manifests beyond this are a mistake.
const LARGEST_BODY: usize = 16 * 1024 * 1024;
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
/// Of the text format of metrics.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

type Answer = Response<Full<Bytes>>;

/// Answers one request.
pub(super) async fn answer(control: Control, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let answer = match checked(&request) {
        Ok(()) => route(&control, request).await,
        Err(refusal) => Err(refusal),
    };
    Ok(answer.unwrap_or_else(|failure| failed(&failure)))
}

/// A page in a browser must not be able to start programs here: neither through a form nor through a name that leads
/// to this machine.
fn checked(request: &Request<Incoming>) -> Result<(), Failure> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let is_local = name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if !is_local {
        let text = format!("the Host `{host}` is not a loopback address; call this API by its address");
        return Err(Failure::refused(text));
    }
    let is_json = text(CONTENT_TYPE).is_some_and(|kind| kind.starts_with(JSON));
    if request.method() == Method::POST && !is_json {
        return Err(Failure::refused(format!("send `content-type: {JSON}`")));
    }
    Ok(())
}

async fn route(control: &Control, request: Request<Incoming>) -> Result<Answer, Failure> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match (method.as_str(), path.as_str()) {
        ("GET", "/ready") => Ok(ready(control)),
        ("GET", "/status") => Ok(json(&*control.status().borrow())),
        ("POST", "/apply") => Ok(json(&control.apply(sources(request).await?).await?)),
        ("POST", "/delete") => Ok(json(&control.delete(sources(request).await?).await?)),
        ("GET", "/objects") => Ok(json(&control.list(query(&request)?).await?)),
        ("POST", "/explain") => Ok(json(&control.explain(body(request).await?).await?)),
        ("GET", "/logs") => Ok(text(StatusCode::OK, TEXT, control.logs(query(&request)?).await?)),
        ("GET", "/stats/prometheus") => Ok(text(StatusCode::OK, PROMETHEUS, control.metrics().await)),
        _ => Err(Failure::not_found(format!(
            "no {method} {path}; there are GET /ready, /status, /objects, /logs, /stats/prometheus and POST /apply, /delete, /explain"
        ))),
    }
}

fn ready(control: &Control) -> Answer {
    let status = control.status();
    let status = status.borrow();
    if status.ready {
        text(StatusCode::OK, TEXT, "ready\n".to_owned())
    } else {
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            TEXT,
            status.missing.join("\n") + "\n",
        )
    }
}

async fn sources(request: Request<Incoming>) -> Result<Vec<Source>, Failure> {
    let manifests: Manifests = body(request).await?;
    let sources = manifests.sources.into_iter();
    Ok(sources
        .map(|source| Source {
            name: source.name,
            text: source.text,
        })
        .collect())
}

async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Failure> {
    let body = Limited::new(request.into_body(), LARGEST_BODY);
    let collected = body
        .collect()
        .await
        .map_err(|error| Failure::refused(format!("the body cannot be read: {error}")))?;
    serde_json::from_slice(&collected.to_bytes())
        .map_err(|error| Failure::refused(format!("the body is not what this request takes: {error}")))
}

fn query(request: &Request<Incoming>) -> Result<Query, Failure> {
    serde_urlencoded::from_str(request.uri().query().unwrap_or_default())
        .map_err(|error| Failure::refused(format!("the query is not what this request takes: {error}")))
}

fn json(value: &impl Serialize) -> Answer {
    match serde_json::to_string(value) {
        Ok(body) => text(StatusCode::OK, JSON, body),
        Err(error) => failed(&Failure::refused(error)),
    }
}

fn failed(failure: &Failure) -> Answer {
    let status = if failure.not_found {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let body = serde_json::to_string(failure).unwrap_or_default();
    text(status, JSON, body)
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    let kind = http::HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
