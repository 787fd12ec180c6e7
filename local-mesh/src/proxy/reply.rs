//! Answers that the proxy makes itself: status, body, flag and details as Envoy has them.

use std::borrow::Cow;
use std::error::Error;
use std::io;

use bytes::Bytes;
use mesh_config::AbortStatus;

use super::cluster::Outcome;
use super::flags::{Flag, Flags};

/// An answer of the proxy's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocalReply {
    /// HTTP status.
    pub(super) status: u16,
    /// Body, plain text if nothing else is said; empty means no body and no content type.
    pub(super) body: Bytes,
    /// Response flags.
    pub(super) flags: Flags,
    /// Envoy's response code details.
    pub(super) details: Cow<'static, str>,
    /// Whether `x-envoy-overloaded: true` goes with it (only on overflow).
    pub(super) overloaded: bool,
    /// Whether the client's connection ends with it.
    pub(super) closes: bool,
    /// The code that a gRPC request gets; `None`: the one that stands for the status.
    pub(super) grpc: Option<u8>,
}

impl LocalReply {
    fn new(
        status: u16,
        body: impl Into<Cow<'static, str>>,
        flags: Flags,
        details: impl Into<Cow<'static, str>>,
    ) -> Self {
        let body = match body.into() {
            Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
            Cow::Owned(text) => Bytes::from(text),
        };
        Self {
            status,
            body,
            flags,
            details: details.into(),
            overloaded: false,
            closes: matches!(status, 400 | 426 | 431 | 501),
            grpc: None,
        }
    }

    /// The virtual host has no route for the request: 404 `NR`.
    pub(super) fn no_route() -> Self {
        Self::new(404, "", Flags::of(Flag::NoRoute), "route_not_found")
    }

    /// No virtual host has this name, and traffic to unknown hosts is not let out (`REGISTRY_ONLY`): 502.
    pub(super) fn unknown_host() -> Self {
        Self::new(502, "", Flags::NONE, "direct_response")
    }

    /// The route leads to a host or subset that does not exist: 503 `NC`.
    pub(super) fn no_cluster() -> Self {
        Self::new(503, "", Flags::of(Flag::NoCluster), "cluster_not_found")
    }

    /// No endpoint, or all of them not ready or ejected: 503 `UH`.
    pub(super) fn no_healthy_upstream() -> Self {
        let flags = Flags::of(Flag::NoHealthyUpstream);
        Self::new(503, "no healthy upstream", flags, "no_healthy_upstream")
    }

    /// The whole request took longer than the route allows: 504 `UT`.
    pub(super) fn timeout() -> Self {
        let flags = Flags::of(Flag::UpstreamRequestTimeout);
        Self::new(504, "upstream request timeout", flags, "response_timeout")
    }

    /// A request without a Host: 400.
    pub(super) fn missing_host() -> Self {
        Self::new(400, "", Flags::NONE, "missing_host_header")
    }

    /// A QUERY that does not say of what type it is: 400.
    pub(super) fn query_without_type() -> Self {
        Self::new(400, "", Flags::NONE, "query_missing_content_type")
    }

    /// Not HTTP as Envoy reads it: 400 `DPE`.
    pub(super) fn malformed(details: &'static str) -> Self {
        let flags = Flags::of(Flag::DownstreamProtocolError);
        Self::new(400, "Bad Request", flags, details)
    }

    /// More bytes of headers than Envoy takes: 431 `DPE`.
    pub(super) fn headers_too_large() -> Self {
        Self::too_many("http1.headers_too_large")
    }

    /// More than 100 headers: 431 `DPE`.
    pub(super) fn too_many_headers() -> Self {
        Self::too_many("http1.too_many_headers")
    }

    fn too_many(details: &'static str) -> Self {
        let flags = Flags::of(Flag::DownstreamProtocolError);
        Self::new(431, "Request Header Fields Too Large", flags, details)
    }

    /// A transfer encoding other than chunked: 501 `DPE`.
    pub(super) fn unknown_transfer_encoding() -> Self {
        let flags = Flags::of(Flag::DownstreamProtocolError);
        Self::new(501, "Not Implemented", flags, "http1.invalid_transfer_encoding")
    }

    /// A target that is no path, such as `*`: 404.
    pub(super) fn no_path() -> Self {
        Self::new(404, "", Flags::NONE, "absolute_path_rejected")
    }

    /// `CONNECT` has no route: 404 `NR`.
    pub(super) fn connect() -> Self {
        Self {
            closes: true,
            ..Self::no_route()
        }
    }

    /// An upgrade to something else than a WebSocket: 403.
    pub(super) fn upgrade_failed() -> Self {
        Self {
            closes: true,
            ..Self::new(403, "", Flags::NONE, "upgrade_failed")
        }
    }

    /// The endpoint did not take up a WebSocket: its status, nothing else.
    pub(super) fn no_websocket(status: u16) -> Self {
        Self {
            closes: true,
            ..Self::new(status, "", Flags::NONE, "websocket_handshake_unsuccessful")
        }
    }

    /// A path that cannot be normalised: 400.
    pub(super) fn bad_path() -> Self {
        Self::new(400, "", Flags::NONE, "path_normalization_failed")
    }

    /// An authority that is none: 400 `DPE`.
    pub(super) fn bad_authority() -> Self {
        Self::malformed("http.invalid_authority")
    }

    /// An HTTP version that Envoy does not take: 426 `DPE`.
    pub(super) fn upgrade_required() -> Self {
        let flags = Flags::of(Flag::DownstreamProtocolError);
        Self::new(426, "Upgrade Required", flags, "low_version")
    }

    /// A fault ends the request: `FI`.
    pub(super) fn fault(status: AbortStatus) -> Self {
        let (status, grpc) = match status {
            AbortStatus::Http(status) => (status, None),
            AbortStatus::Grpc(code) => (200, Some(code)),
        };
        let flags = Flags::of(Flag::FaultInjected);
        let reply = Self::new(status, "fault filter abort", flags, "fault_filter_abort");
        Self {
            closes: status == 400,
            grpc,
            ..reply
        }
    }

    /// The route answers itself: a redirect or a fixed answer.
    pub(super) fn of_route(status: u16, body: Bytes) -> Self {
        let reply = Self::new(status, "", Flags::NONE, "direct_response");
        Self {
            body,
            closes: status == 400,
            ..reply
        }
    }

    /// A preflight that the route's policy answers: 200.
    pub(super) fn preflight() -> Self {
        Self::new(200, "", Flags::NONE, "cors_response")
    }

    /// A rule sets a header whose name cannot be sent: 503 `DPE`.
    pub(super) fn bad_header_name(name: &str) -> Self {
        let message = format!("invalid header name: {name}");
        let details = format!(
            "filter_removed_required_request_headers{{{}}}",
            message.replace(' ', "_")
        );
        let flags = Flags::of(Flag::DownstreamProtocolError);
        Self::new(503, message, flags, details)
    }

    /// The last try failed before any response header. `retried` says that it was not the first one, `flags` why the
    /// retry policy did not get another one.
    pub(super) fn failed(failure: &Failure, retried: bool, flags: Flags) -> Self {
        if *failure == Failure::PerTryTimeout {
            let flags = flags.then(Flags::of(Flag::UpstreamRequestTimeout));
            return Self::new(504, "upstream request timeout", flags, "upstream_per_try_timeout");
        }
        if *failure == Failure::ClientGone {
            // Nobody reads it, but the access log tells of it.
            let flags = Flags::of(Flag::DownstreamConnectionTermination);
            return Self::new(0, "", flags, "downstream_remote_disconnect");
        }
        let again = if retried { "retried and the latest " } else { "" };
        let body = format!(
            "upstream connect error or disconnect/reset before headers. {again}reset reason: {}",
            failure.reset_reason()
        );
        let status = if *failure == Failure::Protocol { 502 } else { 503 };
        let mut reply = Self::new(
            status,
            body,
            flags.then(Flags::of(failure.flag())),
            failure.details(),
        );
        reply.overloaded = *failure == Failure::Overflow;
        reply
    }
}

/// Why a try got no response headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The connection was refused or could not be made; holds the system's words.
    Connect(String),
    /// The connection was not made within `connectTimeout`.
    ConnectTimeout,
    /// The endpoint closed or reset the connection.
    Termination,
    /// The endpoint answered something that is not HTTP.
    Protocol,
    /// The endpoint did not take the stream up (HTTP/2): nothing was done.
    RefusedStream,
    /// The endpoint reset the stream (HTTP/2).
    Reset,
    /// A connection pool limit.
    Overflow,
    /// `perTryTimeout` passed.
    PerTryTimeout,
    /// The client went away before it had sent its whole request: not the endpoint's failure.
    ClientGone,
}

impl Failure {
    /// From the error of a connection attempt.
    pub(super) fn refused(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut {
            return Self::ConnectTimeout;
        }
        let words = error.to_string();
        // Without "(os error 111)".
        Self::Connect(words.split(" (").next().unwrap_or_default().to_owned())
    }

    /// From the error of a connection that was there.
    pub(super) fn of_hyper(error: &hyper::Error) -> Self {
        let http2 = error.source().and_then(|cause| cause.downcast_ref::<h2::Error>());
        match http2
            .filter(|cause| cause.is_remote())
            .and_then(h2::Error::reason)
        {
            Some(h2::Reason::REFUSED_STREAM) => Self::RefusedStream,
            Some(_) if http2.is_some_and(h2::Error::is_reset) => Self::Reset,
            // Found by the library: what came is no HTTP/2.
            _ if error.is_parse() || http2.is_some_and(h2::Error::is_library) => Self::Protocol,
            _ => Self::Termination,
        }
    }

    /// The words of Envoy's reply body.
    fn reset_reason(&self) -> &'static str {
        match self {
            Self::Connect(_) => "remote connection failure",
            Self::ConnectTimeout => "connection timeout",
            Self::Termination => "connection termination",
            Self::RefusedStream => "remote refused stream reset",
            Self::Reset => "remote reset",
            Self::Protocol => "protocol error",
            Self::Overflow => "overflow",
            Self::PerTryTimeout => "upstream per try timeout",
            Self::ClientGone => "local reset",
        }
    }

    fn flag(&self) -> Flag {
        match self {
            Self::Connect(_) | Self::ConnectTimeout => Flag::UpstreamConnectionFailure,
            Self::Termination => Flag::UpstreamConnectionTermination,
            Self::RefusedStream | Self::Reset => Flag::UpstreamRemoteReset,
            Self::Protocol => Flag::UpstreamProtocolError,
            Self::Overflow => Flag::UpstreamOverflow,
            Self::PerTryTimeout => Flag::UpstreamRequestTimeout,
            Self::ClientGone => Flag::DownstreamConnectionTermination,
        }
    }

    fn details(&self) -> String {
        let reason = self.reset_reason().replace(' ', "_");
        let cause = match self {
            Self::Connect(words) => format!("|delayed_connect_error:_{}", words.replace(' ', "_")),
            _ => String::new(),
        };
        format!("upstream_reset_before_response_started{{{reason}{cause}}}")
    }

    /// What outlier detection books for the endpoint; `None`: it is not the endpoint's.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Overflow | Self::ClientGone => None,
            Self::PerTryTimeout => Some(Outcome::TimedOut),
            _ => Some(Outcome::Failed),
        }
    }
}

/// The status of HTTP that a status of gRPC stands for.
pub(super) fn http_status(grpc: &[u8]) -> u16 {
    match grpc {
        b"0" => 200,
        b"1" => 499,
        b"3" | b"9" | b"11" => 400,
        b"4" => 504,
        b"5" => 404,
        b"6" | b"10" => 409,
        b"7" => 403,
        b"8" => 429,
        b"12" => 501,
        b"14" => 503,
        b"16" => 401,
        _ => 500,
    }
}

/// The code of gRPC that stands for an HTTP status in an answer of the proxy's own.
pub(super) fn grpc_status(status: u16) -> u8 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_reads_as_envoys() {
        let reply = LocalReply::failed(
            &Failure::Connect("Connection refused".into()),
            true,
            Flags::of(Flag::RetryLimitExceeded),
        );
        assert_eq!(reply.flags.to_string(), "URX,UF");
        assert_eq!(
            reply.body,
            "upstream connect error or disconnect/reset before headers. \
             retried and the latest reset reason: remote connection failure"
        );
        assert_eq!(
            reply.details,
            "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}"
        );
    }

    #[test]
    fn only_an_overflow_is_marked_as_overloaded() {
        let reply = LocalReply::failed(&Failure::Overflow, false, Flags::NONE);
        assert_eq!(
            (reply.status, reply.overloaded, reply.flags.to_string()),
            (503, true, "UO".into())
        );
        assert_eq!(reply.body.len(), 81);
    }

    #[test]
    fn a_per_try_timeout_is_a_504() {
        let reply = LocalReply::failed(&Failure::PerTryTimeout, false, Flags::NONE);
        assert_eq!((reply.status, reply.flags.to_string()), (504, "UT".into()));
    }
}
