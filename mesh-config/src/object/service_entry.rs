//! ServiceEntry.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::kubernetes::{PortRef, ServicePort, Transport, WorkloadEntry, read_workload_entry};
use crate::host;
use crate::problem::Placed;
use crate::text::{Fields, Value};

/// `ServiceEntry`: hosts that no Kubernetes Service stands for, with what answers for them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceEntry {
    /// Each is a service of its own; full names or wildcards.
    pub hosts: Vec<Placed<String>>,
    /// Addresses by which clients may call the hosts.
    pub addresses: Vec<String>,
    /// Ports of each host.
    pub ports: Vec<ServicePort>,
    /// How endpoints are found.
    pub resolution: Resolution,
    /// Endpoints written out.
    pub endpoints: Vec<WorkloadEntry>,
    /// Labels of the workloads behind it, in its namespace; `None`: endpoints are written out.
    pub selector: Option<BTreeMap<String, String>>,
    /// Namespaces that see it; empty means everybody, `~` nobody.
    pub export_to: Vec<String>,
}

/// `resolution` of a ServiceEntry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// Connections go where the client dialled: nothing a proxy on loopback could reach.
    #[default]
    None,
    /// Endpoints have addresses.
    Static,
    /// Endpoints have names (or addresses). Only addresses are reached here: nothing is resolved.
    Dns,
}

pub(crate) fn read(value: &Value<'_>) -> Option<ServiceEntry> {
    value.fields(|fields| {
        fields.accept(&["location", "subjectAltNames"]);
        if let Some(location) = fields.get("location") {
            location.choice(&[("MESH_EXTERNAL", ()), ("MESH_INTERNAL", ())]);
        }
        let resolution = fields.get("resolution").and_then(|v| {
            v.choice(&[
                ("NONE", Resolution::None),
                ("STATIC", Resolution::Static),
                ("DNS", Resolution::Dns),
                ("DNS_ROUND_ROBIN", Resolution::Dns),
                ("DYNAMIC_DNS", Resolution::Dns),
            ])
        });
        let endpoints = fields.get("endpoints").map(|v| v.list()).unwrap_or_default();
        let entry = ServiceEntry {
            hosts: fields
                .required("hosts")
                .map(|v| read_hosts(&v))
                .unwrap_or_default(),
            addresses: fields.get("addresses").map(|v| v.texts()).unwrap_or_default(),
            ports: fields.get("ports").map(|v| read_ports(&v)).unwrap_or_default(),
            resolution: resolution.unwrap_or_default(),
            endpoints: endpoints.iter().filter_map(read_workload_entry).collect(),
            selector: fields.get("workloadSelector").and_then(|v| read_selector(&v)),
            export_to: read_export_to(fields),
        };
        check(fields.value(), &entry, !endpoints.is_empty());
        entry
    })
}

/// What fits together, as the webhook asks for it.
fn check(value: &Value<'_>, entry: &ServiceEntry, endpoints: bool) {
    if endpoints && entry.selector.is_some() {
        value.problem("only one of `endpoints` and `workloadSelector` may be given");
    }
    if endpoints && entry.resolution == Resolution::None {
        value.problem("with the resolution NONE there must be no `endpoints`; say STATIC or DNS");
    }
    let wildcard = entry.hosts.iter().find(|host| host.value.starts_with('*'));
    if let Some(host) = wildcard
        && entry.resolution == Resolution::Dns
        && !endpoints
        && entry.selector.is_none()
    {
        value.problem(format!(
            "the host `{}` cannot be resolved by DNS: list `endpoints`",
            host.value
        ));
    }
}

fn read_hosts(value: &Value<'_>) -> Vec<Placed<String>> {
    if value.is_empty() {
        value.problem("there must be at least one host");
    }
    let hosts = value.list().into_iter().filter_map(|entry| {
        let name = entry.placed_text()?;
        if name.value == "*" || !host::is_valid(&name.value, false) {
            entry.problem(format!("`{}` is not a host name", name.value));
        }
        Some(name)
    });
    hosts.collect()
}

fn read_ports(value: &Value<'_>) -> Vec<ServicePort> {
    let mut ports: Vec<ServicePort> = Vec::new();
    for entry in value.list() {
        let Some(port) = read_port(&entry) else { continue };
        if ports.iter().any(|other| other.port == port.port) {
            entry.problem(format!("the port {} is given twice", port.port));
        }
        if ports.iter().any(|other| other.name == port.name) {
            let name = port.name.as_deref().unwrap_or_default();
            entry.problem(format!("the name `{name}` is given to two ports"));
        }
        ports.push(port);
    }
    ports
}

/// Without `protocol` the first bytes of a connection decide, whatever the port is called.
fn read_port(value: &Value<'_>) -> Option<ServicePort> {
    const PROTOCOLS: &[&str] = &[
        "HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "MONGO", "TCP", "TLS", "MYSQL", "REDIS", "UDP",
    ];
    value.fields(|fields| {
        let protocol = fields.get("protocol").and_then(|v| {
            let text = v.text()?;
            if !PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(&text)) {
                v.problem(format!("`{text}` is not one of {}", PROTOCOLS.join(", ")));
            }
            Some(text.to_ascii_lowercase())
        });
        let number = fields.required("number").and_then(|v| v.port());
        let target = fields.get("targetPort").and_then(|v| v.port());
        let name = fields.required("name").and_then(|v| v.text());
        let transport = match protocol.as_deref() {
            Some("udp") => Transport::Udp,
            _ => Transport::Tcp,
        };
        Some(ServicePort {
            name,
            port: number?,
            target_port: PortRef::Number(target.or(number)?),
            app_protocol: Some(protocol.unwrap_or_default()),
            transport,
        })
    })?
}

/// `workloadSelector` of a ServiceEntry or Sidecar.
pub(crate) fn read_selector(value: &Value<'_>) -> Option<BTreeMap<String, String>> {
    value.fields(|fields| fields.get("labels").map(|v| v.text_map()).unwrap_or_default())
}

fn read_export_to(fields: &mut Fields<'_>) -> Vec<String> {
    let entries = fields.get("exportTo").map(|v| v.list()).unwrap_or_default();
    for entry in &entries {
        match entry.text().as_deref() {
            Some("~" | "*") if entries.len() > 1 => {
                entry.problem("`*` (everybody) and `~` (nobody) stand alone");
            }
            Some("." | "*" | "~") | None => {}
            Some(name) if !host::is_label(name) => entry.problem(format!("`{name}` is not a namespace")),
            Some(_) => {}
        }
    }
    entries.iter().filter_map(Value::text).collect()
}

impl ServiceEntry {
    /// Addresses that are no ranges: clients may use them as names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let addresses = self.addresses.iter().map(String::as_str);
        addresses.filter(|address| address.parse::<IpAddr>().is_ok())
    }

    /// Hosts that stand for their endpoints: a name server would have to be asked for them, and none is asked here.
    pub fn unresolved(&self) -> impl Iterator<Item = &str> {
        let dns = self.resolution == Resolution::Dns && self.selector.is_none() && self.endpoints.is_empty();
        let hosts = self.hosts.iter().map(|host| host.value.as_str());
        hosts.filter(move |name| dns && name.parse::<IpAddr>().is_err())
    }
}
