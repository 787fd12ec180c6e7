//! The routes of each port.

mod action;
mod condition;

use mesh_config::{Mesh, Route, View, VirtualHost};
use serde_json::{Value, json};

use super::{Content, beside};

pub(super) const COLUMNS: &[&str] = &[
    "NAME",
    "VHOST NAME",
    "DOMAINS",
    "MATCH",
    "VIRTUAL SERVICE",
    "ROUTE",
    "ACTION",
];
pub(super) const NARROW: usize = 5;

/// What every service of a cluster ends with: left off where people read.
const CLUSTER_DOMAIN: &str = ".svc.cluster.local";

/// All ports, or the one of this name. One row per route, in the order in which they are tried.
pub(super) fn content(mesh: &Mesh, view: &View, name: Option<&str>) -> Content {
    let (mut rows, mut items) = Content::default();
    for (port, table) in &view.ports {
        let port = port.to_string();
        if name.is_some_and(|name| name != port) {
            continue;
        }
        for host in table.virtual_hosts() {
            rows.extend(host.routes.iter().map(|route| row(view, &port, host, route)));
            if host.routes.is_empty() {
                let words = [
                    port.as_str(),
                    &short(&host.name),
                    &domains(host),
                    "<none>",
                    "",
                    "",
                    "404",
                ];
                rows.push(words.map(str::to_owned).to_vec());
            }
        }
        let hosts = table.virtual_hosts().iter();
        items.push(json!({
            "name": port,
            "virtualHosts": hosts.map(|host| virtual_host(mesh, view, host)).collect::<Vec<_>>(),
        }));
    }
    (rows, items)
}

fn row(view: &View, port: &str, host: &VirtualHost, route: &Route) -> Vec<String> {
    let rule = route.rule.as_ref().map(|rule| beside(&host.name, &rule.object));
    vec![
        port.to_owned(),
        short(&host.name),
        domains(host),
        condition::summary(&route.matcher),
        rule.unwrap_or_default(),
        route.name.clone(),
        action::summary(view, &route.action),
    ]
}

/// Without the port, which has its own column.
fn short(host: &str) -> String {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix(CLUSTER_DOMAIN).unwrap_or(name).to_owned()
}

/// The shortest, and how many more there are.
fn domains(host: &VirtualHost) -> String {
    let shortest = host.domains.iter().min_by_key(|domain| domain.len());
    let name = shortest.map(String::as_str).unwrap_or_default();
    match host.domains.len() {
        0 | 1 => short(name),
        all => format!("{} +{}", short(name), all - 1),
    }
}

fn virtual_host(mesh: &Mesh, view: &View, host: &VirtualHost) -> Value {
    let routes = host.routes.iter().map(|route| {
        json!({
            "name": route.name,
            "match": condition::full(&route.matcher),
            "action": action::full(view, &route.action),
            "rule": origin(mesh, route),
        })
    });
    json!({
        "name": host.name,
        "domains": host.domains,
        "virtualService": host.origin,
        "routes": routes.collect::<Vec<_>>(),
    })
}

/// Where the route was written, and what was written there: operations on headers and URLs are shown in these words.
fn origin(mesh: &Mesh, route: &Route) -> Value {
    let Some(rule) = &route.rule else {
        return Value::Null;
    };
    let written = mesh.get(&rule.object);
    let written = written.map(|object| object.content()["spec"]["http"][rule.index].clone());
    json!({
        "virtualService": rule.object,
        "delegatedBy": route.root.as_ref().map(|root| &root.object),
        "http": rule.index,
        "match": rule.block,
        "place": format!("{}:{}", rule.file, rule.line),
        "written": written,
    })
}
