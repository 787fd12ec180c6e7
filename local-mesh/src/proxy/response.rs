//! Answers on their way to the client: those of endpoints and the proxy's own.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use mesh_config::Role;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::cluster::Lease;
use super::flags::Flag;
use super::headers::{self, OVERLOADED, SERVICE_TIME};
use super::record::Record;
use super::reply::{LocalReply, grpc_status};
use super::tries::Answer;

/// How long Envoy leaves a client's connection open that it is going to close.
pub(super) const DELAYED_CLOSE: Duration = Duration::from_secs(1);

/// The name in `server`: an ingress gateway calls itself Istio's.
pub(super) fn server_name(role: Role) -> &'static str {
    match role {
        Role::Sidecar => "envoy",
        Role::Gateway => "istio-envoy",
    }
}

/// What is known of the request when the proxy answers it itself.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    pub(super) role: Role,
    /// The request has a body that nobody read, or was to become a tunnel: the connection cannot be used again.
    pub(super) unread: bool,
    /// `content-type: application/grpc`: errors are told in gRPC's way.
    pub(super) grpc: bool,
}

/// The proxy's own answer; `rules` are the header operations of the route, if there is one.
pub(super) fn local(
    mut record: Record,
    asker: Asker,
    reply: LocalReply,
    rules: impl FnOnce(&Record, &mut HeaderMap),
) -> Response<ResponseBody> {
    record.answered_by_proxy(&reply);
    let mut body = reply.body;
    let mut response = Response::new(ResponseBody::Local(None));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if reply.overloaded {
        headers.insert(OVERLOADED, HeaderValue::from_static("true"));
    }
    rules(&record, headers);
    headers::join_response(headers);
    // After the rules: they can set a content type, but neither remove it nor give one to an empty body.
    if body.is_empty() {
        headers.remove(CONTENT_TYPE);
    } else if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    }
    if asker.unread || reply.closes {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    headers.insert(
        http::header::SERVER,
        HeaderValue::from_static(server_name(asker.role)),
    );
    if asker.grpc {
        let code = reply.grpc.unwrap_or_else(|| grpc_status(reply.status));
        say_in_grpc(headers, code, &body);
        *response.status_mut() = StatusCode::OK;
        record.status = 200;
        body = Bytes::new();
    }
    record.sent = body.len() as u64;
    record.complete();
    *response.body_mut() = ResponseBody::Local((!body.is_empty()).then_some(body));
    response
}

fn say_in_grpc(headers: &mut HeaderMap, code: u8, message: &[u8]) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let status = HeaderName::from_static("grpc-status");
    headers
        .entry(status)
        .or_insert(HeaderValue::from(u16::from(code)));
    if let (false, Ok(message)) = (
        message.is_empty(),
        HeaderValue::from_str(&percent_encoded(message)),
    ) {
        headers.insert(HeaderName::from_static("grpc-message"), message);
    }
}

/// As gRPC wants messages: visible ASCII and blanks stay, but for the percent sign.
fn percent_encoded(message: &[u8]) -> String {
    let mut text = String::with_capacity(message.len());
    for byte in message {
        match byte {
            b' '..=b'~' if *byte != b'%' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// An endpoint's answer; `rules` are the header operations of the route, `until` the end of its timeout.
pub(super) fn upstream(
    mut record: Record,
    role: Role,
    answer: Answer,
    until: Option<Instant>,
    rules: impl FnOnce(&Record, &mut HeaderMap),
) -> Response<ResponseBody> {
    let (mut parts, body) = answer.response.into_parts();
    parts.version = Version::HTTP_11;
    record.status = parts.status.as_u16();
    record.flags = record.flags.then(answer.flags);
    record.details = "via_upstream".into();
    let service_time = record.service_time.unwrap_or_default();
    parts
        .headers
        .insert(SERVICE_TIME, HeaderValue::from(service_time));
    rules(&record, &mut parts.headers);
    headers::prepare_response(&mut parts.headers, server_name(role));
    let mut streamed = Streamed {
        body,
        lease: Some(answer.lease),
        record,
        until,
        timer: None,
        closing: None,
    };
    streamed.finish_if_at_end();
    Response::from_parts(parts, ResponseBody::Upstream(Box::new(streamed)))
}

/// The body of an answer.
pub(super) enum ResponseBody {
    /// The proxy's own text.
    Local(Option<Bytes>),
    /// An endpoint's.
    Upstream(Box<Streamed>),
}

/// An endpoint's body being passed on. At its end the connection goes back to the pool.
pub(super) struct Streamed {
    body: Incoming,
    lease: Option<Lease>,
    record: Record,
    until: Option<Instant>,
    /// Made when the body has to be waited for.
    timer: Option<Pin<Box<Sleep>>>,
    /// The answer broke off; the client's connection is closed a little later, as Envoy does.
    closing: Option<(BrokenOff, Pin<Box<Sleep>>)>,
}

/// The answer broke off: the client's connection is closed.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokenOff {
    #[error("the endpoint's answer broke off: {0}")]
    Upstream(#[from] hyper::Error),
    #[error("the route's timeout passed before the answer was complete")]
    Timeout,
}

impl Streamed {
    fn finish_if_at_end(&mut self) {
        if self.body.is_end_stream() {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.record.complete();
        if let Some(lease) = self.lease.take() {
            lease.release();
        }
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if self.closing.is_some() {
            return self.poll_closing(context);
        }
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            return self.poll_timeout(context);
        };
        match frame {
            Some(Ok(frame)) => {
                self.record.sent += frame.data_ref().map_or(0, Bytes::len) as u64;
                // A client that is told no trailers is not asked for more after them.
                if frame.is_trailers() {
                    self.finish();
                } else {
                    self.finish_if_at_end();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                let details = "upstream_reset_after_response_started{protocol_error}";
                self.break_off(Flag::UpstreamProtocolError, details, error.into());
                self.poll_closing(context)
            }
            None => {
                self.finish();
                Poll::Ready(None)
            }
        }
    }

    fn poll_timeout(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Some(until) = self.until else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        ready!(timer.as_mut().poll(context));
        self.break_off(
            Flag::UpstreamRequestTimeout,
            "response_timeout",
            BrokenOff::Timeout,
        );
        self.poll_closing(context)
    }

    /// The answer ends here; the endpoint's connection is of no more use.
    fn break_off(&mut self, flag: Flag, details: &'static str, why: BrokenOff) {
        self.record.broke_off(flag, details);
        self.lease = None;
        self.closing = Some((why, Box::pin(sleep(DELAYED_CLOSE))));
    }

    /// What was sent so far reaches the client before its connection is closed.
    fn poll_closing(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Some((why, mut timer)) = self.closing.take() else {
            return Poll::Ready(None);
        };
        if timer.as_mut().poll(context).is_pending() {
            self.closing = Some((why, timer));
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(why)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match self.get_mut() {
            ResponseBody::Local(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            ResponseBody::Upstream(streamed) => streamed.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ResponseBody::Local(text) => text.is_none(),
            ResponseBody::Upstream(streamed) => streamed.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ResponseBody::Local(text) => SizeHint::with_exact(text.as_ref().map_or(0, Bytes::len) as u64),
            ResponseBody::Upstream(streamed) => streamed.body.size_hint(),
        }
    }
}

/// Milliseconds, as `x-envoy-upstream-service-time` has them.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
