//! One request and its answer: which route, which destination, which cluster, and what the client gets.

use std::convert::Infallible;
use std::rc::Rc;

use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use mesh_config::{Action, Destination, Forward, RequestHead, Role, Route, Routing};
use tokio::time::Instant;

use super::body::Payload;
use super::cluster::Cluster;
use super::codec::Seen;
use super::hashing::Hashing;
use super::headers::{self, FORWARDED_PROTO, ORIGINAL_HOST, ORIGINAL_PATH};
use super::listener::Connection;
use super::plane::{Config, Proxy};
use super::record::Record;
use super::reply::LocalReply;
use super::request::{Asked, Head};
use super::response::{self, Asker, ResponseBody, milliseconds};
use super::timeout;
use super::tries::{Answer, Tries, after_request};
use super::upgrade::{Tunnel, Upgrade};

/// Answers a request that came to `proxy` over `connection`.
pub(super) async fn answer(
    proxy: Rc<Proxy>,
    connection: Connection,
    seen: Seen,
    mut request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let upgrade = Upgrade::of(&mut request);
    let (mut parts, body) = request.into_parts();
    let payload = Payload::new(body, &seen);
    let mut record = Record::begin(&proxy, connection, &parts, payload.clone());
    let asker = Asker {
        role: proxy.client.role,
        unread: payload.is_some(),
        grpc: is_grpc(&parts),
    };
    let head = Head::of(&seen, &parts, payload.is_some());
    let asked = match Asked::read(&mut parts, head, connection.dialled) {
        Ok(_) if matches!(upgrade, Upgrade::Refused) => Err(LocalReply::upgrade_failed()),
        asked => asked,
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(reply) => return Ok(response::local(record, asker, reply, |_| ())),
    };
    headers::prepare_request(&mut parts.headers, || proxy.shared.request_id());
    if proxy.client.role == Role::Gateway {
        headers::prepare_at_gateway(&mut parts.headers, connection.peer.ip());
    }
    record.asked(&asked, &parts.headers);
    // Held until the end: this request knows one configuration only.
    let config = proxy.config();
    let routing = find_route(&config, &asked, &parts);
    let reply = match routing {
        Routing::Route(_, route) => {
            record.routed(&route.name);
            let exchange = Exchange {
                proxy: &proxy,
                config: &config,
                route,
                connection,
                asker,
            };
            let tunnel = match upgrade {
                Upgrade::WebSocket(tunnel) => Some(tunnel),
                Upgrade::No | Upgrade::Refused => None,
            };
            return Ok(exchange.forward(asked, parts, payload, tunnel, record).await);
        }
        Routing::UnknownHost if proxy.client.role == Role::Sidecar => LocalReply::unknown_host(),
        Routing::UnknownHost | Routing::NoRoute(_) => LocalReply::no_route(),
    };
    Ok(response::local(record, asker, reply, |_| ()))
}

fn is_grpc(parts: &Parts) -> bool {
    let kind = parts.headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

fn find_route<'c>(config: &'c Config, asked: &Asked, parts: &Parts) -> Routing<'c> {
    let scheme = parts
        .headers
        .get(FORWARDED_PROTO)
        .and_then(|value| value.to_str().ok());
    let head = RequestHead {
        method: parts.method.as_str(),
        path: asked.path.as_str(),
        authority: asked.host(),
        scheme: scheme.unwrap_or("http"),
        headers: &parts.headers,
    };
    config
        .view
        .table(asked.port)
        .map_or(Routing::UnknownHost, |table| table.route(&head))
}

/// A request that has a route.
struct Exchange<'a> {
    proxy: &'a Rc<Proxy>,
    config: &'a Config,
    route: &'a Route,
    connection: Connection,
    asker: Asker,
}

impl Exchange<'_> {
    async fn forward(
        &self,
        asked: Asked,
        mut parts: Parts,
        payload: Option<Rc<Payload>>,
        tunnel: Option<Tunnel>,
        mut record: Record,
    ) -> Response<ResponseBody> {
        let Action::Forward(forward) = &self.route.action;
        let destination = forward.draw(self.proxy.shared.random());
        let rules = |headers: &mut http::HeaderMap| forward.response_headers(destination, headers);
        let Ok(id) = destination.cluster else {
            return response::local(record, self.asker, LocalReply::no_cluster(), rules);
        };
        let cluster = &self.config.clusters[id.0];
        record.cluster = Some(Rc::clone(cluster));
        let hashing = self.hashing(forward, cluster, &asked, &parts);
        let path = self.rewrite(forward, destination, &asked, &mut parts);
        if let Some(tunnel) = &tunnel {
            tunnel.ask(&mut parts.headers);
        }
        if payload.is_none() {
            headers::say_empty(&mut parts.headers, &parts.method);
        }
        let timeout = timeout::of(forward.timeout, self.asker.grpc, &parts.headers);
        let tries = Tries {
            shared: &self.proxy.shared,
            cluster,
            policy: forward.retry.as_ref(),
            timeout,
            method: parts.method,
            path,
            headers: parts.headers,
            payload,
            hash: hashing.hash,
            grpc: self.asker.grpc,
            host: None.into(),
            attempts: 1.into(),
        };
        let started = Instant::now();
        let result = within_timeout(&tries).await;
        record.host = tries.host.take();
        record.attempts = tries.attempts.get();
        match result {
            Ok(answer) => {
                let from = tries
                    .payload
                    .as_ref()
                    .and_then(|payload| payload.complete_since());
                let from = from.unwrap_or(started);
                record.service_time = Some(milliseconds(from.elapsed()));
                let rules = |headers: &mut http::HeaderMap| {
                    hashing.set_cookies(headers);
                    rules(headers);
                };
                let status = answer.response.status();
                match tunnel {
                    Some(tunnel) if status == StatusCode::SWITCHING_PROTOCOLS => {
                        return tunnel.open(record, self.asker.role, answer, rules);
                    }
                    Some(_) => {
                        let reply = LocalReply::no_websocket(status.as_u16());
                        return response::local(record, self.asker, reply, rules);
                    }
                    None => {}
                }
                let until = timeout.map(|timeout| from + timeout);
                response::upstream(record, self.asker.role, answer, until, rules)
            }
            Err(reply) => {
                let unread = tries.payload.is_some_and(|payload| !payload.is_complete());
                let asker = Asker { unread, ..self.asker };
                response::local(record, asker, reply, rules)
            }
        }
    }

    /// Looked at only where it decides.
    fn hashing(&self, forward: &Forward, cluster: &Cluster, asked: &Asked, parts: &Parts) -> Hashing {
        if forward.hash.is_empty() || !cluster.spec().policy.load_balancer.is_consistent_hash() {
            return Hashing::default();
        }
        let role = self.asker.role;
        Hashing::of(
            forward,
            &parts.headers,
            asked.path.as_str(),
            self.connection,
            role,
        )
    }

    /// Applies the header operations of the route, then its rewrites; the path to send.
    fn rewrite(
        &self,
        forward: &Forward,
        destination: &Destination,
        asked: &Asked,
        parts: &mut Parts,
    ) -> PathAndQuery {
        if let Some(authority) = forward.request_headers(destination, &mut parts.headers) {
            parts.headers.insert(ORIGINAL_HOST, asked.authority.clone());
            parts.headers.insert(HOST, authority);
        }
        let path = asked.path.as_str();
        let Some(new) = forward.rewrite_path(&self.route.matcher, path) else {
            return asked.path.clone();
        };
        if let Ok(original) = HeaderValue::from_str(path) {
            parts.headers.insert(ORIGINAL_PATH, original);
        }
        PathAndQuery::try_from(new).unwrap_or_else(|_| asked.path.clone())
    }
}

/// All tries, within the timeout of the route.
async fn within_timeout(tries: &Tries<'_>) -> Result<Answer, LocalReply> {
    let Some(limit) = tries.timeout else {
        return tries.run().await;
    };
    tokio::select! {
        biased;
        result = tries.run() => result,
        () = after_request(tries.payload.as_deref(), limit) => Err(tries.timed_out()),
    }
}
