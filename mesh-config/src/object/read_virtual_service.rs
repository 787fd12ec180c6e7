//! Reading VirtualService. Source of the checks: istiod's `ValidateVirtualService` and `validateHTTPRoute`.

use super::read_action::{self, Kind};
use super::virtual_service::{HttpRoute, RouteDestination, VirtualService};
use super::{Metadata, read_l4};
use crate::check::{warning, webhook};
use crate::host;
use crate::problem::Placed;
use crate::route::{headers, read_match, retry, rewrite};
use crate::text::{Fields, Value};

/// What the rules of a VirtualService need to know of it.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    /// With or without hosts.
    pub(super) kind: Kind,
    /// Whether it is for sidecars: no gateway is named, or `mesh` is.
    pub(super) mesh: bool,
    /// Whether istiod checks no destinations.
    pub(super) lenient: bool,
}

pub(crate) fn read(value: &Value<'_>, metadata: &Metadata) -> Option<VirtualService> {
    value.fields(|fields| {
        let hosts = fields.get("hosts");
        let kind = if hosts.as_ref().is_some_and(|v| !v.is_empty()) {
            Kind::Root
        } else {
            Kind::Delegate
        };
        let lenient = metadata.has_gateway_semantics();
        if lenient {
            fields.value().not_supported();
        }
        let named = fields.get("gateways");
        let gateways = named.as_ref().map(Value::texts).unwrap_or_default();
        if let Some(named) = &named {
            check_gateways(named, Some(lenient));
        }
        let mesh = gateways.is_empty() || gateways.iter().any(|gateway| gateway == "mesh");
        let context = Context { kind, mesh, lenient };
        check_delegate(fields.value(), kind);
        let http = fields.get("http").map(|v| v.list()).unwrap_or_default();
        let (tls, tcp) = (fields.unsupported("tls"), fields.unsupported("tcp"));
        let names = hosts
            .map(|v| read_hosts(&v, mesh, tls.as_ref()))
            .unwrap_or_default();
        if let Some(tls) = &tls {
            read_l4::read_tls(tls, &names, &gateways, lenient);
        }
        if let Some(tcp) = &tcp {
            read_l4::read_tcp(tcp, lenient);
        }
        let empty = |v: &Option<Value<'_>>| v.as_ref().is_none_or(Value::is_empty);
        if empty(&fields.get("http")) && empty(&tls) && empty(&tcp) {
            fields
                .value()
                .problem("there are no routes: `http` is missing or empty");
        }
        VirtualService {
            hosts: names,
            gateways,
            export_to: read_export_to(fields, &metadata.namespace, false),
            http: http.iter().filter_map(|v| read_route(v, context)).collect(),
        }
    })
}

/// Without hosts there is `http` and nothing else.
fn check_delegate(value: &Value<'_>, kind: Kind) {
    for name in ["gateways", "tcp", "tls"] {
        let given = value.field(name).filter(|v| !v.is_empty());
        if let (Some(given), Kind::Delegate) = (given, kind) {
            given.problem("there are no `hosts`, so this is a delegate, which has only `http`");
        }
    }
}

fn read_hosts(value: &Value<'_>, mesh: bool, tls: Option<&Value<'_>>) -> Vec<Placed<String>> {
    let sni = !mesh && tls.is_some_and(read_l4::has_sni_hosts);
    let entries = value.list();
    let names: Vec<_> = entries.iter().map(Value::placed_text).collect();
    let mut good = true;
    for (entry, name) in entries.iter().zip(&names) {
        let Some(name) = name else { continue };
        if !(host::is_valid(&name.value, true) || sni && host::is_sni_name(&name.value)) {
            entry.problem(format!("`{}` is not a host name", name.value));
            good = false;
        } else if name.value == "*" && mesh {
            entry.problem_with(
                "the host `*` cannot be bound to mesh",
                "list the gateways it is for in `gateways`, without `mesh`",
            );
            good = false;
        }
    }
    let names: Vec<_> = names.into_iter().flatten().collect();
    // istiod looks for overlaps only among good hosts.
    for (index, name) in names.iter().enumerate().filter(|_| good) {
        if let Some(other) = names[..index]
            .iter()
            .find(|other| host::overlap(&other.value, &name.value))
        {
            let message = format!("`{}` overlaps `{}` of the same list", name.value, other.value);
            value.document().report(
                webhook::subject(value.path()),
                name.mark,
                format!("`{}`: {message}", value.path()),
                None,
            );
        }
    }
    names
}

/// Names of gateways. istiod stops looking at the first one without a namespace. `gateway_semantics` of
/// `spec.gateways`; `None`: in a match, where old forms are no reason for a warning.
pub(crate) fn check_gateways(value: &Value<'_>, gateway_semantics: Option<bool>) {
    for entry in value.list() {
        let Some(name) = entry.text() else { continue };
        let Some((namespace, gateway)) = name.split_once('/') else {
            if gateway_semantics.is_some()
                && let Some((gateway, rest)) = name.split_once('.')
            {
                let namespace = rest.split('.').next().unwrap_or_default();
                let message = format!("`{name}` is a gateway's name in the old form");
                let advice = format!("write `{namespace}/{gateway}`");
                entry.say(&warning::DOTTED_GATEWAY, message, Some(advice));
            }
            if !host::is_plain(&name) {
                entry.problem(format!("`{name}` is not the name of a gateway"));
            }
            return;
        };
        if !host::is_label(namespace) || !host::is_label(gateway) && gateway_semantics != Some(true) {
            entry.problem_with(
                format!("`{name}` is not the name of a gateway"),
                "write NAMESPACE/NAME, or NAME",
            );
        }
    }
}

/// `exportTo` of a VirtualService or DestinationRule of a namespace; `own`: a rule with a selector is for its own
/// namespace only.
pub(crate) fn read_export_to(fields: &mut Fields<'_>, namespace: &str, own: bool) -> Vec<String> {
    let list = fields.get("exportTo");
    let entries = list.as_ref().map(Value::list).unwrap_or_default();
    let mut seen: Vec<String> = Vec::new();
    let mut names = Vec::new();
    for entry in &entries {
        let Some(name) = entry.text() else { continue };
        let meant = if name == "." { namespace } else { name.as_str() };
        match meant {
            "~" => entry.problem("`~` (nobody) is not allowed here"),
            "*" if entries.len() > 1 => entry.problem("`*` (everybody) stands alone"),
            "*" => {}
            _ if !host::is_label(meant) => entry.problem(format!("`{name}` is not a namespace")),
            _ => {}
        }
        if seen.iter().any(|other| other == meant) {
            entry.problem(format!("`{meant}` is given twice"));
        }
        seen.push(meant.to_owned());
        names.push(name);
    }
    if let Some(list) = list.filter(|_| own && seen.iter().any(|name| name != namespace)) {
        list.problem_with(
            "a rule with a `workloadSelector` is for its own namespace only",
            "write `exportTo: [.]`",
        );
    }
    names
}

fn read_route(value: &Value<'_>, context: Context) -> Option<HttpRoute> {
    value.fields(|fields| {
        let rewrite = fields.get("rewrite").and_then(|v| rewrite::read(&v));
        let headers = fields.get("headers");
        if let Some(headers) = &headers {
            let before = rewrite.as_ref().and_then(|rewrite| rewrite.authority.as_ref());
            headers::check_authority(headers, before.is_some());
        }
        let matches = fields.get("match").map(|v| v.list()).unwrap_or_default();
        let destinations = fields.get("route");
        let mut route = HttpRoute {
            mark: fields.value().mark(),
            name: fields.get("name").and_then(|v| v.text()),
            matches: matches
                .iter()
                .filter_map(|v| read_match::read_block(v, context.mesh))
                .collect(),
            route: destinations
                .map(|v| read_destinations(&v, context.lenient))
                .unwrap_or_default(),
            timeout: fields.get("timeout").and_then(|v| v.duration()),
            retries: fields.get("retries").and_then(|v| retry::read(&v)),
            rewrite,
            headers: headers.and_then(|v| headers::read(&v)),
            ..HttpRoute::default()
        };
        read_action::read_into(&mut route, fields, context.kind);
        route
    })
}

fn read_destinations(value: &Value<'_>, lenient: bool) -> Vec<RouteDestination> {
    let entries = value.list();
    let destinations: Vec<_> = entries
        .iter()
        .filter_map(|v| read_destination(v, lenient))
        .collect();
    check_weights(value);
    destinations
}

/// istiod adds weights up in 32 bits with a sign, Envoy in 32 bits without.
pub(super) fn check_weights(value: &Value<'_>) {
    let weight = |entry: &Value<'_>| entry.field("weight").map_or(Some(0), |v| v.to_json().as_u64());
    // Those that cannot be read are problems already.
    let Some(weights) = value.list().iter().map(weight).collect::<Option<Vec<u64>>>() else {
        return;
    };
    let total = weights
        .iter()
        .fold(0, |sum: u64, weight| sum.saturating_add(*weight));
    if weights.len() > 1 && total.is_multiple_of(1 << 32) {
        value.problem(match total {
            0 => "the weights add up to 0".to_owned(),
            _ => format!("the weights add up to {total}, which istiod takes for 0"),
        });
    } else if total > u64::from(u32::MAX) {
        value.envoy_refuses("the weights add up to more than 4294967295");
    }
}

fn read_destination(value: &Value<'_>, lenient: bool) -> Option<RouteDestination> {
    value.fields(|fields| {
        let mut read = fields
            .required("destination")
            .and_then(|v| read_target(&v, lenient))
            .unwrap_or_default();
        read.weight = fields.get("weight").and_then(|v| v.count()).unwrap_or(0);
        read.headers = fields
            .get("headers")
            .and_then(|v| headers::read(&v))
            .unwrap_or_default();
        read
    })
}

/// Where requests go, or copies of them. `lenient`: istiod does not look at it.
pub(super) fn read_target(value: &Value<'_>, lenient: bool) -> Option<RouteDestination> {
    let problem = |at: &Value<'_>, message: String| {
        if !lenient {
            at.problem(message);
        }
    };
    value.fields(|fields| {
        let host = fields.required("host").and_then(|v| {
            let name = v.placed_text()?;
            if name.value == "*" || !host::is_valid(&name.value, false) {
                problem(&v, format!("`{}` is not a host name", name.value));
            }
            Some(name)
        });
        let subset = fields.get("subset").and_then(|v| {
            let name = v.placed_text().filter(|name| !name.value.is_empty())?;
            if !host::is_label(&name.value) {
                problem(&v, format!("`{}` is not a name for a subset", name.value));
            }
            Some(name)
        });
        let port = fields.get("port").and_then(|v| {
            v.fields(|fields| {
                let number = fields.get("number").map_or(Some(0), |v| v.uint32())?;
                let port = u16::try_from(number).ok().filter(|port| *port > 0);
                if port.is_none() {
                    problem(
                        fields.value(),
                        format!("the port {number} is not between 1 and 65535"),
                    );
                }
                port
            })?
        });
        RouteDestination {
            host: host.unwrap_or_default(),
            subset,
            port,
            ..RouteDestination::default()
        }
    })
}
