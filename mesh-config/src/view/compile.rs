//! From the rules of a VirtualService to routes, for one client and one port.

use super::clusters::{self, Clusters, selects};
use super::delegate::{self, Effective};
use super::registry::{Named, Registry};
use super::services::Backing;
use crate::client::Client;
use crate::host;
use crate::object::Object;
use crate::object::virtual_service::{HttpMatch, HttpRoute, Mirroring, RouteDestination, VirtualService};
use crate::policy::hash::HashKey;
use crate::problem::Mark;
use crate::route::direct_response::DirectResponse;
use crate::route::fraction::Fraction;
use crate::route::headers::HeaderRules;
use crate::route::matching::RequestMatch;
use crate::route::mirror::Mirror;
use crate::route::retry::RetryPolicy;
use crate::route::{Action, Destination, Forward, Route, RuleRef};

/// What `gateways` calls all sidecars.
pub(crate) const MESH: &str = "mesh";

/// Whether a list of gateways of a rule names all sidecars.
pub(crate) fn is_of_mesh(gateways: &[String]) -> bool {
    gateways.is_empty() || gateways.iter().any(|gateway| gateway == MESH)
}

/// For whom and where rules are compiled.
pub(crate) struct Scope<'a> {
    pub(crate) registry: &'a Registry<'a>,
    pub(crate) clusters: &'a Clusters,
    pub(crate) client: &'a Client,
    /// The port that the client dials; on a gateway the port of its server.
    pub(crate) port: u16,
    /// [`MESH`], or the `namespace/name` of the gateway.
    pub(crate) gateway: &'a str,
}

impl Scope<'_> {
    /// Whether a list of gateways of a rule in `namespace` names this scope's.
    pub(crate) fn is_bound(&self, gateways: &[String], namespace: &str) -> bool {
        let Some(own) = self.gateway.split_once('/') else {
            return is_of_mesh(gateways);
        };
        gateways
            .iter()
            .any(|gateway| gateway != MESH && gateway_name(gateway, namespace) == own)
    }

    /// Whether a block counts for this client and port at all.
    ///
    /// # Errors
    /// The condition that excludes it.
    pub(crate) fn admits(&self, block: &HttpMatch, namespace: &str) -> Result<(), String> {
        if let Some(port) = block.port.filter(|port| *port != self.port) {
            return Err(format!("port is {}; needs {port}", self.port));
        }
        if !block.gateways.is_empty() {
            // Then the source conditions are not looked at, as in istiod.
            let bound = self.is_bound(&block.gateways, namespace);
            return if bound {
                Ok(())
            } else {
                Err(format!("gateway is {}; not listed", self.gateway))
            };
        }
        if !selects(&block.source_labels, &self.client.labels) {
            let labels: Vec<String> = block
                .source_labels
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            return Err(format!("the client lacks the labels {}", labels.join(", ")));
        }
        match &block.source_namespace {
            Some(wanted) if *wanted != self.client.namespace => Err(format!(
                "the client's namespace is `{}`; needs `{wanted}`",
                self.client.namespace
            )),
            _ => Ok(()),
        }
    }

    /// The routes of a VirtualService: one per rule and match block, cut after the first that takes everything.
    pub(crate) fn routes(&self, rule: &Named<'_, VirtualService>) -> Vec<Route> {
        let mut routes = Vec::new();
        let namespace = &rule.metadata().namespace;
        for effective in delegate::rules(self.registry, rule) {
            if effective.http.matches.is_empty() {
                routes.push(self.route(rule, &effective, None));
                return routes;
            }
            for (block, conditions) in effective.http.matches.iter().enumerate() {
                if self.admits(conditions, namespace).is_ok() {
                    routes.push(self.route(rule, &effective, Some((block, conditions))));
                    if conditions.request.is_catch_all() {
                        return routes;
                    }
                }
            }
        }
        routes
    }

    fn route(
        &self,
        rule: &Named<'_, VirtualService>,
        effective: &Effective<'_>,
        block: Option<(usize, &HttpMatch)>,
    ) -> Route {
        let http = &effective.http;
        let mut name = http.name.clone().unwrap_or_default();
        if let Some(of_block) = block.and_then(|(_, conditions)| conditions.name.as_ref()) {
            name = format!("{name}.{of_block}");
        }
        let own_block = block.and_then(|(block, _)| effective.blocks.get(block).copied().flatten());
        // A block of the rule that delegates is in another object, perhaps another file.
        let mark: Mark = match (block, own_block) {
            (Some((_, conditions)), Some(_)) => conditions.mark,
            _ => http.mark,
        };
        let reference = |object: &Object, index, block, line| RuleRef {
            object: object.key(),
            index,
            block,
            file: object.place.file.clone(),
            line,
        };
        let root = effective
            .root
            .and_then(|index| Some((index, rule.spec.http.get(index)?)));
        Route {
            name,
            rule: Some(reference(effective.object, effective.index, own_block, mark.line)),
            root: root.map(|(index, http)| reference(rule.object, index, None, http.mark.line)),
            matcher: block
                .map(|(_, conditions)| conditions.request.clone())
                .unwrap_or_default(),
            action: self.action(http, &rule.metadata().namespace),
        }
    }

    fn action(&self, http: &HttpRoute, namespace: &str) -> Action {
        let headers = || http.headers.clone().unwrap_or_default();
        if let Some(redirect) = &http.redirect {
            return Action::Redirect(redirect.compile(self.port, headers()));
        }
        match &http.direct_response {
            Some(answer) => Action::DirectResponse(DirectResponse {
                headers: headers(),
                ..answer.clone()
            }),
            None => Action::Forward(Box::new(self.forward(http, namespace))),
        }
    }

    fn forward(&self, http: &HttpRoute, namespace: &str) -> Forward {
        let single = http.route.len() == 1;
        let used = || {
            http.route
                .iter()
                .filter(|destination| single || destination.weight > 0)
        };
        let destinations: Vec<Destination> = used().map(|d| self.destination(d, single, namespace)).collect();
        let hash: Vec<HashKey> = used().filter_map(|d| self.hash(d, namespace)).collect();
        let mut retry = match &http.retries {
            Some(written) => written.policy.clone(),
            None => Some(RetryPolicy::default()),
        };
        if let Some(policy) = &mut retry {
            // A request whose hash decides stays where it is, unless the rule says otherwise.
            let said = http
                .retries
                .as_ref()
                .and_then(|written| written.avoid_previous_hosts);
            policy.avoid_previous_hosts = said.unwrap_or(!single || hash.is_empty());
        }
        if let (Some(policy), Some(timeout)) = (&mut retry, http.timeout) {
            // Envoy ignores a per-try timeout that the total cuts off.
            policy.per_try_timeout = policy.per_try_timeout.filter(|per_try| *per_try < timeout);
        }
        Forward {
            total_weight: destinations
                .iter()
                .map(|destination| u64::from(destination.weight))
                .sum(),
            destinations,
            single,
            timeout: http.timeout,
            retry,
            hash,
            rewrite: http.rewrite.clone(),
            headers: http.headers.clone().unwrap_or_default(),
            fault: http.fault.clone().filter(|fault| !fault.is_empty()),
            cors: http.cors.clone(),
            mirrors: self.mirrors(&http.mirroring, namespace),
        }
    }

    /// The copies that are ever sent.
    fn mirrors(&self, written: &Mirroring, namespace: &str) -> Vec<Mirror> {
        let share = written.percentage.or(written.percent).unwrap_or(Fraction::ALL);
        let one = written.mirror.iter().map(|target| (target, share));
        let list = written.mirrors.iter().map(|(target, share)| (target, *share));
        let mirrors = one.chain(list).filter(|(_, share)| !share.is_none());
        mirrors
            .map(|(target, share)| {
                let (host, subset, port) = self.target(target, namespace);
                Mirror {
                    cluster: self.clusters.id(&clusters::name(&host, subset.as_deref(), port)),
                    host,
                    subset,
                    port,
                    share,
                }
            })
            .collect()
    }

    /// Full name, subset and port of a destination. One that is an ExternalName service is what that points at, one step
    /// and no more; for a sidecar only where the service has the listener's port. Without `destination.port` it is the
    /// port of the listener, on a gateway a service's only port (istiod's `GetDestinationCluster`).
    fn target(&self, written: &RouteDestination, namespace: &str) -> (String, Option<String>, u16) {
        let named = host::complete(&written.host.value, namespace);
        let callee = self.registry.services.get(&named);
        let callee = callee.filter(|callee| self.gateway != MESH || callee.port(self.port).is_some());
        let only = match callee.map(|callee| callee.ports.as_ref()) {
            Some([only]) if self.gateway != MESH => only.port,
            _ => self.port,
        };
        let host = match callee.map(|callee| callee.backing) {
            Some(Backing::Alias(target)) => target.to_owned(),
            _ => named,
        };
        let subset = written.subset.as_ref().map(|subset| subset.value.clone());
        (host, subset, written.port.unwrap_or(only))
    }

    fn destination(&self, written: &RouteDestination, single: bool, namespace: &str) -> Destination {
        let (host, subset, port) = self.target(written, namespace);
        let name = clusters::name(&host, subset.as_deref(), port);
        let rule = || self.registry.rule_for(self.client, &host);
        Destination {
            version: subset.as_ref().map(|subset| rule().version(subset)),
            cluster: self.clusters.id(&name).ok_or(name),
            host,
            subset,
            port,
            // The weight of a single destination is ignored, even 0.
            weight: if single { 1 } else { written.weight },
            headers: written.headers.clone(),
        }
    }

    /// What the rule of a destination wants to be hashed.
    fn hash(&self, written: &RouteDestination, namespace: &str) -> Option<HashKey> {
        let host = host::complete(&written.host.value, namespace);
        let rule = self.registry.rule_for(self.client, &host);
        let subset = written.subset.as_ref().map(|subset| subset.value.as_str());
        rule.hash_of_destination(written.port, subset).cloned()
    }

    /// The route of a service without a VirtualService.
    pub(crate) fn default_route(&self, host: &str) -> Route {
        let name = clusters::name(host, None, self.port);
        let hash = self
            .registry
            .rule_for(self.client, host)
            .hash_of_service(self.port)
            .cloned();
        Route {
            name: "default".to_owned(),
            rule: None,
            root: None,
            matcher: RequestMatch::default(),
            action: Action::Forward(Box::new(Forward {
                destinations: vec![Destination {
                    host: host.to_owned(),
                    subset: None,
                    port: self.port,
                    weight: 1,
                    cluster: self.clusters.id(&name).ok_or(name),
                    headers: HeaderRules::default(),
                    version: None,
                }],
                single: true,
                total_weight: 1,
                timeout: None,
                retry: Some(RetryPolicy::default()),
                hash: hash.into_iter().collect(),
                rewrite: None,
                headers: HeaderRules::default(),
                fault: None,
                cors: None,
                mirrors: Vec::new(),
            })),
        }
    }
}

/// Namespace and name of a gateway that a rule in `namespace` names: `namespace/name`, `name`, or the old form
/// `name.namespace.svc.cluster.local`.
pub(crate) fn gateway_name<'t>(written: &'t str, namespace: &'t str) -> (&'t str, &'t str) {
    if let Some((of, name)) = written.split_once('/') {
        return (if of == "." { namespace } else { of }, name);
    }
    match written.split_once('.') {
        Some((name, rest)) => (rest.split('.').next().unwrap_or_default(), name),
        None => (namespace, written),
    }
}
