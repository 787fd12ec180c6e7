//! A request whose route leads to destinations: fault, CORS, draw, cluster, and what the endpoint gets to see.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use mesh_config::{Destination, Forward, Known};
use tokio::time::Instant;

use super::cluster::Cluster;
use super::cors::CrossOrigin;
use super::exchange::{Arrived, Exchange};
use super::facts::Progress;
use super::fault;
use super::hashing::Hashing;
use super::headers::{self, FORWARDED_FOR, ORIGINAL_PATH};
use super::mirror::Copies;
use super::record::Record;
use super::reply::LocalReply;
use super::request::Asked;
use super::response::{self, Asker, ResponseBody, milliseconds};
use super::retry;
use super::target::Target;
use super::timeout;
use super::tries::{Answer, Tries, announce, within_timeout};
use super::upgrade::Tunnel;

/// Takes the request to one of its destinations, or refuses it.
pub(super) async fn forward(
    exchange: &Exchange<'_>,
    forward: &Forward,
    mut arrived: Arrived,
) -> Response<ResponseBody> {
    // One number for destination and mirrors, which hang together through it as in Envoy.
    let random = exchange.proxy.shared.random();
    let mut way = Way {
        exchange,
        forward,
        destination: forward.draw(random),
        random,
        origin: None,
    };
    if let Some(fault) = &forward.fault {
        let (shared, payload) = (&exchange.proxy.shared, arrived.payload.as_deref());
        if let Some(reply) = fault::inject(fault, shared, &mut arrived.record, payload).await {
            return way.refuse(arrived, reply);
        }
    }
    way.origin = forward
        .cors
        .as_ref()
        .and_then(|policy| CrossOrigin::of(policy, &arrived.parts));
    if let Some(preflight) = way.origin.as_ref().filter(|origin| origin.is_preflight()) {
        let answer = |_: &Record, headers: &mut HeaderMap| preflight.decorate(headers);
        return response::local(arrived.record, exchange.asker, LocalReply::preflight(), answer);
    }
    match way.cluster(&mut arrived.record) {
        Ok(cluster) => way.send(cluster, arrived).await,
        Err(reply) => way.refuse(arrived, reply),
    }
}

/// The way of one request.
struct Way<'a> {
    exchange: &'a Exchange<'a>,
    forward: &'a Forward,
    destination: &'a Destination,
    random: u64,
    origin: Option<CrossOrigin<'a>>,
}

impl<'a> Way<'a> {
    fn cluster(&self, record: &mut Record) -> Result<&'a Rc<Cluster>, LocalReply> {
        let id = self
            .destination
            .cluster
            .as_ref()
            .map_err(|_| LocalReply::no_cluster())?;
        let cluster = &self.exchange.config.clusters[id.0];
        record.cluster = Some(Rc::clone(cluster));
        match self.forward.bad_header_name(self.destination) {
            Some(name) => Err(LocalReply::bad_header_name(name)),
            None => Ok(cluster),
        }
    }

    async fn send(&self, cluster: &Rc<Cluster>, arrived: Arrived) -> Response<ResponseBody> {
        let (forward, exchange) = (self.forward, self.exchange);
        let forwarded_for = self.forwarded_for(&arrived);
        let Arrived {
            payload,
            mut record,
            mut parts,
            asked,
            tunnel,
        } = arrived;
        let hashing = self.hashing(cluster, &parts, &asked);
        let timeout = self.announce(&mut parts.headers);
        let path = self.rewrite(&asked.path, &mut parts, &record, forwarded_for.as_ref());
        if let Some(tunnel) = &tunnel {
            tunnel.ask(&mut parts.headers);
        }
        let policy = if forward.changes_headers(self.destination) {
            headers::join_request(&mut parts.headers);
            retry::with_headers(forward.retry.as_ref(), &mut parts.headers)
        } else {
            forward.retry.as_ref().map(Cow::Borrowed)
        };
        let tries = Tries {
            shared: &exchange.proxy.shared,
            cluster,
            policy: policy.as_deref(),
            timeout,
            method: parts.method,
            path,
            headers: parts.headers,
            copies: Copies::of(exchange, forward, self.random, payload.as_deref()).into(),
            payload,
            hash: hashing.hash,
            grpc: exchange.asker.grpc,
            host: None.into(),
            attempts: 1.into(),
            answered: None.into(),
        };
        let started = Instant::now();
        let result = within_timeout(&tries).await;
        record.host = tries.host.take();
        record.attempts = tries.attempts.get();
        record.answered = tries.answered.get();
        let rules = |record: &Record, headers: &mut HeaderMap| {
            let progress = exchange.progress(record, forwarded_for.as_ref());
            self.decorate(&self.sent(&tries, &progress), headers);
        };
        let payload = tries.payload.as_ref();
        match result {
            Ok(answer) => {
                let from = payload.and_then(|payload| payload.complete_since());
                let from = from.unwrap_or(started);
                record.service_time = Some(milliseconds(from.elapsed()));
                let until = timeout.map(|timeout| from + timeout);
                let rules = |record: &Record, headers: &mut HeaderMap| {
                    hashing.set_cookies(headers);
                    rules(record, headers);
                };
                self.pass_on(tunnel, record, answer, until, rules)
            }
            Err(reply) => {
                let unread = payload.is_some_and(|payload| !payload.is_complete());
                let asker = Asker {
                    unread: unread || tunnel.is_some(),
                    ..exchange.asker
                };
                response::local(record, asker, reply, rules)
            }
        }
    }

    /// Tells the endpoint of the first try and of its time; the timeout for all tries.
    fn announce(&self, headers: &mut HeaderMap) -> Option<Duration> {
        let grpc = self.exchange.asker.grpc;
        let timeout = timeout::of(self.forward.timeout, grpc, headers);
        let policy = self.forward.retry.as_ref();
        let per_try = policy.and_then(|policy| policy.per_try_timeout);
        announce(headers, 1, timeout.into_iter().chain(per_try).min(), grpc);
        timeout
    }

    /// The request as it was sent, for header values of its answer.
    fn sent<'k>(&self, tries: &'k Tries<'_>, facts: &'k Progress<'k>) -> Known<'k> {
        Known {
            method: tries.method.as_str(),
            path: tries.path.as_str(),
            scheme: self.exchange.scheme,
            request: Some(&tries.headers),
            facts,
        }
    }

    /// Looked at only where it decides.
    fn hashing(&self, cluster: &Cluster, parts: &Parts, asked: &Asked) -> Hashing {
        if self.forward.hash.is_empty() || !cluster.spec().policy.load_balancer.is_consistent_hash() {
            return Hashing::default();
        }
        let (connection, role) = (self.exchange.connection, self.exchange.asker.role);
        Hashing::of(
            self.forward,
            &parts.headers,
            asked.path.as_str(),
            connection,
            role,
        )
    }

    /// The endpoint's answer, unless a WebSocket was asked for: then it becomes one, or nothing.
    fn pass_on(
        &self,
        tunnel: Option<Tunnel>,
        record: Record,
        answer: Answer,
        until: Option<Instant>,
        rules: impl FnOnce(&Record, &mut HeaderMap),
    ) -> Response<ResponseBody> {
        let (asker, status) = (self.exchange.asker, answer.response.status());
        match tunnel {
            Some(tunnel) if status == StatusCode::SWITCHING_PROTOCOLS => {
                tunnel.open(record, asker.role, answer, rules)
            }
            Some(_) if status.as_u16() < 400 => {
                let reply = LocalReply::no_websocket(status.as_u16());
                response::local(record, asker, reply, rules)
            }
            // No tunnel, and no further request on a connection that was to become one.
            Some(_) => {
                let mut answer = response::upstream(record, asker.role, answer, until, rules);
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(CONNECTION, close);
                answer
            }
            None => response::upstream(record, asker.role, answer, until, rules),
        }
    }

    /// The client's `x-forwarded-for`, where operations may tell it before they change it.
    fn forwarded_for(&self, arrived: &Arrived) -> Option<HeaderValue> {
        if !self.forward.changes_headers(self.destination) {
            return None;
        }
        arrived.parts.headers.get(FORWARDED_FOR).cloned()
    }

    /// Applies the header operations of the route, then its rewrites; the path to send.
    fn rewrite(
        &self,
        path: &Target,
        parts: &mut Parts,
        record: &Record,
        forwarded_for: Option<&HeaderValue>,
    ) -> Target {
        let forward = self.forward;
        let progress = self.exchange.progress(record, forwarded_for);
        let known = Known {
            method: parts.method.as_str(),
            path: path.as_str(),
            scheme: self.exchange.scheme,
            request: None,
            facts: &progress,
        };
        forward.request_headers(self.destination, &known, &mut parts.headers);
        let Some(new) = forward.rewrite_path(&self.exchange.route.matcher, path.as_str()) else {
            return path.clone();
        };
        if let Ok(original) = HeaderValue::from_str(path.as_str()) {
            parts.headers.insert(ORIGINAL_PATH, original);
        }
        Target::of(&new)
    }

    /// What an answer gets on its way back: the operations of the route, then what CORS says.
    fn decorate(&self, known: &Known<'_>, headers: &mut HeaderMap) {
        self.forward.response_headers(self.destination, known, headers);
        if let Some(origin) = &self.origin {
            origin.decorate(headers);
        }
    }

    /// An answer of the proxy's own before the request was changed for its endpoint.
    fn refuse(&self, arrived: Arrived, reply: LocalReply) -> Response<ResponseBody> {
        let Arrived {
            asked,
            parts,
            payload,
            record,
            tunnel,
        } = arrived;
        let unread = payload.is_some_and(|payload| !payload.is_complete());
        let asker = Asker {
            unread: unread || tunnel.is_some(),
            ..self.exchange.asker
        };
        response::local(record, asker, reply, |record, headers| {
            let progress = self.exchange.progress(record, parts.headers.get(FORWARDED_FOR));
            let known = Known {
                method: parts.method.as_str(),
                path: asked.path.as_str(),
                scheme: self.exchange.scheme,
                request: Some(&parts.headers),
                facts: &progress,
            };
            self.decorate(&known, headers);
        })
    }
}
