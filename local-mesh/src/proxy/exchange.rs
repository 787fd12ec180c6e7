//! One request and its answer: which route it has, and who answers it: the route itself or an endpoint.

use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use mesh_config::{
    Action, DirectResponse, HeaderRules, Known, Redirect, RequestHead, Role, Route, Routing, own_location,
};

use super::body::Payload;
use super::codec::Seen;
use super::facts::Progress;
use super::forward;
use super::headers::{self, FORWARDED_FOR, FORWARDED_PROTO};
use super::listener::Connection;
use super::plane::{Config, Proxy};
use super::record::Record;
use super::reply::LocalReply;
use super::request::{self, Asked};
use super::response::{self, Asker, ResponseBody};
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
        unread: payload.is_some() || matches!(upgrade, Upgrade::WebSocket(_)),
        grpc: is_grpc(&parts),
    };
    let head = request::understood(&seen, &parts, payload.is_some());
    let asked = match Asked::read(&mut parts, head, connection.dialled) {
        Ok(_) if matches!(upgrade, Upgrade::Refused) => Err(LocalReply::upgrade_failed()),
        asked => asked,
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(reply) => {
            let mut answer = response::local(record, asker, reply, |_, _| ());
            // To a client of HTTP/1.0 hyper would offer to keep a connection that is to be closed.
            *answer.version_mut() = parts.version;
            return Ok(answer);
        }
    };
    headers::prepare_request(&mut parts.headers, || proxy.shared.request_id());
    if proxy.client.role == Role::Gateway {
        headers::prepare_at_gateway(&mut parts.headers, connection.peer.ip());
    }
    record.asked(&asked, &parts.headers);
    // Held until the end: this request knows one configuration only.
    let config = proxy.config();
    let Some(scheme) = scheme(&parts) else {
        return Ok(response::local(record, asker, LocalReply::no_route(), |_, _| ()));
    };
    let routing = find_route(&config, &asked, &parts, scheme);
    let reply = match routing {
        Routing::Route(_, route) => {
            record.routed(&route.name);
            let exchange = Exchange {
                proxy: &proxy,
                config: &config,
                connection,
                route,
                scheme,
                asker,
            };
            let tunnel = match upgrade {
                Upgrade::WebSocket(tunnel) => Some(tunnel),
                Upgrade::No | Upgrade::Refused => None,
            };
            let arrived = Arrived {
                asked,
                parts,
                payload,
                tunnel,
                record,
            };
            return Ok(match &route.action {
                Action::Forward(forward) => forward::forward(&exchange, forward, arrived).await,
                Action::Redirect(redirect) => exchange.redirect(redirect, arrived),
                Action::DirectResponse(answer) => exchange.direct_response(answer, arrived),
            });
        }
        // To where the client wanted to go: a proxy that does not intercept cannot know that.
        Routing::UnknownHost if config.view.allows_any => LocalReply::no_healthy_upstream(),
        Routing::UnknownHost if proxy.client.role == Role::Sidecar => LocalReply::unknown_host(),
        Routing::UnknownHost | Routing::NoRoute(_) => LocalReply::no_route(),
    };
    Ok(response::local(record, asker, reply, |_, _| ()))
}

/// `application/grpc`, alone or with the name of an encoding.
fn is_grpc(parts: &Parts) -> bool {
    let kind = parts.headers.get(CONTENT_TYPE);
    let rest = kind.and_then(|kind| kind.as_bytes().strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
}

/// What the client's `x-forwarded-proto` says, if that is a scheme. Without any, if it says nothing, Envoy looks for no
/// route.
fn scheme(parts: &Parts) -> Option<&'static str> {
    match parts.headers.get(FORWARDED_PROTO).map(HeaderValue::as_bytes) {
        Some([]) => None,
        Some(said) if said.eq_ignore_ascii_case(b"https") => Some("https"),
        _ => Some("http"),
    }
}

fn head<'r>(asked: &'r Asked, parts: &'r Parts, scheme: &'r str) -> RequestHead<'r> {
    RequestHead {
        method: parts.method.as_str(),
        path: asked.path.as_str(),
        authority: asked.host(),
        scheme,
        headers: &parts.headers,
    }
}

fn find_route<'c>(config: &'c Config, asked: &Asked, parts: &Parts, scheme: &str) -> Routing<'c> {
    let table = config.view.table(asked.port);
    table.map_or(Routing::UnknownHost, |table| {
        let head = head(asked, parts, scheme);
        if asked.by_port {
            table.route_dialled(&head)
        } else {
            table.route(&head)
        }
    })
}

/// A request that has a route: where it is.
pub(super) struct Exchange<'a> {
    pub(super) proxy: &'a Rc<Proxy>,
    pub(super) config: &'a Config,
    pub(super) connection: Connection,
    pub(super) route: &'a Route,
    pub(super) scheme: &'static str,
    pub(super) asker: Asker,
}

/// A request that has a route: what it is.
pub(super) struct Arrived {
    pub(super) asked: Asked,
    pub(super) parts: Parts,
    pub(super) payload: Option<Rc<Payload>>,
    /// The client asks for a WebSocket.
    pub(super) tunnel: Option<Tunnel>,
    pub(super) record: Record,
}

impl Exchange<'_> {
    fn redirect(&self, redirect: &Redirect, arrived: Arrived) -> Response<ResponseBody> {
        let head = head(&arrived.asked, &arrived.parts, self.scheme);
        let location = redirect.location(&self.route.matcher, &head);
        let reply = LocalReply::of_route(redirect.status, Bytes::new());
        self.answer(reply, Some(location), &redirect.headers, arrived)
    }

    fn direct_response(&self, answer: &DirectResponse, arrived: Arrived) -> Response<ResponseBody> {
        // As Envoy does: these are statuses that a location belongs to.
        let located = matches!(answer.status, 201 | 300..=399);
        let location = located.then(|| own_location(&head(&arrived.asked, &arrived.parts, self.scheme)));
        let reply = LocalReply::of_route(answer.status, answer.body.clone());
        self.answer(reply, location, &answer.headers, arrived)
    }

    /// The route's own answer.
    fn answer(
        &self,
        reply: LocalReply,
        location: Option<String>,
        rules: &HeaderRules,
        arrived: Arrived,
    ) -> Response<ResponseBody> {
        let Arrived {
            asked, parts, record, ..
        } = arrived;
        response::local(record, self.asker, reply, |record, headers| {
            if let Some(Ok(location)) = location.map(HeaderValue::try_from) {
                headers.insert(LOCATION, location);
            }
            let progress = self.progress(record, parts.headers.get(FORWARDED_FOR));
            let known = Known {
                method: parts.method.as_str(),
                path: asked.path.as_str(),
                scheme: self.scheme,
                request: Some(&parts.headers),
                facts: &progress,
            };
            rules.respond(&known, headers);
        })
    }

    /// For header values: the request as far as it has come.
    pub(super) fn progress<'s>(
        &'s self,
        record: &'s Record,
        forwarded_for: Option<&'s HeaderValue>,
    ) -> Progress<'s> {
        Progress {
            record,
            connection: self.connection,
            role: self.asker.role,
            forwarded_for,
            route_name: &self.route.name,
            rule: self.route.rule.as_ref(),
        }
    }
}
