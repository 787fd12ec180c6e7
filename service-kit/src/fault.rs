//! Faults on demand: what an unhealthy instance looks like to the mesh (outlier detection, retries, timeouts).

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use crate::{Instance, Problem};

/// Longest wait that `/fault` and `/delay` take, in milliseconds: well over any timeout of the demo's routes.
pub(crate) const LONGEST_WAIT_MS: u64 = 60_000;

/// What `PUT /fault` takes and `GET /fault` answers. Fields left out mean no such fault.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Share of requests to fail, 0 to 1; drawn anew for each request.
    pub error_rate: f64,
    /// Status of those, 400 to 599.
    pub status: u16,
    /// Wait before every answer, in milliseconds.
    pub latency_ms: u64,
}

impl Default for Fault {
    fn default() -> Self {
        Self {
            error_rate: 0.0,
            status: 503,
            latency_ms: 0,
        }
    }
}

impl Fault {
    fn check(&self) -> Result<(), Problem> {
        let wrong = match self {
            Self { error_rate, .. } if !(0.0..=1.0).contains(error_rate) => {
                "`error_rate` is a share: send a number from 0 to 1.".to_owned()
            }
            Self { status, .. } if !(400..=599).contains(status) => {
                "`status` is not that of an error: send a number from 400 to 599.".to_owned()
            }
            Self { latency_ms, .. } if *latency_ms > LONGEST_WAIT_MS => {
                format!("`latency_ms` is too long: send at most {LONGEST_WAIT_MS}.")
            }
            _ => return Ok(()),
        };
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, wrong))
    }

    /// Waits and fails as told; `draw` is uniform on [0, 1).
    pub(crate) async fn inject(self, draw: f64) -> Result<(), Problem> {
        if self.latency_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.latency_ms)).await;
        }
        if draw >= self.error_rate {
            return Ok(());
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let detail = "This instance was told to fail by `PUT /fault`; `DELETE /fault` on it ends that.";
        Err(Problem::new(status, detail))
    }
}

/// The fault in force on this instance.
#[derive(Debug, Default)]
pub(crate) struct Faults(RwLock<Fault>);

impl Faults {
    pub(crate) fn current(&self) -> Fault {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, fault: Fault) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

fn enabled(instance: &Instance) -> Result<&Faults, Problem> {
    let detail = "Faults are off on this instance; start it with `APP_FAULTS=true` to use `/fault`.";
    instance
        .faults
        .as_ref()
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, detail))
}

/// `GET /fault`: the fault in force.
pub(crate) async fn show(instance: web::Data<Instance>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(enabled(&instance)?.current()))
}

/// `PUT /fault`: replaces it; 422 if a number is out of range.
pub(crate) async fn put(
    instance: web::Data<Instance>,
    fault: Result<web::Json<Fault>, actix_web::Error>,
) -> Result<HttpResponse, actix_web::Error> {
    let faults = enabled(&instance)?; // before the body is judged: where faults are off, no body helps
    let fault = fault?.into_inner();
    fault.check()?;
    faults.replace(fault);
    Ok(HttpResponse::Ok().json(fault))
}

/// `DELETE /fault`: no fault any more.
pub(crate) async fn delete(instance: web::Data<Instance>) -> Result<HttpResponse, Problem> {
    enabled(&instance)?.replace(Fault::default());
    Ok(HttpResponse::NoContent().finish())
}
