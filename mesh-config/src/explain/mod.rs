//! Why a request goes where it goes.

mod actions;
mod missing;
mod policy;
mod text;
mod tried;

use serde::Serialize;

use crate::client::Client;
use crate::mesh::Mesh;
use crate::object::virtual_service::HttpRoute;
use crate::object::{ObjectKey, Spec};
use crate::origin::Origin;
use crate::route::matching::RequestHead;
use crate::route::{Action, Forward, Route, RuleRef};
use crate::view::distribution::{Share, shares};
use crate::view::{Routing, View, VirtualHost};
pub use actions::ExplainedAction;
pub(crate) use missing::cluster as missing_cluster;
pub use policy::ExplainedPart;
pub(crate) use text::{counted, line};
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
    /// Clusters of the destinations, with what applies to them.
    pub clusters: Vec<ExplainedCluster>,
    /// What else happens to the request, in order: faults, CORS, rewrites, headers, copies.
    pub actions: Vec<ExplainedAction>,
    /// `10s`, `none`.
    pub timeout: String,
    /// The rule that says so; `None`: none does.
    pub timeout_from: Option<Origin>,
    /// `2 on connect-failure,...`, `off`.
    pub retries: String,
    /// The rule that says so; `None`: none does, and Istio's default holds.
    pub retries_from: Option<Origin>,
}

/// A cluster that the request may go to.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedCluster {
    /// `outbound|8080|v1|auth.default.svc.cluster.local`.
    pub name: String,
    /// Why it does not exist, and what is answered then.
    pub missing: Option<String>,
    /// What applies to it; nothing if it does not exist.
    pub parts: Vec<ExplainedPart>,
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
        timeout_from: None,
        retries: "off".to_owned(),
        retries_from: None,
    };
    let table = view.table(port);
    match table.map_or(Routing::UnknownHost, |table| table.route(request)) {
        Routing::UnknownHost => {
            explanation.decision = missing::virtual_host(mesh, &view, client, port, request.authority);
        }
        Routing::NoRoute(host) => {
            explanation.decision = "no rule matches: 404, flag NR".to_owned();
            explanation.look_at(mesh, host, None);
            explanation.rules = tried::rules(mesh, client, port, host, request, None);
        }
        Routing::Route(host, route) => {
            explanation.look_at(mesh, host, Some(route));
            explanation.rules = tried::rules(mesh, client, port, host, request, Some(route));
            explanation.describe(mesh, &view, route, request);
        }
    }
    explanation
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

    fn describe(&mut self, mesh: &Mesh, view: &View, route: &Route, request: &RequestHead<'_>) {
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
        self.actions = actions::of(mesh, route, request);
        let Action::Forward(forward) = &route.action else {
            return;
        };
        self.shares = shares(forward);
        self.clusters = clusters(mesh, view, forward);
        let timeout = forward.timeout;
        self.timeout = timeout.map_or("none".to_owned(), |timeout| format!("{timeout:?}"));
        self.timeout_from = rule_with(mesh, route, |http| http.timeout.is_some());
        self.retries = retries(forward);
        self.retries_from = rule_with(mesh, route, |http| http.retries.is_some());
    }
}

/// The rule from which a route has something: the one that decides, else the one that delegated to it.
fn rule_with(mesh: &Mesh, route: &Route, has: impl Fn(&HttpRoute) -> bool) -> Option<Origin> {
    let says = |rule: &&RuleRef| match mesh.get(&rule.object).map(|object| &object.spec) {
        Some(Spec::VirtualService(spec)) => spec.http.get(rule.index).is_some_and(&has),
        _ => false,
    };
    let mut rules = route.rule.iter().chain(&route.root);
    rules.find(says).map(Origin::from)
}

/// Those of the destinations, each once.
fn clusters(mesh: &Mesh, view: &View, forward: &Forward) -> Vec<ExplainedCluster> {
    let mut clusters: Vec<ExplainedCluster> = Vec::new();
    for destination in &forward.destinations {
        let cluster = match &destination.cluster {
            Ok(id) => ExplainedCluster {
                name: view.cluster(*id).name.clone(),
                missing: None,
                parts: policy::parts(mesh, view.cluster(*id), &forward.hash),
            },
            Err(name) => ExplainedCluster {
                name: name.clone(),
                missing: Some(missing::cluster(view, destination)),
                parts: Vec::new(),
            },
        };
        if !clusters.iter().any(|other| other.name == cluster.name) {
            clusters.push(cluster);
        }
    }
    clusters
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
