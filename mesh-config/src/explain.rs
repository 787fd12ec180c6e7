//! Why a request goes where it goes.

use std::fmt;

use serde::Serialize;

use crate::client::{Client, Role};
use crate::mesh::Mesh;
use crate::object::virtual_service::{HttpRoute, VirtualService};
use crate::object::{Object, ObjectKey, Spec};
use crate::route::matching::RequestHead;
use crate::route::{Action, Destination, Forward, Route};
use crate::view::cluster::ClusterPolicy;
use crate::view::distribution::{Share, shares};
use crate::view::{Routing, View};

/// The decision for one request, with its reasons.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The request, as looked at: `GET http auth:8080 /a?b port 8080`.
    pub request: String,
    /// In a sentence.
    pub decision: String,
    /// Name of the virtual host that the Host header led to.
    pub virtual_host: Option<String>,
    /// The VirtualService; `None` for the default route of a Service.
    pub object: Option<ObjectKey>,
    /// `file:line` of the rule that decided, or of the object.
    pub place: Option<String>,
    /// Each rule of the VirtualService up to the one that decided.
    pub rules: Vec<TriedRule>,
    /// Exact probabilities.
    pub shares: Vec<Share>,
    /// Clusters of the destinations, with their policies; one that does not exist has none.
    pub clusters: Vec<ExplainedCluster>,
    /// `10s`, `none`.
    pub timeout: String,
    /// `2 on connect-failure,...`, `off`.
    pub retries: String,
}

/// One rule (or one of its match blocks) that was looked at.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriedRule {
    /// Index in `spec.http`.
    pub rule: usize,
    /// Index in `match`; `None` without `match`.
    pub block: Option<usize>,
    /// Name of the rule.
    pub name: Option<String>,
    /// Line of the source.
    pub line: usize,
    /// The condition that failed; `None`: this one decided.
    pub failed: Option<String>,
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
    let routing = view
        .table(port)
        .map_or(Routing::UnknownHost, |table| table.route(request));
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
        timeout: "none".to_owned(),
        retries: "off".to_owned(),
    };
    match routing {
        Routing::UnknownHost => {
            let status = if client.role == Role::Gateway { 404 } else { 502 };
            explanation.decision = format!("no virtual host on port {port} has this Host: {status}");
        }
        Routing::NoRoute(host) => {
            explanation.virtual_host = Some(host.name.clone());
            explanation.object = host.origin.clone();
            explanation.decision = "no rule matches: 404, flag NR".to_owned();
            explanation.look_at_rules(mesh, client, port, host.origin.as_ref(), request, None);
        }
        Routing::Route(host, route) => {
            explanation.virtual_host = Some(host.name.clone());
            explanation.object = route.rule.as_ref().map(|rule| rule.object.clone());
            let deciding = explanation.object.clone();
            explanation.look_at_rules(mesh, client, port, deciding.as_ref(), request, Some(route));
            explanation.describe(&view, route);
        }
    }
    explanation
}

impl Explanation {
    fn look_at_rules(
        &mut self,
        mesh: &Mesh,
        client: &Client,
        port: u16,
        key: Option<&ObjectKey>,
        request: &RequestHead<'_>,
        decided: Option<&Route>,
    ) {
        let Some(object) = key.and_then(|key| mesh.get(key)) else {
            return;
        };
        let Spec::VirtualService(spec) = &object.spec else {
            return;
        };
        let line = decided
            .and_then(|route| route.rule.as_ref())
            .map_or(object.place.line, |rule| rule.line);
        self.place = Some(format!("{}:{line}", object.place.file));
        let decided = decided
            .and_then(|route| route.rule.as_ref())
            .map(|rule| (rule.index, rule.block));
        for (index, rule) in spec.http.iter().enumerate() {
            for tried in tried(mesh, client, port, (object, spec), (index, rule), request) {
                let is_it = decided == Some((tried.rule, tried.block));
                self.rules.push(tried);
                if is_it {
                    return;
                }
            }
        }
    }

    fn describe(&mut self, view: &View, route: &Route) {
        let Action::Forward(forward) = &route.action;
        self.decision = match &route.rule {
            Some(rule) => format!("rule {} of {} decides", rule.index, rule.object),
            None => "no VirtualService applies: the default route of the Service".to_owned(),
        };
        self.shares = shares(forward);
        self.clusters = forward.destinations.iter().map(|d| explained(view, d)).collect();
        self.timeout = forward
            .timeout
            .map_or("none".to_owned(), |timeout| format!("{timeout:?}"));
        self.retries = retries(forward);
    }
}

/// The blocks of one rule, each with the condition that failed.
fn tried(
    mesh: &Mesh,
    client: &Client,
    port: u16,
    (object, _): (&Object, &VirtualService),
    (index, rule): (usize, &HttpRoute),
    request: &RequestHead<'_>,
) -> Vec<TriedRule> {
    let row = |block, line, failed| TriedRule {
        rule: index,
        block,
        name: rule.name.clone(),
        line,
        failed,
    };
    if rule.matches.is_empty() {
        return vec![row(None, rule.mark.line, None)];
    }
    let blocks = rule.matches.iter().enumerate();
    blocks
        .map(|(block, conditions)| {
            let admitted = mesh.admits(client, port, object, conditions);
            let failed = admitted.and_then(|()| conditions.request.check(request)).err();
            row(Some(block), conditions.mark.line, failed)
        })
        .collect()
}

fn explained(view: &View, destination: &Destination) -> ExplainedCluster {
    match &destination.cluster {
        Ok(id) => {
            let cluster = view.cluster(*id);
            ExplainedCluster {
                name: cluster.name.clone(),
                policy: describe_policy(&cluster.policy),
            }
        }
        Err(name) => ExplainedCluster {
            name: name.clone(),
            policy: "does not exist: 503, flag NC".to_owned(),
        },
    }
}

fn describe_policy(policy: &ClusterPolicy) -> String {
    let limit = |limit: Option<u32>| limit.map_or("unlimited".to_owned(), |limit| limit.to_string());
    let outlier = policy
        .outlier
        .as_ref()
        .map_or("no outlier detection".to_owned(), |outlier| {
            format!(
                "ejects after {} 5xx for {:?}, at most {} %",
                outlier.consecutive_5xx, outlier.base_ejection_time, outlier.max_ejection_percent
            )
        });
    format!(
        "{:?}; connections {}, pending {}, requests {}; {outlier}",
        policy.load_balancer,
        limit(policy.pool.max_connections),
        limit(policy.pool.max_pending),
        limit(policy.pool.max_requests),
    )
}

fn retries(forward: &Forward) -> String {
    let Some(policy) = &forward.retry else {
        return "off".to_owned();
    };
    let per_try = policy
        .per_try_timeout
        .map(|t| format!(", {t:?} per try"))
        .unwrap_or_default();
    format!("{} on {}{per_try}", policy.attempts, policy.on)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, key: &str, text: &str| wrapped(f, key, text);
        line(f, "request", &self.request)?;
        line(f, "decision", &self.decision)?;
        if let Some(host) = &self.virtual_host {
            line(f, "virtual host", host)?;
        }
        if let Some(object) = &self.object {
            line(f, "object", &object.to_string())?;
        }
        if let Some(place) = &self.place {
            line(f, "place", place)?;
        }
        for rule in &self.rules {
            let name = rule
                .name
                .as_ref()
                .map(|name| format!(" `{name}`"))
                .unwrap_or_default();
            let block = rule
                .block
                .map(|block| format!(".match[{block}]"))
                .unwrap_or_default();
            let why = rule
                .failed
                .as_ref()
                .map_or("-> decides".to_owned(), |why| format!("no: {why}"));
            line(
                f,
                "rule",
                &format!("http[{}]{block}{name} (line {}): {why}", rule.rule, rule.line),
            )?;
        }
        for share in &self.shares {
            let subset = share
                .subset
                .as_ref()
                .map(|subset| format!(" subset {subset}"))
                .unwrap_or_default();
            line(
                f,
                "goes to",
                &format!("{:7.3} %  {}{subset}", share.probability * 100.0, share.host),
            )?;
        }
        if self.shares.is_empty() {
            return Ok(());
        }
        for cluster in &self.clusters {
            line(f, "cluster", &cluster.name)?;
            line(f, "", &cluster.policy)?;
        }
        line(f, "timeout", &self.timeout)?;
        line(f, "retries", &self.retries)
    }
}

/// A key and a text, broken at blanks and commas so that lines fit 80 columns.
fn wrapped(f: &mut fmt::Formatter<'_>, key: &str, text: &str) -> fmt::Result {
    const WIDTH: usize = 80 - 14;
    let mut key = key;
    let mut line = String::new();
    for word in text.split_inclusive([' ', ',']) {
        if !line.is_empty() && line.chars().count() + word.trim_end().chars().count() > WIDTH {
            writeln!(f, "{key:<13} {}", line.trim_end())?;
            (key, line) = ("", "  ".to_owned());
        }
        line.push_str(word);
    }
    writeln!(f, "{key:<13} {}", line.trim_end())
}
