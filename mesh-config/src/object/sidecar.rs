//! Sidecar.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::service_entry::read_selector;
use crate::host;
use crate::text::{Fields, Value};

/// `Sidecar`: what the proxies of a namespace, or of some of its workloads, are told about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sidecar {
    /// Labels of the clients it is for; `None`: all of the namespace.
    pub selector: Option<BTreeMap<String, String>>,
    /// Empty: everything, on every port.
    pub egress: Vec<EgressListener>,
    /// `outboundTrafficPolicy` is `ALLOW_ANY`: what nobody knows goes to where the client wanted to go.
    pub allows_any: bool,
}

/// One entry of `egress`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EgressListener {
    /// A port of its own; `None`: every port of the services that are imported.
    pub port: Option<EgressPort>,
    /// Namespace (`*`, `.` or a name) and host (perhaps with a wildcard) of what is imported; with a `~` in front of the
    /// namespace (which may be missing then: all) of what is not.
    pub hosts: Vec<(String, String)>,
}

/// The port of an egress listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EgressPort {
    /// Listened on.
    pub number: u16,
    /// Whether it is routed as HTTP.
    pub http: bool,
}

pub(crate) fn read(value: &Value<'_>) -> Option<Sidecar> {
    value.fields(|fields| {
        // What comes in is not the matter of the caller's proxy.
        fields.accept(&["ingress", "inboundConnectionPool"]);
        let policy = fields.get("outboundTrafficPolicy");
        let allows_any = policy.and_then(|policy| policy.fields(read_outbound_policy));
        let egress = fields.get("egress").map(|v| v.list()).unwrap_or_default();
        for entry in egress.iter().rev().skip(1) {
            if !entry.has("port") {
                entry.problem("only the last listener may be without `port`");
            }
        }
        Sidecar {
            selector: fields.get("workloadSelector").and_then(|v| read_selector(&v)),
            egress: egress.iter().filter_map(read_listener).collect(),
            allows_any: allows_any == Some(true),
        }
    })
}

fn read_outbound_policy(fields: &mut Fields<'_>) -> bool {
    fields.not_supported(&["egressProxy"]);
    let mode = fields.get("mode");
    mode.and_then(|v| v.choice(&[("REGISTRY_ONLY", false), ("ALLOW_ANY", true)])) == Some(true)
}

fn read_listener(value: &Value<'_>) -> Option<EgressListener> {
    value.fields(|fields| {
        fields.accept(&["captureMode"]);
        fields.not_supported(&["tls"]);
        if let Some(bind) = fields.get("bind")
            && bind.text().is_some_and(|text| text.parse::<IpAddr>().is_err())
        {
            bind.not_supported();
        }
        let hosts = fields.required("hosts").map(|v| v.list()).unwrap_or_default();
        EgressListener {
            port: fields.get("port").and_then(|v| read_port(&v)),
            hosts: hosts.iter().filter_map(read_host).collect(),
        }
    })
}

fn read_port(value: &Value<'_>) -> Option<EgressPort> {
    value.fields(|fields| {
        fields.accept(&["name", "targetPort"]);
        let http = fields.required("protocol").and_then(|v| {
            let words = ["HTTP", "HTTP2", "GRPC", "GRPC-WEB"].map(|word| (word, true));
            let others = ["TCP", "TLS", "HTTPS", "MONGO"].map(|word| (word, false));
            if v.text().as_deref() == Some("HTTP_PROXY") {
                v.not_supported();
                return None;
            }
            v.choice(&[&words[..], &others[..]].concat())
        });
        Some(EgressPort {
            number: fields.required("number").and_then(|v| v.port())?,
            http: http?,
        })
    })?
}

/// `namespace/host`.
fn read_host(value: &Value<'_>) -> Option<(String, String)> {
    let text = value.text()?;
    let split = text.split_once('/').filter(|(namespace, name)| {
        let namespace = namespace.strip_prefix('~').unwrap_or(namespace);
        (matches!(namespace, "*" | "." | "") || host::is_label(namespace))
            && (*name == "*" || host::is_valid(name, false))
    });
    let Some((namespace, name)) = split else {
        value.problem_with(
            format!("`{text}` is not NAMESPACE/HOST"),
            "write `./*`, `*/auth.shop.svc.cluster.local` or `shop/*`",
        );
        return None;
    };
    Some((namespace.to_owned(), name.to_owned()))
}
