//! What becomes of a request.

use std::collections::BTreeMap;

use super::case::Caller;
use crate::client::{Client, Role};
use crate::explain;
use crate::mesh::Mesh;
use crate::object::Spec;
use crate::route::fault::AbortStatus;
use crate::route::matching::RequestHead;
use crate::route::{Action, Destination, Forward, Route};
use crate::view::registry::Registry;
use crate::view::{Routing, View};

/// What became of a request.
#[derive(Default)]
pub(super) struct Decision<'v> {
    /// If the proxy itself answers, always the same.
    pub(super) status: Option<u16>,
    /// Destinations with their weights, each once.
    pub(super) shares: Vec<(&'v Destination, u64)>,
    /// Full names of destinations that the manifests do not have.
    pub(super) assumed: Vec<String>,
    /// Why a part of the requests, or all, would be answered 503.
    pub(super) broken: Option<String>,
    /// Of a redirect.
    pub(super) location: Option<String>,
    /// Path and query, and Host, that the destination gets.
    pub(super) sent: Option<(String, String)>,
    pub(super) route: Option<&'v Route>,
}

impl<'v> Decision<'v> {
    pub(super) fn of(
        mesh: &Mesh,
        view: &'v View,
        client: &Client,
        port: u16,
        request: &RequestHead<'_>,
    ) -> Self {
        let unknown = if client.role == Role::Gateway { 404 } else { 502 };
        let routing = view
            .table(port)
            .map_or(Routing::UnknownHost, |table| table.route(request));
        let route = match routing {
            Routing::UnknownHost => return Self::answered(unknown),
            Routing::NoRoute(_) => return Self::answered(404),
            Routing::Route(_, route) => route,
        };
        let decision = match &route.action {
            Action::Redirect(redirect) => Decision {
                location: Some(redirect.location(&route.matcher, request)),
                ..Self::answered(redirect.status)
            },
            Action::DirectResponse(answer) => Self::answered(answer.status),
            Action::Forward(forward) => Self::forwarded(mesh, view, route, forward, request),
        };
        Decision {
            route: Some(route),
            ..decision
        }
    }

    fn answered(status: u16) -> Self {
        Decision {
            status: Some(status),
            ..Decision::default()
        }
    }

    fn forwarded(
        mesh: &Mesh,
        view: &View,
        route: &Route,
        forward: &'v Forward,
        request: &RequestHead<'_>,
    ) -> Self {
        let known = Registry::new(mesh.aged()).services;
        let mut decision = Decision::default();
        let mut missing = 0;
        for destination in &forward.destinations {
            let same = |(other, _): &&mut (&Destination, u64)| {
                (&other.host, &other.subset, other.port)
                    == (&destination.host, &destination.subset, destination.port)
            };
            match decision.shares.iter_mut().find(same) {
                Some((_, weight)) => *weight += u64::from(destination.weight),
                None => decision.shares.push((destination, destination.weight.into())),
            }
            if destination.cluster.is_ok() {
                continue;
            }
            if known.contains_key(&destination.host) {
                missing += 1;
                decision.broken = Some(explain::missing_cluster(view, destination));
            } else {
                decision.assumed.push(destination.host.clone());
            }
        }
        decision.status = aborted(forward).or((missing == forward.destinations.len()).then_some(503));
        let path = forward.rewrite_path(&route.matcher, request.path);
        let path = path.unwrap_or_else(|| request.path.to_owned());
        decision.sent = Some((path, host_sent(forward, request)));
        decision
    }
}

/// The status of a fault that meets every request.
fn aborted(forward: &Forward) -> Option<u16> {
    let abort = forward.fault.as_ref()?.abort?;
    match abort.status {
        AbortStatus::Http(status) if abort.share.probability() >= 1.0 => Some(status),
        _ => None,
    }
}

/// The Host that every destination gets; of several with rules of their own, that of the request.
fn host_sent(forward: &Forward, request: &RequestHead<'_>) -> String {
    let rewrite = forward
        .rewrite
        .as_ref()
        .and_then(|rewrite| rewrite.authority.as_ref());
    let own = forward.destinations.first().filter(|_| forward.single);
    let own = own.and_then(|destination| destination.headers.authority.as_ref());
    let host = rewrite.or(forward.headers.authority.as_ref()).or(own);
    host.and_then(|host| host.to_str().ok())
        .unwrap_or(request.authority)
        .to_owned()
}

impl Caller {
    /// The client it stands for; `None`: there is no such Deployment.
    pub(super) fn client(&self, mesh: &Mesh) -> Option<Client> {
        let workload = |namespace: &str, name: &str, labels: &BTreeMap<String, String>| Client {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            labels: labels.clone(),
            locality: None,
            role: Role::Sidecar,
        };
        match self {
            Caller::Gateway => Some(Client::ingress_gateway()),
            Caller::Workload { namespace, labels } => Some(workload(namespace, "", labels)),
            Caller::Deployment { namespace, name } => mesh.objects().find_map(|object| match &object.spec {
                Spec::Deployment(spec)
                    if object.metadata.namespace == *namespace && object.metadata.name == *name =>
                {
                    Some(workload(namespace, name, &spec.template_labels))
                }
                _ => None,
            }),
        }
    }

    /// As a case writes it.
    pub(super) fn name(&self) -> String {
        match self {
            Caller::Gateway => "gateway".to_owned(),
            Caller::Deployment { namespace, name } => format!("{namespace}/{name}"),
            Caller::Workload { namespace, labels } => {
                let labels = labels.iter().map(|(key, value)| format!(" {key}={value}"));
                format!("{namespace}{}", labels.collect::<String>())
            }
        }
    }
}

/// The port that a client dials for this Host: on a gateway with one port that one, else that of the Host, else 80.
pub(super) fn port_dialled(view: &View, client: &Client, authority: &str) -> u16 {
    let mut ports = view.ports.keys();
    match (client.role, ports.next(), ports.next()) {
        (Role::Gateway, Some(only), None) => *only,
        _ => {
            let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
            port.unwrap_or(80)
        }
    }
}
