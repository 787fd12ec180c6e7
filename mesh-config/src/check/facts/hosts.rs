//! Hosts that exist: those of Services and ServiceEntries, and who sees them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::json::Json;
use crate::host;
use crate::object::Object;
use crate::text::similar;

/// Names namespaces that may use a Service.
const EXPORT_TO: &str = "networking.istio.io/exportTo";

/// One host of a Service or ServiceEntry.
pub(crate) struct Host<'a> {
    pub(crate) object: &'a Object,
    /// Full, in lower case.
    pub(crate) name: String,
    /// Empty: everybody.
    exported: Vec<&'a str>,
    pub(crate) ports: Vec<Port<'a>>,
    /// Labels of its workloads; `None` for those that are found in other ways.
    pub(crate) selector: Option<BTreeMap<&'a str, &'a str>>,
}

/// A port of a host.
pub(crate) struct Port<'a> {
    pub(crate) number: u64,
    pub(crate) name: Option<&'a str>,
    /// `appProtocol` of a Service, `protocol` of a ServiceEntry.
    pub(crate) protocol: Option<&'a str>,
    /// `targetPort`.
    pub(crate) target: &'a Value,
    /// Whether it is UDP or SCTP.
    pub(crate) other_transport: bool,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Hosts<'a> {
    plain: BTreeMap<String, Vec<Host<'a>>>,
    wildcards: Vec<Host<'a>>,
}

impl<'a> Hosts<'a> {
    pub(crate) fn new(objects: &[&'a Object]) -> Self {
        let mut hosts = Hosts::default();
        for object in objects {
            match object.kind.as_str() {
                "Service" if object.api_version == "v1" && !is_refused(object) => {
                    hosts.insert(of_service(object))
                }
                "ServiceEntry" => of_service_entry(object)
                    .into_iter()
                    .for_each(|host| hosts.insert(host)),
                _ => {}
            }
        }
        hosts
    }

    fn insert(&mut self, host: Host<'a>) {
        if host.name.starts_with('*') {
            self.wildcards.push(host);
        } else {
            self.plain.entry(host.name.clone()).or_default().push(host);
        }
    }

    /// Whether there is any.
    pub(crate) fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.wildcards.is_empty()
    }

    /// All with plain names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Host<'a>> {
        self.plain.values().flatten()
    }

    /// The host that a rule of `namespace` means, among those that it sees. istiod compares the letters as they are,
    /// and proxies do not, so neither does this.
    pub(crate) fn find(&self, name: &str, namespace: &str, export_to: &[&str]) -> Option<&Host<'a>> {
        let full = host::complete(name, namespace).to_lowercase();
        // Who has the rule has to see the host, too.
        let readers: Vec<&str> = match export_to {
            [] => vec![namespace],
            names => names
                .iter()
                .map(|name| if *name == "." { namespace } else { name })
                .collect(),
        };
        let seen = |host: &&Host<'a>| {
            host.exported.is_empty() || readers.iter().any(|reader| host.exported.contains(reader))
        };
        let plain = self.plain.get(&full).into_iter().flatten().find(seen);
        plain.or_else(|| {
            let end = full.trim_start_matches('*');
            let mut wildcards = self.wildcards.iter().filter(seen);
            wildcards.find(|host| end.ends_with(host.name.trim_start_matches('*')))
        })
    }

    /// Whether any host that a rule sees is covered by its wildcard.
    pub(crate) fn any_within(&self, wildcard: &str) -> bool {
        let wildcard = wildcard.to_lowercase();
        self.iter().any(|host| host::covers(&wildcard, &host.name))
            || self
                .wildcards
                .iter()
                .any(|host| host::overlap(&wildcard, &host.name))
    }

    /// The full name of half a one (`auth.shop`, `auth.shop.svc`), if there is such a host.
    pub(crate) fn completed(&self, name: &str) -> Option<String> {
        let lower = name.to_lowercase();
        let mut parts = lower.split('.');
        let (service, namespace) = (parts.next()?, parts.next()?);
        let half = matches!((parts.next(), parts.next()), (None | Some("svc"), None));
        let full = host::service(service, namespace);
        (half && self.plain.contains_key(&full)).then_some(full)
    }

    /// Advice for a name that is not found: one that is near, or the full one of what was probably meant.
    pub(crate) fn advice(&self, name: &str, namespace: &str) -> Option<String> {
        let lower = name.to_lowercase();
        if let Some(full) = self.completed(name) {
            return Some(format!("a name with a dot is taken as full: write `{full}`"));
        }
        if !name.contains('.') {
            let mut elsewhere = self
                .iter()
                .filter(|host| host.name.split('.').next() == Some(lower.as_str()));
            if let Some(host) = elsewhere.find(|host| host.exported.is_empty()) {
                return Some(format!(
                    "a short name is one of the namespace {namespace}: write `{}`",
                    host.name
                ));
            }
        }
        let short = format!(".{}", host::service("", namespace).trim_start_matches('.'));
        let known: Vec<&str> = self
            .plain
            .keys()
            .map(|full| full.strip_suffix(&short).unwrap_or(full))
            .collect();
        similar::did_you_mean(name, &known)
    }
}

/// Whether the API server refuses a Service, so that it is not there: a port's `protocol` is that of the transport.
fn is_refused(object: &Object) -> bool {
    let mut ports = object.content()["spec"].list("ports").iter();
    ports.any(|port| !matches!(port.text("protocol"), None | Some("TCP" | "UDP" | "SCTP")))
}

fn of_service(object: &Object) -> Host<'_> {
    let spec = &object.content()["spec"];
    let exported = object
        .metadata
        .annotations
        .get(EXPORT_TO)
        .map(String::as_str)
        .unwrap_or_default();
    let names: Vec<&str> = exported
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let selector = spec.labels("selector");
    Host {
        object,
        name: host::service(&object.metadata.name, &object.metadata.namespace),
        exported: exported_to(names, object),
        ports: spec
            .list("ports")
            .iter()
            .filter_map(|port| Port::new(port, "port", "appProtocol"))
            .collect(),
        selector: Some(selector).filter(|selector| !selector.is_empty()),
    }
}

fn of_service_entry(object: &Object) -> Vec<Host<'_>> {
    let spec = &object.content()["spec"];
    let host = |name: &str| Host {
        object,
        name: host::complete(name, &object.metadata.namespace).to_lowercase(),
        exported: exported_to(spec.texts("exportTo"), object),
        ports: spec
            .list("ports")
            .iter()
            .filter_map(|port| Port::new(port, "number", "protocol"))
            .collect(),
        selector: spec
            .has("workloadSelector")
            .then(|| spec["workloadSelector"].labels("labels")),
    };
    spec.texts("hosts").into_iter().map(host).collect()
}

fn exported_to<'a>(names: Vec<&'a str>, object: &'a Object) -> Vec<&'a str> {
    if names.contains(&"*") {
        return Vec::new();
    }
    let own = |name: &'a str| {
        if name == "." {
            object.metadata.namespace.as_str()
        } else {
            name
        }
    };
    names.into_iter().map(own).collect()
}

impl<'a> Port<'a> {
    fn new(port: &'a Value, number: &str, protocol: &str) -> Option<Self> {
        Some(Port {
            number: port.number(number)?,
            name: port.text("name"),
            protocol: port.text(protocol),
            target: &port["targetPort"],
            other_transport: matches!(port.text("protocol"), Some("UDP" | "SCTP")),
        })
    }
}
