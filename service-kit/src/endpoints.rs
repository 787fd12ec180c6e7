//! The paths that every service answers, and how a service declares its own.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::guard;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, ContentType};
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, ResponseError as _, Route};
use serde_json::json;

use crate::fault::{self, LONGEST_WAIT_MS};
use crate::{Instance, Problem};

/// The pattern of a resource, for the `route` label: known when the request is counted, without matching it again.
#[derive(Clone, Copy)]
pub(crate) struct Pattern(pub(crate) &'static str);

/// A resource that is counted under its pattern and answers methods other than `allow` (such as `GET, POST`) with 405.
pub fn resource(pattern: &'static str, allow: &'static str) -> Resource {
    let method_not_allowed = move |request: HttpRequest| async move {
        let detail = format!(
            "{} is not possible on `{pattern}`; use {allow}.",
            request.method()
        );
        let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).error_response();
        response
            .headers_mut()
            .insert(ALLOW, header::HeaderValue::from_static(allow));
        response
    };
    counted(pattern).default_service(web::to(method_not_allowed))
}

fn counted(pattern: &'static str) -> Resource {
    web::resource(pattern).app_data(Pattern(pattern))
}

/// A route for GET and, as RFC 9110 asks of every server, for HEAD.
pub fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

pub(crate) fn routes(service: &mut ServiceConfig) {
    const READ: &str = "GET, HEAD";
    service
        .service(resource("/version", READ).route(get().to(version)))
        .service(resource("/healthz", READ).route(get().to(healthz)))
        .service(resource("/readyz", READ).route(get().to(readyz)))
        .service(resource("/metrics", READ).route(get().to(metrics)))
        .service(counted("/headers").to(headers))
        .service(counted("/status/{code}").to(status))
        .service(counted("/delay/{ms}").to(delay))
        .service(
            resource("/fault", "GET, HEAD, PUT, DELETE")
                .route(get().to(fault::show))
                .route(web::put().to(fault::put))
                .route(web::delete().to(fault::delete)),
        );
}

/// Whether a fault of this instance touches the path. Probes and scrapes must go on telling the truth, and `/fault`
/// must stay able to end what it began.
pub(crate) fn is_faulted(path: &str) -> bool {
    !matches!(path, "/healthz" | "/readyz" | "/metrics" | "/fault")
}

async fn version(instance: web::Data<Instance>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(instance.report.clone())
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "healthy" }))
}

async fn readyz(instance: web::Data<Instance>) -> Result<HttpResponse, Problem> {
    if instance.draining() {
        let detail = "This instance is shutting down; send new requests to another one.";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    }
    Ok(HttpResponse::Ok().json(json!({ "status": "ready" })))
}

async fn metrics(instance: web::Data<Instance>) -> HttpResponse {
    match instance.metrics.encode() {
        Ok(page) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(page),
        Err(error) => {
            let detail = format!("The metrics could not be written: {error}. Scrape again.");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).error_response()
        }
    }
}

/// The request as it arrived, after whatever the mesh did to it; every line of a repeated header.
async fn headers(request: HttpRequest) -> HttpResponse {
    let mut lines: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (name, value) in request.headers() {
        lines
            .entry(name.as_str())
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()));
    }
    let path = request.uri().path_and_query().map(|path| path.as_str());
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(json!({ "method": request.method().as_str(), "path": path, "headers": lines }))
}

/// Answers with the status asked for, whatever the method.
async fn status(code: web::Path<u16>) -> Result<HttpResponse, Problem> {
    match StatusCode::from_u16(*code) {
        Ok(status @ (StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)) => {
            Ok(HttpResponse::build(status).finish())
        }
        Ok(status) if status.is_client_error() || status.is_server_error() => Err(Problem::new(
            status,
            "This is the status that the path asks for; ask for another one.",
        )),
        Ok(status) if status.is_success() || status.is_redirection() => {
            Ok(HttpResponse::build(status).json(json!({ "status": *code })))
        }
        _ => {
            let detail = format!("{code} is not the status of a final answer; ask for 200 to 599.");
            Err(Problem::new(StatusCode::BAD_REQUEST, detail))
        }
    }
}

/// Answers after the time asked for, whatever the method.
async fn delay(ms: web::Path<u64>) -> Result<HttpResponse, Problem> {
    if *ms > LONGEST_WAIT_MS {
        let detail = format!("{ms} ms is too long; ask for at most {LONGEST_WAIT_MS}.");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    tokio::time::sleep(Duration::from_millis(*ms)).await;
    Ok(HttpResponse::Ok().json(json!({ "delay_ms": *ms })))
}

pub(crate) async fn not_found(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let known = "/version, /healthz, /readyz, /metrics, /headers, /status/{code}, /delay/{ms}, /fault";
    let detail = format!(
        "There is nothing at `{}`; besides its own paths this service has {known}.",
        request.path()
    );
    Err(Problem::new(StatusCode::NOT_FOUND, detail))
}
