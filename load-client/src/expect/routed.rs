//! Where a request goes: its destinations, their probabilities, and what they get to see.

use http::HeaderMap;
use mesh_config::{
    Client, ClusterId, Destination, Distribution, Fact, Facts, Forward, Known, Mesh, ObjectKey, Outcome,
    Routing, Share, Spec, View,
};

use super::call::{Call, InvalidCall};
use super::caller::{self, Caller};
use super::{Expected, Origin, Workload, known};
use crate::stats::InvalidSplit;

/// Why the manifests declare no split for a request.
#[derive(Debug, thiserror::Error)]
pub enum NotDeclared {
    /// Gateway and gateway labels do not meet.
    #[error(
        "no Gateway with a plain HTTP server selects `istio: ingressgateway`; give the manifests of the Gateway, or \
         name the caller with --from NAMESPACE/NAME"
    )]
    NoGateway,
    /// Which server is meant is not clear from the URL.
    #[error(
        "the gateway has several HTTP servers, at ports {servers}; port {port} of the URL is none of them"
    )]
    SeveralServers {
        /// Port of the URL.
        port: u16,
        /// Ports of the servers.
        servers: String,
    },
    /// Probably misspelt.
    #[error("no object of the manifests is in namespace `{0}`; correct --from")]
    Namespace(String),
    /// 502, on a gateway 404.
    #[error(
        "no Service and no VirtualService that {caller} sees answers for host `{host}` at port {port}; correct the \
         URL or add the manifests"
    )]
    UnknownHost {
        /// Who asks.
        caller: String,
        /// The Host.
        host: String,
        /// The port that is dialled.
        port: u16,
    },
    /// 404.
    #[error(
        "no rule for host `{host}` matches this request: the mesh would answer 404; `local-mesh explain` tells why"
    )]
    NoRoute {
        /// The Host.
        host: String,
    },
    /// A redirect or a fixed answer.
    #[error(
        "the rule for host `{host}` that this request meets answers it itself (`redirect` or `directResponse`), so no \
         version is declared; ask for something that is forwarded"
    )]
    Answered {
        /// The Host.
        host: String,
    },
    /// Any pod of the service may answer.
    #[error(
        "no VirtualService routes `{host}`, so any of its pods may answer and no version is declared; add the manifest \
         of one, or state the split with --expect"
    )]
    DefaultRoute {
        /// The Host.
        host: String,
    },
    /// Any pod of the destination may answer.
    #[error(
        "{origin} sends to {host} without a subset, so no version is declared; route to subsets, or state the split \
         with --expect"
    )]
    NoSubset {
        /// The rule.
        origin: String,
        /// The destination.
        host: String,
    },
    /// 503, flag NC.
    #[error(
        "{origin} sends to `{cluster}`, which no Service and DestinationRule define: the mesh would answer 503; \
         correct host, subset or port, or add the manifests"
    )]
    NoCluster {
        /// The rule.
        origin: String,
        /// `outbound|PORT|SUBSET|HOST`.
        cluster: String,
    },
    /// The second hop has no caller.
    #[error(
        "no Deployment with `version: {version}` is behind {service}, so nothing is declared for the calls that it \
         makes; add its manifest"
    )]
    NoDeployment {
        /// Name of the service.
        service: String,
        /// Version label.
        version: String,
    },
    /// Two Deployments of one version are treated differently.
    #[error(
        "version {version} of {service} is run by Deployments for which different splits are declared, and an answer \
         does not say which one called; give them different `version` labels"
    )]
    Ambiguous {
        /// Name of the service.
        service: String,
        /// Version label.
        version: String,
    },
    /// Of a variant.
    #[error(transparent)]
    Call(#[from] InvalidCall),
    /// Of a rule.
    #[error(transparent)]
    Split(#[from] InvalidSplit),
}

/// One destination of a request.
pub(super) struct Leg {
    /// Version label of the subset.
    pub(super) version: String,
    pub(super) probability: f64,
    pub(super) service: ObjectKey,
    /// Headers as they arrive there.
    pub(super) headers: HeaderMap,
}

/// Where a request goes.
pub(super) struct Routed {
    pub(super) origin: Origin,
    pub(super) legs: Vec<Leg>,
}

/// What is declared for a request.
///
/// # Errors
/// [`NotDeclared`] says why there is no split.
pub fn expected(mesh: &Mesh, caller: &Caller, call: &Call) -> Result<Expected, NotDeclared> {
    Routed::new(mesh, &caller.client(mesh)?, call)?.expected(mesh)
}

impl Routed {
    pub(super) fn new(mesh: &Mesh, client: &Client, call: &Call) -> Result<Self, NotDeclared> {
        let port = caller::port(client, mesh, call)?;
        let view = mesh.view(client, &[]);
        let routing = view
            .table(port)
            .map_or(Routing::UnknownHost, |table| table.route(&call.head()));
        let host = || call.authority().to_owned();
        let Routing::Route(_, route) = &routing else {
            return Err(match routing {
                Routing::NoRoute(_) => NotDeclared::NoRoute { host: host() },
                _ => NotDeclared::UnknownHost {
                    caller: client.name.clone(),
                    host: host(),
                    port,
                },
            });
        };
        let Some(forward) = route.forward() else {
            return Err(NotDeclared::Answered { host: host() });
        };
        let Distribution { outcome, shares, .. } = Distribution::of(&routing);
        let Some(origin) = origin(&outcome) else {
            return Err(NotDeclared::DefaultRoute { host: host() });
        };
        let legs = shares
            .iter()
            .map(|share| leg(&view, forward, share, call, &origin));
        let legs = legs.collect::<Result<_, _>>()?;
        Ok(Self { origin, legs })
    }

    /// The versions of the legs, and those that exist besides, with probability 0.
    pub(super) fn expected(&self, mesh: &Mesh) -> Result<Expected, NotDeclared> {
        let mut weights: Vec<_> = self
            .legs
            .iter()
            .map(|leg| (leg.version.clone(), leg.probability))
            .collect();
        for leg in &self.legs {
            weights.extend(
                known::versions(mesh, &leg.service)
                    .into_iter()
                    .map(|version| (version, 0.0)),
            );
        }
        let mut services: Vec<String> = self.legs.iter().map(|leg| leg.service.name.clone()).collect();
        services.sort();
        services.dedup();
        let mut expected = Expected::new(self.origin.clone(), weights)?;
        expected.strangers = known::services(mesh)
            .filter(|name| !services.contains(name))
            .collect();
        expected.services = services;
        expected.workloads = self.workloads(mesh);
        Ok(expected)
    }
}

impl Routed {
    /// The Deployments behind the destinations, each once.
    fn workloads(&self, mesh: &Mesh) -> Vec<Workload> {
        let mut workloads: Vec<Workload> = Vec::new();
        for (object, labels) in self.legs.iter().flat_map(|leg| known::behind(mesh, &leg.service)) {
            let Spec::Deployment(deployment) = &object.spec else {
                continue;
            };
            let workload = Workload {
                name: object.metadata.name.clone(),
                version: labels.get(known::VERSION).cloned().unwrap_or_default(),
                replicas: deployment.replicas,
            };
            if !workloads.contains(&workload) {
                workloads.push(workload);
            }
        }
        workloads
    }
}

fn origin(outcome: &Outcome) -> Option<Origin> {
    match outcome {
        Outcome::Routed {
            object: Some(object),
            rule: Some(rule),
        } => Some(Origin::Rule {
            object: object.to_string(),
            rule: *rule,
        }),
        _ => None,
    }
}

fn leg(
    view: &View,
    forward: &Forward,
    share: &Share,
    call: &Call,
    origin: &Origin,
) -> Result<Leg, NotDeclared> {
    let no_subset = || NotDeclared::NoSubset {
        origin: origin.to_string(),
        host: share.host.clone(),
    };
    let version = share.version.clone().ok_or_else(no_subset)?;
    let same =
        |destination: &&Destination| destination.host == share.host && destination.subset == share.subset;
    let destination = forward.destinations.iter().find(same).ok_or_else(no_subset)?;
    let cluster: &Result<ClusterId, String> = &destination.cluster;
    let no_cluster = |name: &String| NotDeclared::NoCluster {
        origin: origin.to_string(),
        cluster: name.clone(),
    };
    let cluster = view.cluster(*cluster.as_ref().map_err(no_cluster)?);
    let mut headers = call.headers().clone();
    let head = call.head();
    let known = Known {
        method: head.method,
        path: head.path,
        scheme: head.scheme,
        request: None,
        facts: &OfNoProxy,
    };
    forward.request_headers(destination, &known, &mut headers);
    let service = ObjectKey {
        kind: "Service".to_owned(),
        namespace: cluster.service_namespace.clone(),
        name: cluster.service_name.clone(),
    };
    Ok(Leg {
        version,
        probability: share.probability,
        service,
        headers,
    })
}

/// Facts about a request that only the proxy has which forwards it; a header made of them is left as it is.
struct OfNoProxy;

impl Facts for OfNoProxy {
    fn tell(&self, _: &Fact, _: &mut Vec<u8>) {}
}
