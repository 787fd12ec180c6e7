//! VirtualService.

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use super::read_virtual_service::read;
use crate::problem::{Mark, Placed};
use crate::route::cors::CorsPolicy;
use crate::route::direct_response::DirectResponse;
use crate::route::fault::Fault;
use crate::route::fraction::Fraction;
use crate::route::headers::HeaderRules;
use crate::route::matching::RequestMatch;
use crate::route::redirect::WrittenRedirect;
use crate::route::retry::WrittenRetries;
use crate::route::rewrite::Rewrite;

/// `VirtualService`: routing rules for hosts.
#[derive(Clone, Debug, Default)]
pub struct VirtualService {
    /// As written, short names not completed. None: a delegate, which only counts where other rules name it.
    pub hosts: Vec<Placed<String>>,
    /// Empty means `mesh`.
    pub gateways: Vec<String>,
    /// Empty means everybody.
    pub export_to: Vec<String>,
    /// In order; the first that matches wins.
    pub http: Vec<HttpRoute>,
}

/// One entry of `spec.http`.
#[derive(Clone, Debug, Default)]
pub struct HttpRoute {
    /// Where it begins.
    pub mark: Mark,
    /// For logs.
    pub name: Option<String>,
    /// Empty matches everything; otherwise one of them must match.
    pub matches: Vec<HttpMatch>,
    /// Where matching requests go.
    pub route: Vec<RouteDestination>,
    /// For all tries together.
    pub timeout: Option<Duration>,
    /// `None`: Istio's default.
    pub retries: Option<WrittenRetries>,
    /// Of path and authority.
    pub rewrite: Option<Rewrite>,
    /// On requests and responses, for every destination.
    pub headers: Option<HeaderRules>,
    /// The client is sent elsewhere.
    pub redirect: Option<WrittenRedirect>,
    /// The proxy answers.
    pub direct_response: Option<DirectResponse>,
    /// Another VirtualService says what happens.
    pub delegate: Option<Delegate>,
    /// Injected before anything else.
    pub fault: Option<Fault>,
    /// For other origins' pages.
    pub cors: Option<CorsPolicy>,
    /// Copies of the requests.
    pub mirroring: Mirroring,
}

/// The name of a VirtualService without hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delegate {
    /// Its name.
    pub name: String,
    /// `None`: that of the rule that names it.
    pub namespace: Option<String>,
}

/// The fields for copies, old and new ones.
#[derive(Clone, Debug, Default)]
pub struct Mirroring {
    /// `mirror`; its weight and headers mean nothing.
    pub mirror: Option<RouteDestination>,
    /// `mirrorPercentage` for `mirror`; counts before `percent`.
    pub percentage: Option<Fraction>,
    /// `mirrorPercent`, the old one.
    pub percent: Option<Fraction>,
    /// `mirrors`, with their percentages.
    pub mirrors: Vec<(RouteDestination, Fraction)>,
}

/// One block of `match`. The first fields are decided against the client when a view is compiled.
#[derive(Clone, Debug, Default)]
pub struct HttpMatch {
    /// Where it begins.
    pub mark: Mark,
    /// Appended to the route's name.
    pub name: Option<String>,
    /// Compared where rules delegate; for the request it is in the condition on the path.
    pub ignore_uri_case: bool,
    /// Compared where rules delegate: whether there is a condition on the path, be it without a text.
    pub names_uri: bool,
    /// Port the client dialled.
    pub port: Option<u16>,
    /// Replaces the two source conditions when not empty.
    pub gateways: Vec<String>,
    /// Must be among the client's labels.
    pub source_labels: BTreeMap<String, String>,
    /// Must be the client's namespace.
    pub source_namespace: Option<String>,
    /// Decided per request.
    pub request: RequestMatch,
}

/// One entry of `route`.
#[derive(Clone, Debug, Default)]
pub struct RouteDestination {
    /// As written.
    pub host: Placed<String>,
    /// Name of a subset.
    pub subset: Option<Placed<String>>,
    /// Port of the destination Service.
    pub port: Option<u16>,
    /// Share of the requests; ignored when there is one destination.
    pub weight: u32,
    /// For this destination.
    pub headers: HeaderRules,
}
