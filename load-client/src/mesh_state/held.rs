//! What a proxy does with a request.

use std::fmt;

use super::dump::{Forward, ProxyConfig, Route, RouteConfig, VirtualHost};
use super::matching::NotUnderstood;
use crate::expect::{Question, Shares};
use mesh_config::Role;

/// A proxy does not forward the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotForwarded {
    /// No route table.
    #[error("no routes for port {0}")]
    NoTable(u16),
    /// More than one table of a gateway could be meant.
    #[error("several route tables that could be meant ({0})")]
    SeveralTables(String),
    /// 404, or passed through as it is.
    #[error("nothing for host `{0}`")]
    UnknownHost(String),
    /// 404.
    #[error("no route for this request")]
    NoRoute,
    /// The proxy answers.
    #[error("an answer of its own, {0}")]
    Answered(String),
    /// 503.
    #[error("routes to the cluster {0}, which it does not have")]
    NoCluster(String),
    /// Something that istiod does not write for plain manifests (an EnvoyFilter, say).
    #[error("routes that are not understood here: {0}")]
    NotUnderstood(#[from] NotUnderstood),
}

/// Where a proxy sends the request of a question.
///
/// # Errors
/// Nowhere, and why.
pub fn held(config: &ProxyConfig, question: &Question) -> Result<Shares, NotForwarded> {
    let authority = question.call.authority();
    let host = virtual_host(config, question)?;
    let host = host.ok_or_else(|| NotForwarded::UnknownHost(authority.to_owned()))?;
    let head = question.call.head();
    for route in &host.routes {
        if route.matches.matches(&head)? {
            let shares = forwarded(route)?;
            let lacking = shares.keys().find(|name| !config.clusters.contains(*name));
            return match lacking {
                Some(name) => Err(NotForwarded::NoCluster(name.clone())),
                None => Ok(shares),
            };
        }
    }
    Err(NotForwarded::NoRoute)
}

fn forwarded(route: &Route) -> Result<Shares, NotForwarded> {
    if let Some(answer) = &route.direct_response {
        return Err(NotForwarded::Answered(format!("status {}", answer.status)));
    }
    if route.redirect.is_some() {
        return Err(NotForwarded::Answered("a redirect".to_owned()));
    }
    match &route.route {
        Some(Forward {
            cluster: Some(name), ..
        }) => Ok(Shares::from([(name.clone(), 1.0)])),
        Some(Forward {
            weighted_clusters: Some(several),
            ..
        }) => {
            let total: f64 = several.clusters.iter().map(|one| f64::from(one.weight)).sum();
            let mut shares = Shares::new();
            // A cluster of weight 0 gets nothing; istiod leaves it out, the manifests' view does so, too.
            for one in several.clusters.iter().filter(|one| one.weight > 0) {
                *shares.entry(one.name.clone()).or_default() += f64::from(one.weight) / total;
            }
            Ok(shares)
        }
        _ => Err(NotForwarded::Answered(
            "by an action that is not understood here".to_owned(),
        )),
    }
}

/// A sidecar has a table for each port, or for one host at a port; a gateway has one for each port it listens on, which
/// need not be the one that the Gateway object names: the gateway's Service translates.
fn virtual_host<'a>(
    config: &'a ProxyConfig,
    question: &Question,
) -> Result<Option<&'a VirtualHost>, NotForwarded> {
    let port = question.port.to_string();
    let of_host = format!(":{port}");
    let is_candidate = |table: &&RouteConfig| match question.caller.role {
        Role::Sidecar => table.name == port || table.name.ends_with(&of_host),
        Role::Gateway => table.name.starts_with("http."),
    };
    let tables: Vec<&RouteConfig> = config.routes.iter().filter(is_candidate).collect();
    if tables.is_empty() {
        return Err(NotForwarded::NoTable(question.port));
    }
    let authority = question.call.authority();
    let found: Vec<(&RouteConfig, &VirtualHost)> = tables
        .into_iter()
        .filter_map(|table| Some((table, table.virtual_host(authority)?)))
        .collect();
    let named = found
        .iter()
        .find(|(table, _)| table.name == format!("http.{port}"));
    match (found.as_slice(), named) {
        ([], _) => Ok(None),
        (_, Some((_, host))) | ([(_, host)], None) => Ok(Some(*host)),
        ([(_, host), ..], None) if question.caller.role == Role::Sidecar => Ok(Some(*host)),
        (several, None) => {
            let names: Vec<&str> = several.iter().map(|(table, _)| table.name.as_str()).collect();
            Err(NotForwarded::SeveralTables(names.join(", ")))
        }
    }
}

impl RouteConfig {
    /// Envoy's order: exact name, longest suffix, longest prefix, `*`. Case does not count.
    fn virtual_host(&self, authority: &str) -> Option<&VirtualHost> {
        let whole = authority.to_ascii_lowercase();
        let asked = match whole.rsplit_once(':') {
            Some((host, port)) if self.ignore_port_in_host_matching && port.parse::<u16>().is_ok() => host,
            _ => &whole,
        };
        let rank = |domain: &str| match (domain.strip_prefix('*'), domain.strip_suffix('*')) {
            (Some(""), _) => Some((0, 0)),
            (Some(end), _) => (asked.len() > end.len() && asked.ends_with(end)).then_some((2, end.len())),
            (None, Some(start)) => {
                (asked.len() > start.len() && asked.starts_with(start)).then_some((1, start.len()))
            }
            (None, None) => (domain == asked).then_some((3, 0)),
        };
        let best = |host: &VirtualHost| {
            let ranks = host.domains.iter();
            ranks
                .filter_map(|domain| rank(&domain.to_ascii_lowercase()))
                .max()
        };
        let hosts = self.virtual_hosts.iter();
        let ranked = hosts.filter_map(|host| Some((best(host)?, host)));
        ranked.max_by_key(|(rank, _)| *rank).map(|(_, host)| host)
    }
}

/// Shares for people: `v1 90 %, v2 10 %`, by subset, or by service where there is none.
pub(super) struct Shown<'a>(pub(super) &'a Shares);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (cluster, share)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{} {}", short(cluster), crate::report::declared(*share))?;
        }
        Ok(())
    }
}

/// `v1` of `outbound|8080|v1|auth-service.traffic-lab.svc.cluster.local`.
fn short(cluster: &str) -> &str {
    let parts: Vec<&str> = cluster.split('|').collect();
    match parts.as_slice() {
        [_, _, "", host] => host.split('.').next().unwrap_or(host),
        [_, _, subset, _] => subset,
        _ => cluster,
    }
}
