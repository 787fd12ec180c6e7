//! Request counts and durations, in the OpenMetrics text format that Prometheus reads.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use prometheus_client::registry::{Registry, Unit};

use crate::Version;

/// Upper bounds in seconds: from half a millisecond, a hop on loopback, to ten seconds, the timeout of the routes.
const BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Nothing in it is allocated per request, and nothing a client sends can add to it: the route is the pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// `http_requests_total` and `http_request_duration_seconds`, labelled with service, version, method, route and status.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
}

impl Metrics {
    pub(crate) fn new(service: &str, version: Version) -> Self {
        let same = [("service", service.to_owned()), ("version", version.to_string())];
        let same = same
            .into_iter()
            .map(|(name, value)| (Cow::Borrowed(name), Cow::Owned(value)));
        let mut registry = Registry::with_labels(same);
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let help = "Time from the head of the request to the head of the response";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, durations.clone());
        Self {
            registry,
            requests,
            durations,
        }
    }

    /// Counts a request; `route` is a pattern such as `/payments/{id}`, not a path.
    pub(crate) fn observe(&self, method: &Method, route: &'static str, status: StatusCode, took: Duration) {
        let labels = Labels {
            method: known(method),
            route,
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// The page that Prometheus scrapes.
    pub(crate) fn encode(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

/// A method is any token a client likes; only the known ones become label values.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
