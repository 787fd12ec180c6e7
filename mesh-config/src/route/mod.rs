//! Routes: what a request must be like, and what happens to it.

pub(crate) mod command;
pub(crate) mod cors;
pub(crate) mod direct_response;
pub(crate) mod fault;
pub(crate) mod format;
pub(crate) mod fraction;
pub(crate) mod header_value;
pub(crate) mod headers;
pub(crate) mod matching;
pub(crate) mod mirror;
pub(crate) mod pattern;
mod re2;
pub(crate) mod read_match;
pub(crate) mod redirect;
pub(crate) mod retry;
pub(crate) mod rewrite;

use std::time::Duration;

use http::header::HOST;
use http::{HeaderMap, HeaderName};

use crate::object::ObjectKey;
use crate::policy::hash::HashKey;
use crate::view::cluster::ClusterId;
use cors::CorsPolicy;
use direct_response::DirectResponse;
use fault::Fault;
use format::Known;
use headers::HeaderRules;
use matching::RequestMatch;
use mirror::Mirror;
use redirect::Redirect;
use retry::RetryPolicy;
use rewrite::Rewrite;

/// The Host before a rule replaced it, as Envoy tells it to the endpoint.
const ORIGINAL_HOST: HeaderName = HeaderName::from_static("x-envoy-original-host");

/// One compiled route: an entry of `spec.http` with one of its match blocks.
#[derive(Clone, Debug)]
pub struct Route {
    /// For logs: `default` without a VirtualService.
    pub name: String,
    /// The rule it came from; `None` for the default route of a Service.
    pub rule: Option<RuleRef>,
    /// The rule that delegated to it, if one did.
    pub root: Option<RuleRef>,
    /// Conditions, all of which must hold.
    pub matcher: RequestMatch,
    /// What happens.
    pub action: Action,
}

/// Where a route was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRef {
    /// The VirtualService.
    pub object: ObjectKey,
    /// Index in `spec.http`.
    pub index: usize,
    /// Index in `match`, `None` for a rule without `match`.
    pub block: Option<usize>,
    /// Name of the source.
    pub file: String,
    /// 1-based line of the rule (or of the match block).
    pub line: usize,
}

/// What happens to a request that matched.
#[derive(Clone, Debug)]
pub enum Action {
    /// It is sent to one of the destinations.
    Forward(Box<Forward>),
    /// The client is told another URL.
    Redirect(Redirect),
    /// The proxy answers.
    DirectResponse(DirectResponse),
}

/// Forwarding to one of several destinations.
#[derive(Clone, Debug)]
pub struct Forward {
    /// At least one. Of several, none has weight 0.
    pub destinations: Vec<Destination>,
    /// Whether the rule names one destination only; those of weight 0 count, though nothing is sent there.
    pub single: bool,
    /// Sum of the weights; at least 1.
    pub total_weight: u64,
    /// For all tries together; `None`: no limit.
    pub timeout: Option<Duration>,
    /// `None`: no retries.
    pub retry: Option<RetryPolicy>,
    /// What of a request is hashed for its endpoint, combined in this order.
    pub hash: Vec<HashKey>,
    /// Of path and authority.
    pub rewrite: Option<Rewrite>,
    /// Of the route, for every destination.
    pub headers: HeaderRules,
    /// Injected before anything else is done.
    pub fault: Option<Fault>,
    /// For other origins' pages.
    pub cors: Option<CorsPolicy>,
    /// Copies; those of them that are ever sent.
    pub mirrors: Vec<Mirror>,
}

/// One place a request may go to.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Full name.
    pub host: String,
    /// Name of the subset.
    pub subset: Option<String>,
    /// Port of the Service.
    pub port: u16,
    /// Its part of [`Forward::total_weight`].
    pub weight: u32,
    /// The cluster, or the name of one that does not exist: 503, flag NC.
    pub cluster: Result<ClusterId, String>,
    /// For this destination.
    pub headers: HeaderRules,
    /// The subset's `version` label, else the subset's name.
    pub version: Option<String>,
}

impl Route {
    /// Where it leads; `None` for a route that answers itself.
    #[must_use]
    pub fn forward(&self) -> Option<&Forward> {
        match &self.action {
            Action::Forward(forward) => Some(forward),
            Action::Redirect(_) | Action::DirectResponse(_) => None,
        }
    }
}

impl Forward {
    /// The destination whose interval contains `random` modulo the total weight; intervals in list order.
    #[must_use]
    pub fn draw(&self, random: u64) -> &Destination {
        let mut rest = random % self.total_weight.max(1);
        for destination in &self.destinations {
            if rest < u64::from(destination.weight) {
                return destination;
            }
            rest -= u64::from(destination.weight);
        }
        &self.destinations[0]
    }

    /// The path (and query) to send, `None` when nothing is rewritten. `path` is the normalised one of the request.
    #[must_use]
    pub fn rewrite_path(&self, matcher: &RequestMatch, path: &str) -> Option<String> {
        self.rewrite.as_ref()?.path(matcher, path)
    }

    /// Changes the headers of a request on its way to `destination`, its `host` included.
    ///
    /// With one destination its operations join the route's and win; with several they run before the route's, which
    /// win. The authority of the route wins in both cases, and then the one before is told in a header: with several
    /// destinations the destination's. This is what Envoy makes of istiod's configuration.
    pub fn request_headers(&self, destination: &Destination, known: &Known<'_>, headers: &mut HeaderMap) {
        let (route, own) = (&self.headers, &destination.headers);
        let rewrite = self
            .rewrite
            .as_ref()
            .and_then(|rewrite| rewrite.authority.as_ref());
        let mut authority = rewrite.or(route.authority.as_ref());
        if self.single {
            headers::apply(&[&route.request, &own.request], known, headers);
            authority = authority.or(own.authority.as_ref());
        } else {
            headers::apply(&[&own.request], known, headers);
            if let Some(host) = &own.authority {
                headers.insert(HOST, host.clone());
            }
            headers::apply(&[&route.request], known, headers);
        }
        if let Some(host) = authority
            && let Some(before) = headers.insert(HOST, host.clone())
        {
            headers.insert(ORIGINAL_HOST, before);
        }
    }

    /// A header name of the operations on requests that cannot be sent: such requests are answered 503, flag DPE.
    #[must_use]
    pub fn bad_header_name<'r>(&'r self, destination: &'r Destination) -> Option<&'r str> {
        let route = self.headers.request.bad_name();
        route.or(destination.headers.request.bad_name())
    }

    /// Whether headers are changed on the way.
    #[must_use]
    pub fn changes_headers(&self, destination: &Destination) -> bool {
        !self.headers.is_empty() || !destination.headers.is_empty()
    }

    /// Changes the headers of a response, including answers that the proxy makes itself for this route.
    pub fn response_headers(&self, destination: &Destination, known: &Known<'_>, headers: &mut HeaderMap) {
        let (route, own) = (&self.headers.response, &destination.headers.response);
        if self.single {
            headers::apply(&[route, own], known, headers);
        } else {
            headers::apply(&[own], known, headers);
            headers::apply(&[route], known, headers);
        }
    }
}
