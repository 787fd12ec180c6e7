//! Reading VirtualService.

use super::read_action::{self, Kind};
use super::virtual_service::{HttpRoute, RouteDestination, VirtualService};
use crate::host;
use crate::problem::Placed;
use crate::route::{headers, read_match, retry, rewrite};
use crate::text::{Fields, Value};

pub(crate) fn read(value: &Value<'_>) -> Option<VirtualService> {
    value.fields(|fields| {
        fields.not_supported(&["tls", "tcp"]);
        let hosts = fields.get("hosts").filter(|v| !v.is_empty());
        let kind = if hosts.is_some() {
            Kind::Root
        } else {
            Kind::Delegate
        };
        let hosts = hosts.map(|v| read_hosts(&v)).unwrap_or_default();
        for name in ["gateways", "tcp", "tls"] {
            let given = fields.value().field(name).filter(|v| !v.is_empty());
            if let (Some(given), Kind::Delegate) = (given, kind) {
                given.problem("there are no `hosts`, so this is a delegate, which has only `http`");
            }
        }
        let gateways = fields.get("gateways").map(|v| v.texts()).unwrap_or_default();
        let mesh = gateways.is_empty() || gateways.iter().any(|gateway| gateway == "mesh");
        if let Some(star) = hosts.iter().find(|host| host.value == "*" && mesh) {
            fields.value().document().report(
                star.mark,
                "`spec.hosts`: the host `*` cannot be bound to mesh".to_owned(),
                Some("list the gateways it is for in `gateways`, without `mesh`".to_owned()),
            );
        }
        let http = fields.get("http");
        if http.as_ref().is_none_or(Value::is_empty)
            && !fields.value().has("tls")
            && !fields.value().has("tcp")
        {
            fields
                .value()
                .problem("there are no routes: `http` is missing or empty");
        }
        let http = http.map(|v| v.list()).unwrap_or_default();
        VirtualService {
            hosts,
            gateways,
            export_to: read_export_to(fields),
            http: http.iter().filter_map(|v| read_route(v, kind)).collect(),
        }
    })
}

fn read_hosts(value: &Value<'_>) -> Vec<Placed<String>> {
    let mut hosts: Vec<Placed<String>> = Vec::new();
    for entry in value.list() {
        let Some(name) = entry.placed_text() else { continue };
        if !host::is_valid(&name.value, true) {
            entry.problem(format!("`{}` is not a host name", name.value));
        } else if let Some(other) = hosts
            .iter()
            .find(|other| host::overlap(&other.value, &name.value))
        {
            entry.problem(format!(
                "`{}` overlaps `{}` of the same list",
                name.value, other.value
            ));
        }
        hosts.push(name);
    }
    hosts
}

/// `exportTo` of a VirtualService or DestinationRule.
pub(crate) fn read_export_to(fields: &mut Fields<'_>) -> Vec<String> {
    let entries = fields.get("exportTo").map(|v| v.list()).unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    for entry in &entries {
        let Some(name) = entry.text() else { continue };
        match name.as_str() {
            "~" => entry.problem("`~` (nobody) is not allowed here"),
            "*" if entries.len() > 1 => entry.problem("`*` (everybody) stands alone"),
            "." | "*" => {}
            name if !host::is_label(name) => entry.problem(format!("`{name}` is not a namespace")),
            _ => {}
        }
        if names.contains(&name) {
            entry.problem(format!("`{name}` is given twice"));
        }
        names.push(name);
    }
    names
}

fn read_route(value: &Value<'_>, kind: Kind) -> Option<HttpRoute> {
    value.fields(|fields| {
        let rewrite = fields.get("rewrite").map(|v| (rewrite::read(&v), v));
        let headers = fields.get("headers").and_then(|v| headers::read(&v));
        if let Some((Some(rewrite), at)) = &rewrite
            && rewrite.authority.is_some()
            && headers
                .as_ref()
                .is_some_and(|headers| headers.authority.is_some())
        {
            at.problem("the authority is set here and in `headers.request`");
        }
        let matches = fields.get("match").map(|v| v.list()).unwrap_or_default();
        let destinations = fields.get("route");
        let mut route = HttpRoute {
            mark: fields.value().mark(),
            name: fields.get("name").and_then(|v| v.text()),
            matches: matches.iter().filter_map(read_match::read_block).collect(),
            route: destinations.map(|v| read_destinations(&v)).unwrap_or_default(),
            timeout: fields.get("timeout").and_then(|v| v.duration()),
            retries: fields.get("retries").and_then(|v| retry::read(&v)),
            rewrite: rewrite.and_then(|(rewrite, _)| rewrite),
            headers,
            ..HttpRoute::default()
        };
        read_action::read_into(&mut route, fields, kind);
        route
    })
}

fn read_destinations(value: &Value<'_>) -> Vec<RouteDestination> {
    let destinations: Vec<_> = value.list().iter().filter_map(read_destination).collect();
    let total: u64 = destinations
        .iter()
        .map(|destination| u64::from(destination.weight))
        .sum();
    if destinations.len() > 1 && total == 0 {
        value.problem("the weights add up to 0");
    }
    if total > u64::from(u32::MAX) {
        value.envoy_refuses("the weights add up to more than 4294967295");
    }
    destinations
}

fn read_destination(value: &Value<'_>) -> Option<RouteDestination> {
    value.fields(|fields| {
        let mut read = fields
            .required("destination")
            .and_then(|v| read_target(&v))
            .unwrap_or_default();
        read.weight = fields.get("weight").and_then(|v| v.count()).unwrap_or(0);
        read.headers = fields
            .get("headers")
            .and_then(|v| headers::read(&v))
            .unwrap_or_default();
        read
    })
}

pub(super) fn read_target(value: &Value<'_>) -> Option<RouteDestination> {
    value.fields(|fields| {
        let host = fields.required("host").and_then(|v| {
            let name = v.placed_text()?;
            if name.value == "*" || !host::is_valid(&name.value, false) {
                v.problem(format!("`{}` is not a host name", name.value));
            }
            Some(name)
        });
        let subset = fields.get("subset").and_then(|v| {
            let name = v.placed_text().filter(|name| !name.value.is_empty())?;
            if !host::is_label(&name.value) {
                v.problem(format!("`{}` is not a name for a subset", name.value));
            }
            Some(name)
        });
        let port = fields
            .get("port")
            .and_then(|v| v.fields(|fields| fields.required("number").and_then(|v| v.port()))?);
        RouteDestination {
            host: host.unwrap_or_default(),
            subset,
            port,
            ..RouteDestination::default()
        }
    })
}
