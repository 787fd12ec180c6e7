//! What is remembered of a request until its end: for the access log and the metrics.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Instant, SystemTime};

use http::header::USER_AGENT;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::access_log::Entry;
use super::body::Payload;
use super::cluster::{Cluster, Host};
use super::flags::{Flag, Flags};
use super::headers::{FORWARDED_FOR, REQUEST_ID};
use super::listener::Connection;
use super::plane::{InFlight, Proxy};
use super::reply::LocalReply;
use super::request::Asked;
use super::target::Target;

/// An endpoint's answer, as header values tell of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) http2: bool,
    /// The proxy's own address towards the endpoint.
    pub(super) local: SocketAddr,
}

/// A request from its arrival to its last byte. Dropping it writes the access log line and counts it; dropped before
/// [`Record::complete`] it says that the client has gone (`DC`).
pub(super) struct Record {
    proxy: Rc<Proxy>,
    started: Instant,
    pub(super) status: u16,
    /// What the endpoint that answered has to do with it.
    pub(super) answered: Option<Answered>,
    pub(super) flags: Flags,
    pub(super) details: Cow<'static, str>,
    pub(super) cluster: Option<Rc<Cluster>>,
    pub(super) host: Option<Rc<Host>>,
    /// Milliseconds until the response headers.
    pub(super) service_time: Option<u64>,
    pub(super) attempts: u32,
    pub(super) sent: u64,
    complete: bool,
    payload: Option<Rc<Payload>>,
    line: Option<Box<Line>>,
    _in_flight: InFlight,
}

/// What only the access log wants to know.
struct Line {
    start: SystemTime,
    method: Method,
    target: Uri,
    connection: Connection,
    authority: Option<HeaderValue>,
    path: Option<Target>,
    user_agent: Option<HeaderValue>,
    request_id: Option<HeaderValue>,
    forwarded_for: Option<HeaderValue>,
    route_name: Option<String>,
}

impl Record {
    /// At the arrival of a request.
    pub(super) fn begin(
        proxy: &Rc<Proxy>,
        connection: Connection,
        parts: &Parts,
        payload: Option<Rc<Payload>>,
    ) -> Self {
        let line = proxy.shared.log.as_ref().map(|_| {
            Box::new(Line {
                start: SystemTime::now(),
                method: parts.method.clone(),
                target: parts.uri.clone(),
                connection,
                authority: parts.headers.get(http::header::HOST).cloned(),
                path: None,
                user_agent: parts.headers.get(USER_AGENT).cloned(),
                request_id: None,
                forwarded_for: None,
                route_name: None,
            })
        });
        Record {
            started: Instant::now(),
            status: 0,
            answered: None,
            flags: Flags::NONE,
            details: Cow::Borrowed(""),
            cluster: None,
            host: None,
            service_time: None,
            attempts: 1,
            sent: 0,
            complete: false,
            payload,
            line,
            _in_flight: proxy.shared.begin(),
            proxy: Rc::clone(proxy),
        }
    }

    /// A request that could not even be read: it was answered on the wire.
    pub(super) fn refused(proxy: &Rc<Proxy>, connection: Connection, reply: &LocalReply) {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = Method::from_bytes(b"-").unwrap_or_default();
        let mut record = Record::begin(proxy, connection, &parts, None);
        record.answered_by_proxy(reply);
        record.sent = reply.body.len() as u64;
        record.complete();
    }

    /// When the request is understood.
    pub(super) fn asked(&mut self, asked: &Asked, headers: &HeaderMap) {
        if let Some(line) = &mut self.line {
            let copy = |name: HeaderName| headers.get(name).cloned();
            line.authority = Some(asked.authority.clone());
            line.path = Some(asked.path.clone());
            line.request_id = copy(REQUEST_ID);
            line.forwarded_for = copy(FORWARDED_FOR);
        }
    }

    /// When it has a route.
    pub(super) fn routed(&mut self, route_name: &str) {
        if let Some(line) = &mut self.line
            && !route_name.is_empty()
        {
            line.route_name = Some(route_name.to_owned());
        }
    }

    /// The proxy answers itself.
    pub(super) fn answered_by_proxy(&mut self, reply: &LocalReply) {
        self.status = reply.status;
        self.flags = self.flags.then(reply.flags);
        self.details = reply.details.clone();
    }

    /// The last byte was sent; how it went is what the record says now.
    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    /// The answer broke off after its headers.
    pub(super) fn broke_off(&mut self, flag: Flag, details: &'static str) {
        self.flags.add(flag);
        self.details = Cow::Borrowed(details);
        self.complete();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.complete {
            self.flags.add(Flag::DownstreamConnectionTermination);
            self.details = Cow::Borrowed("downstream_remote_disconnect");
        }
        self.proxy.shared.metrics.count(&self.proxy, self);
        if let (Some(log), Some(line)) = (&self.proxy.shared.log, &self.line) {
            let cluster = self.cluster.as_ref().map(|cluster| cluster.spec());
            log.write(&line.entry(self, cluster.as_deref()));
        }
    }
}

impl Record {
    /// Bytes of the request's body so far.
    pub(super) fn received(&self) -> u64 {
        self.payload.as_ref().map_or(0, |payload| payload.received())
    }

    /// Since its arrival.
    pub(super) fn duration(&self) -> std::time::Duration {
        self.started.elapsed()
    }
}

impl Line {
    fn entry<'a>(&'a self, record: &'a Record, cluster: Option<&'a mesh_config::Cluster>) -> Entry<'a> {
        fn text(value: Option<&HeaderValue>) -> Option<&str> {
            value.and_then(|value| value.to_str().ok())
        }
        let asked = self.path.as_ref().map(Target::as_str);
        let path = asked.or_else(|| self.target.path_and_query().map(PathAndQuery::as_str));
        Entry {
            start_time: time(self.start),
            method: self.method.as_str(),
            path: path.unwrap_or("/"),
            protocol: "HTTP/1.1",
            response_code: record.status,
            response_flags: record.flags.to_string(),
            response_code_details: &record.details,
            bytes_received: record.received(),
            bytes_sent: record.sent,
            duration: u64::try_from(record.duration().as_millis()).unwrap_or(u64::MAX),
            upstream_service_time: record.service_time.map(|time| time.to_string()),
            x_forwarded_for: text(self.forwarded_for.as_ref()),
            user_agent: text(self.user_agent.as_ref()),
            request_id: text(self.request_id.as_ref()),
            authority: text(self.authority.as_ref()).unwrap_or("-"),
            upstream_host: record.host.as_ref().map(|host| host.address().to_string()),
            upstream_cluster: cluster.map(|cluster| cluster.name.as_str()),
            upstream_request_attempt_count: record.attempts,
            downstream_local_address: self.connection.local.to_string(),
            downstream_remote_address: self.connection.peer.to_string(),
            route_name: self.route_name.as_deref(),
        }
    }
}

/// RFC 3339 with milliseconds, as Envoy writes it.
fn time(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map_or_else(|_| "-".to_owned(), |at| format!("{at:.3}"))
}
