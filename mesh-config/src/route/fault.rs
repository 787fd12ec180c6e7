//! Fault injection: what a proxy does to a request before it looks for a destination.

use std::time::Duration;

use super::fraction::{self, Fraction};
use crate::text::{Fields, Value};

/// Percentages below this are refused by Istio.
const LEAST_PERCENT: f64 = 0.0001;

/// `fault` of a route, compiled. Source: istiod's `TranslateFault`, Envoy's `fault_filter.cc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Comes first; its time is not part of the route's timeout.
    pub delay: Option<Delay>,
    /// The request ends here.
    pub abort: Option<Abort>,
}

impl Fault {
    /// Whether nothing happens.
    pub(crate) fn is_empty(&self) -> bool {
        self.delay.is_none() && self.abort.is_none()
    }
}

/// A wait before the request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// How long.
    pub time: Duration,
    /// Which requests; its draw is independent of that of an abort.
    pub share: Fraction,
}

/// An answer instead of the workload's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abort {
    /// Which answer.
    pub status: AbortStatus,
    /// Which requests.
    pub share: Fraction,
}

/// The status of an abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortStatus {
    /// 200 to 599; a gRPC request gets the code of gRPC that stands for it.
    Http(u16),
    /// A code of gRPC; another request gets 200.
    Grpc(u8),
}

/// Reads `fault`. A part that says nothing (no delay, no status) is accepted and does nothing, as in Istio.
pub(crate) fn read(value: &Value<'_>) -> Option<Fault> {
    value.fields(|fields| {
        let (delay, abort) = (fields.get("delay"), fields.get("abort"));
        if delay.is_none() && abort.is_none() {
            fields.value().problem("needs a delay or an abort");
        }
        Fault {
            delay: delay.and_then(|v| v.fields(read_delay)?),
            abort: abort.and_then(|v| v.fields(read_abort)?),
        }
    })
}

fn read_share(fields: &mut Fields<'_>) -> Option<Fraction> {
    fields
        .get("percentage")
        .map(|v| fraction::read(&v, LEAST_PERCENT).unwrap_or(Fraction::NONE))
}

fn read_delay(fields: &mut Fields<'_>) -> Option<Delay> {
    fields.at_most_one(&["fixedDelay", "exponentialDelay"]);
    if let Some(exponential) = fields.get("exponentialDelay") {
        exponential.duration();
        exponential.problem_with("Istio has no exponential delay", "use `fixedDelay`");
    }
    // Deprecated, whole percent, and not checked at all: below zero it is a large number to Envoy.
    let percent = fields.get("percent").and_then(|v| v.int32());
    let percent = percent.map_or(0, |percent| u32::try_from(percent).unwrap_or(u32::MAX));
    Some(Delay {
        share: read_share(fields).unwrap_or(Fraction::percent(percent)),
        time: fields.get("fixedDelay").and_then(|v| v.duration())?,
    })
}

fn read_abort(fields: &mut Fields<'_>) -> Option<Abort> {
    fields.at_most_one(&["httpStatus", "grpcStatus", "http2Error"]);
    if let Some(error) = fields.get("http2Error") {
        error.text();
        error.problem_with(
            "Istio cannot inject HTTP/2 errors",
            "use `httpStatus` or `grpcStatus`",
        );
    }
    let share = read_share(fields).unwrap_or(Fraction::NONE);
    let http = fields
        .get("httpStatus")
        .and_then(|v| check_status(&v, v.int32()?.into()));
    let grpc = fields.get("grpcStatus").and_then(|v| read_code(&v));
    Some(Abort {
        status: http.map(AbortStatus::Http).or(grpc.map(AbortStatus::Grpc))?,
        share,
    })
}

/// A status that Istio takes for answers of the proxy's own (200 to 599; 600 passes it, and Envoy refuses it).
pub(crate) fn check_status(value: &Value<'_>, status: i64) -> Option<u16> {
    match status {
        200..=599 => u16::try_from(status).ok(),
        600 => {
            value.envoy_refuses("the status 600 is not between 200 and 599");
            None
        }
        _ => {
            value.problem(format!("the status {status} is not between 200 and 599"));
            None
        }
    }
}

/// The names of gRPC's codes; the index is the code.
const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

fn read_code(value: &Value<'_>) -> Option<u8> {
    let words: Vec<(&'static str, u8)> = GRPC_CODES.into_iter().zip(0..).collect();
    value.word(&words)
}

impl std::fmt::Display for AbortStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AbortStatus::Http(status) => write!(f, "{status}"),
            AbortStatus::Grpc(code) => {
                let name = GRPC_CODES.get(usize::from(*code)).copied().unwrap_or_default();
                write!(f, "gRPC {name}")
            }
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let delay = self
            .delay
            .map(|delay| format!("waits {:?} on {}", delay.time, delay.share));
        let abort = self
            .abort
            .map(|abort| format!("answers {} on {}", abort.status, abort.share));
        let parts: Vec<String> = delay.into_iter().chain(abort).collect();
        f.write_str(&parts.join(", then "))
    }
}
