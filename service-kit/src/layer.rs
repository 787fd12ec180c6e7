//! What happens around every request: faults, `x-served-by`, counts, and closing connections while draining.

use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, ResponseError as _, web};

use crate::Instance;
use crate::endpoints::{Pattern, is_faulted};

/// Header of every response: who served it, `service/version/instance`, the service that answers first, then whatever
/// it called.
pub const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");

/// What the called service said in its own `x-served-by`.
struct Called(Vec<u8>);

/// Tells the layer that `request` led to a call, and what its answer said in [`SERVED_BY`]. An answer without it was not
/// made by a service but by the mesh, and adds nothing.
pub fn record_called(request: &HttpRequest, served_by: &[u8]) {
    request.extensions_mut().insert(Called(served_by.to_vec()));
}

pub(crate) async fn around<B: MessageBody>(
    instance: web::Data<Instance>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let start = Instant::now();
    let fault = instance
        .faults
        .as_ref()
        .filter(|_| is_faulted(request.path()))
        .map(|faults| faults.current());
    let injected = match fault {
        Some(fault) => fault.inject(rand::random()).await,
        None => Ok(()),
    };
    let mut response = match injected {
        Ok(()) => next.call(request).await?.map_into_left_body(),
        Err(problem) => request
            .into_response(problem.error_response())
            .map_into_right_body(),
    };
    let served_by = served_by(&instance, response.request());
    response.headers_mut().insert(SERVED_BY, served_by);
    if instance.draining() {
        // A kept connection would carry further requests to an instance that is about to go.
        response
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    count(&instance, &response, start);
    Ok(response)
}

fn served_by(instance: &Instance, request: &HttpRequest) -> HeaderValue {
    let own = &instance.served_by;
    let chain = request.extensions_mut().remove().and_then(|Called(called)| {
        HeaderValue::from_bytes(&[own.as_bytes(), b", ", called.as_slice()].concat()).ok()
    });
    chain.unwrap_or_else(|| own.clone())
}

fn count<B>(instance: &Instance, response: &ServiceResponse<B>, start: Instant) {
    let (request, status, took) = (response.request(), response.status(), start.elapsed());
    let route = request
        .app_data()
        .map_or("unmatched", |Pattern(pattern)| *pattern);
    instance.metrics.observe(request.method(), route, status, took);
    tracing::debug!(method = %request.method(), path = request.path(), status = status.as_u16(), ?took, "request");
}
