//! Names that clients can call: Services, and the hosts of ServiceEntry objects.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::egress::Egress;
use crate::client::Client;
use crate::host;
use crate::object::kubernetes::{Service, ServicePort, WorkloadEntry};
use crate::object::service_entry::{Resolution, ServiceEntry};
use crate::object::{Object, Spec};

/// Says to which namespaces a Service is exported, as `exportTo` does in Istio's own objects.
const EXPORT_TO: &str = "networking.istio.io/exportTo";

/// How many ExternalName services may stand behind each other (istiod's limit).
const LONGEST_ALIAS: usize = 10;

/// One name.
#[derive(Clone, Debug)]
pub(crate) struct Callee<'a> {
    /// Full name; of a ServiceEntry perhaps a wildcard.
    pub(crate) name: String,
    pub(crate) object: &'a Object,
    pub(crate) ports: Cow<'a, [ServicePort]>,
    pub(crate) backing: Backing<'a>,
    /// Its pods have names below its own.
    pub(crate) headless: bool,
    /// Addresses that are names, too.
    pub(crate) addresses: Vec<&'a str>,
    /// ExternalName services that stand for it: namespace and full name.
    pub(crate) aliases: Vec<(String, String)>,
    /// Lower is older: the oldest service of a port decides whether the port is HTTP.
    pub(crate) age: usize,
    export_to: Vec<&'a str>,
}

/// What answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backing<'a> {
    /// Workloads of its namespace with these labels; none if there are no labels.
    Selected(&'a BTreeMap<String, String>),
    /// Endpoints written out.
    Listed(&'a [WorkloadEntry]),
    /// Another service.
    Alias(&'a str),
}

impl<'a> Callee<'a> {
    pub(crate) fn namespace(&self) -> &'a str {
        &self.object.metadata.namespace
    }

    pub(crate) fn port(&self, number: u16) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.port == number)
    }

    /// Whether a Service asks for endpoints in the client's zone.
    pub(crate) fn prefers_close(&self) -> bool {
        matches!(&self.object.spec, Spec::Service(spec) if spec.prefers_close)
    }

    /// Names of an object, oldest object first.
    fn of(object: &'a Object, age: usize) -> Vec<Callee<'a>> {
        match &object.spec {
            Spec::Service(spec) => vec![Self::of_service(object, spec, age)],
            Spec::ServiceEntry(spec) => {
                let hosts = spec.hosts.iter();
                hosts
                    .map(|host| Self::of_entry(object, spec, &host.value, age))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn of_service(object: &'a Object, spec: &'a Service, age: usize) -> Self {
        let export_to = object.metadata.annotations.get(EXPORT_TO);
        Callee {
            name: host::service(&object.metadata.name, &object.metadata.namespace),
            object,
            ports: Cow::Borrowed(&spec.ports),
            backing: match &spec.external_name {
                Some(target) => Backing::Alias(target),
                None => Backing::Selected(&spec.selector),
            },
            headless: spec.headless,
            addresses: spec.cluster_ip.as_deref().into_iter().collect(),
            aliases: Vec::new(),
            age,
            export_to: export_to.map_or(Vec::new(), |to| to.split(',').map(str::trim).collect()),
        }
    }

    fn of_entry(object: &'a Object, spec: &'a ServiceEntry, host: &str, age: usize) -> Self {
        let listed: &[WorkloadEntry] = match spec.resolution {
            Resolution::None => &[],
            Resolution::Static | Resolution::Dns => &spec.endpoints,
        };
        Callee {
            name: host.to_owned(),
            object,
            ports: Cow::Borrowed(&spec.ports),
            backing: spec
                .selector
                .as_ref()
                .map_or(Backing::Listed(listed), Backing::Selected),
            headless: false,
            addresses: spec.names().collect(),
            aliases: Vec::new(),
            age,
            export_to: spec.export_to.iter().map(String::as_str).collect(),
        }
    }

    fn is_exported_to(&self, namespace: &str) -> bool {
        let mut to = self.export_to.iter();
        let home = self.namespace() == namespace;
        self.export_to.is_empty() || to.any(|to| *to == "*" || *to == namespace || *to == "." && home)
    }

    fn is_kubernetes(&self) -> bool {
        matches!(self.object.spec, Spec::Service(_))
    }

    /// Of two services with one name: with a Sidecar object the one of the client's namespace, then one of Kubernetes,
    /// then the older one.
    fn comes_before(&self, other: &Callee<'_>, own: Option<&str>) -> bool {
        let rank = |one: &Callee<'_>| (own != Some(one.namespace()), !one.is_kubernetes(), one.age);
        rank(self) < rank(other)
    }
}

/// Whether a listener of the client imports it.
fn is_imported(callee: &Callee<'_>, egress: &Egress<'_>) -> bool {
    let ports = callee.ports.iter().map(|port| port.port);
    let mut listeners = ports.map(|port| egress.on(port)).chain([egress.catch_all()]);
    listeners.any(|imports| imports.is_some_and(|i| i.service(callee.namespace(), &callee.name)))
}

/// By full name, what a client sees (`None`: what exists) of the objects, oldest first.
pub(crate) fn find<'a>(
    objects: impl Iterator<Item = &'a Object>,
    client: Option<&Client>,
    egress: &Egress<'a>,
) -> BTreeMap<String, Callee<'a>> {
    let all = objects
        .enumerate()
        .flat_map(|(age, object)| Callee::of(object, age));
    let own = client
        .map(|client| client.namespace.as_str())
        .filter(|_| egress.is_restricted());
    let mut found: BTreeMap<String, Callee<'a>> = BTreeMap::new();
    for callee in all {
        if client.is_some_and(|client| !callee.is_exported_to(&client.namespace)) {
            continue;
        }
        let before = |other: &Callee<'_>| {
            // What is imported by name is not hidden by what only a rule leads to.
            let (this, that) = (is_imported(&callee, egress), is_imported(other, egress));
            this && !that || this == that && callee.comes_before(other, own)
        };
        if found.get(&callee.name).is_none_or(before) {
            found.insert(callee.name.clone(), callee);
        }
    }
    tell_of_aliases(&mut found);
    found
}

/// The name of the service that a name stands for in the end; `None` if it stands for nothing in the mesh.
pub(crate) fn target<'s>(services: &'s BTreeMap<String, Callee<'_>>, name: &str) -> Option<&'s str> {
    let mut callee = services.get(name)?;
    for _ in 0..LONGEST_ALIAS {
        let Backing::Alias(target) = callee.backing else {
            return Some(&callee.name);
        };
        callee = services.get(target)?;
    }
    None
}

fn tell_of_aliases(services: &mut BTreeMap<String, Callee<'_>>) {
    let aliases = services
        .values()
        .filter(|one| matches!(one.backing, Backing::Alias(_)));
    let known: Vec<(String, (String, String))> = aliases
        .filter_map(|one| {
            let target = target(services, &one.name)?.to_owned();
            Some((target, (one.namespace().to_owned(), one.name.clone())))
        })
        .collect();
    for (target, alias) in known {
        if let Some(callee) = services.get_mut(&target) {
            callee.aliases.push(alias);
        }
    }
}
