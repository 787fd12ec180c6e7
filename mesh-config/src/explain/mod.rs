//! Why a request goes where it goes.

mod actions;
mod policy;
mod text;
mod tried;

use serde::Serialize;

use crate::client::{Client, Role};
use crate::mesh::Mesh;
use crate::object::ObjectKey;
use crate::route::matching::RequestHead;
use crate::route::{Action, Destination, Forward, Route};
use crate::view::distribution::{Share, shares};
use crate::view::{Routing, View, VirtualHost};
pub use actions::ExplainedAction;
pub use tried::TriedRule;

/// The decision for one request, with its reasons.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The request, as looked at: `GET http://auth:8080/a?b (port 8080)`.
    pub request: String,
    /// In a sentence.
    pub decision: String,
    /// Name of the virtual host that the Host header led to.
    pub virtual_host: Option<String>,
    /// The VirtualService; `None` for the default route of a Service.
    pub object: Option<ObjectKey>,
    /// `file:line` of the rule that decided, or of the object.
    pub place: Option<String>,
    /// Each rule of the virtual host up to the one that decided.
    pub rules: Vec<TriedRule>,
    /// Exact probabilities.
    pub shares: Vec<Share>,
    /// Clusters of the destinations, with their policies; one that does not exist has none.
    pub clusters: Vec<ExplainedCluster>,
    /// What else happens to the request, in order: faults, CORS, rewrites, headers, copies.
    pub actions: Vec<ExplainedAction>,
    /// `10s`, `none`.
    pub timeout: String,
    /// `2 on connect-failure,...`, `off`.
    pub retries: String,
}

/// A cluster that the request may go to.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedCluster {
    /// `outbound|8080|v1|auth.default.svc.cluster.local`.
    pub name: String,
    /// What applies to it, or that it does not exist.
    pub policy: String,
}

/// Explains the decision for a request of `client` to `port`.
#[must_use]
pub fn explain(mesh: &Mesh, client: &Client, port: u16, request: &RequestHead<'_>) -> Explanation {
    let view = mesh.view(client, &[]);
    let mut explanation = Explanation {
        request: format!(
            "{} {}://{}{} (port {port})",
            request.method, request.scheme, request.authority, request.path
        ),
        decision: String::new(),
        virtual_host: None,
        object: None,
        place: None,
        rules: Vec::new(),
        shares: Vec::new(),
        clusters: Vec::new(),
        actions: Vec::new(),
        timeout: "none".to_owned(),
        retries: "off".to_owned(),
    };
    let table = view.table(port);
    match table.map_or(Routing::UnknownHost, |table| table.route(request)) {
        Routing::UnknownHost => explanation.decision = unknown_host(&view, client, port, request),
        Routing::NoRoute(host) => {
            explanation.decision = "no rule matches: 404, flag NR".to_owned();
            explanation.look_at(mesh, host, None);
            explanation.rules = tried::rules(mesh, client, port, host, request, None);
        }
        Routing::Route(host, route) => {
            explanation.look_at(mesh, host, Some(route));
            explanation.rules = tried::rules(mesh, client, port, host, request, Some(route));
            explanation.describe(&view, route, request);
        }
    }
    explanation
}

/// What is said when no virtual host answers to the Host header.
fn unknown_host(view: &View, client: &Client, port: u16, request: &RequestHead<'_>) -> String {
    let status = if client.role == Role::Gateway { 404 } else { 502 };
    let what = if view.table(port).is_none() {
        format!("nothing in the mesh serves HTTP on port {port}: {status}")
    } else {
        format!("no virtual host on port {port} has this Host: {status}")
    };
    let tables = view.ports.iter();
    let known = tables.filter(|(_, table)| table.virtual_host(request.authority).is_some());
    let elsewhere: Vec<String> = known.map(|(port, _)| port.to_string()).collect();
    if elsewhere.is_empty() {
        return what;
    }
    format!("{what}; this Host is known on port {}", elsewhere.join(", "))
}

impl Explanation {
    fn look_at(&mut self, mesh: &Mesh, host: &VirtualHost, decided: Option<&Route>) {
        self.virtual_host = Some(host.name.clone());
        let rule = decided.and_then(|route| route.rule.as_ref());
        self.object = rule.map_or(host.origin.clone(), |rule| Some(rule.object.clone()));
        let object = self.object.as_ref().and_then(|key| mesh.get(key));
        self.place = object.map(|object| {
            let line = rule.map_or(object.place.line, |rule| rule.line);
            format!("{}:{line}", object.place.file)
        });
    }

    fn describe(&mut self, view: &View, route: &Route, request: &RequestHead<'_>) {
        self.decision = match (&route.rule, &route.root) {
            (Some(rule), Some(root)) => format!(
                "rule {} of {} delegates; rule {} of {} decides",
                root.index, root.object, rule.index, rule.object
            ),
            (Some(rule), None) => format!("rule {} of {} decides", rule.index, rule.object),
            (None, _) if route.forward().is_none() => {
                "the server of the Gateway has `tls.httpsRedirect`: no rule is looked at".to_owned()
            }
            (None, _) => "no VirtualService applies: the default route of the Service".to_owned(),
        };
        self.actions = actions::of(route, request);
        let Action::Forward(forward) = &route.action else {
            return;
        };
        self.shares = shares(forward);
        for destination in &forward.destinations {
            let cluster = explained(view, forward, destination);
            if !self.clusters.iter().any(|other| other.name == cluster.name) {
                self.clusters.push(cluster);
            }
        }
        let timeout = forward.timeout;
        self.timeout = timeout.map_or("none".to_owned(), |timeout| format!("{timeout:?}"));
        self.retries = retries(forward);
    }
}

fn explained(view: &View, forward: &Forward, destination: &Destination) -> ExplainedCluster {
    match &destination.cluster {
        Ok(id) => {
            let cluster = view.cluster(*id);
            ExplainedCluster {
                name: cluster.name.clone(),
                policy: policy::describe(cluster, &forward.hash),
            }
        }
        Err(name) => ExplainedCluster {
            name: name.clone(),
            policy: "does not exist: 503, flag NC".to_owned(),
        },
    }
}

fn retries(forward: &Forward) -> String {
    let Some(policy) = &forward.retry else {
        return "off".to_owned();
    };
    let per_try = policy.per_try_timeout.map(|t| format!(", {t:?} per try"));
    let where_to = match (policy.avoid_previous_hosts, policy.remote_localities) {
        (_, true) => ", other localities after every second try",
        (true, false) => "",
        (false, false) => ", perhaps at the same endpoint",
    };
    format!(
        "{} on {}{}{where_to}",
        policy.attempts,
        policy.on,
        per_try.unwrap_or_default()
    )
}
