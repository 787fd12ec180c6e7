//! Names that clients can call: Services, and the hosts of ServiceEntry objects.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::egress::Egress;
use crate::client::{Client, Role};
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
    /// Ports of its namesakes that do not become its own: routes lead there, but there is no cluster.
    pub(crate) without_cluster: BTreeSet<u16>,
    pub(crate) backing: Backing<'a>,
    /// Others of its name and namespace: what answers for them answers for it, too.
    pub(crate) namesakes: Vec<Namesake<'a>>,
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

/// Another service of the same name and namespace.
#[derive(Clone, Debug)]
pub(crate) struct Namesake<'a> {
    pub(crate) object: &'a Object,
    pub(crate) ports: Cow<'a, [ServicePort]>,
    pub(crate) backing: Backing<'a>,
}

impl Namesake<'_> {
    /// Whether it has a port of this name.
    pub(crate) fn has(&self, port: &ServicePort) -> bool {
        self.ports.iter().any(|own| own.name == port.name)
    }
}

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq)]
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

    /// Names of an object.
    fn of(object: &'a Object) -> Vec<Callee<'a>> {
        match &object.spec {
            Spec::Service(spec) => vec![Self::of_service(object, spec)],
            Spec::ServiceEntry(spec) => {
                let hosts = spec.hosts.iter();
                hosts
                    .map(|host| Self::of_entry(object, spec, &host.value))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn of_service(object: &'a Object, spec: &'a Service) -> Self {
        let export_to = object.metadata.annotations.get(EXPORT_TO);
        Callee {
            name: host::service(&object.metadata.name, &object.metadata.namespace),
            object,
            ports: Cow::Borrowed(&spec.ports),
            without_cluster: BTreeSet::new(),
            namesakes: Vec::new(),
            backing: match &spec.external_name {
                Some(target) => Backing::Alias(target),
                None => Backing::Selected(&spec.selector),
            },
            headless: spec.headless,
            addresses: spec.cluster_ip.as_deref().into_iter().collect(),
            aliases: Vec::new(),
            age: 0,
            export_to: export_to.map_or(Vec::new(), |to| to.split(',').map(str::trim).collect()),
        }
    }

    fn of_entry(object: &'a Object, spec: &'a ServiceEntry, host: &str) -> Self {
        let listed: &[WorkloadEntry] = match spec.resolution {
            Resolution::None => &[],
            Resolution::Static | Resolution::Dns => &spec.endpoints,
        };
        Callee {
            name: host.to_owned(),
            object,
            ports: Cow::Borrowed(&spec.ports),
            without_cluster: BTreeSet::new(),
            namesakes: Vec::new(),
            backing: spec
                .selector
                .as_ref()
                .map_or(Backing::Listed(listed), Backing::Selected),
            headless: false,
            addresses: spec.names().collect(),
            aliases: Vec::new(),
            age: 0,
            export_to: spec.export_to.iter().map(String::as_str).collect(),
        }
    }

    fn is_exported_to(&self, namespace: &str) -> bool {
        let mut to = self.export_to.iter();
        let home = self.namespace() == namespace;
        self.export_to.is_empty() || to.any(|to| *to == "*" || *to == namespace || *to == "." && home)
    }

    fn is_public(&self) -> bool {
        self.export_to.is_empty() || self.export_to.contains(&"*")
    }

    fn is_kubernetes(&self) -> bool {
        matches!(self.object.spec, Spec::Service(_))
    }

    /// By what services of one age are ordered: for istiod a host of a ServiceEntry is the service's name.
    fn sort_name(&self) -> &str {
        match self.object.spec {
            Spec::Service(_) => &self.object.metadata.name,
            _ => &self.name,
        }
    }

    /// Whether ports of a namesake become its own (istiod's `canMergeServices`).
    fn unites_with(&self, other: &Self) -> bool {
        let resolution = |one: &Self| match &one.object.spec {
            Spec::ServiceEntry(spec) => Some(spec.resolution),
            _ => None,
        };
        let to = |one: &Self| one.export_to.iter().copied().collect::<BTreeSet<&str>>();
        let selector = |one: &Self| match one.backing {
            Backing::Selected(selector) => Some(selector),
            _ => None,
        };
        self.is_kubernetes() == other.is_kubernetes()
            && resolution(self) == resolution(other)
            && self.object.metadata.labels == other.object.metadata.labels
            && selector(self) == selector(other)
            && to(self) == to(other)
    }

    fn add(&mut self, other: Self) {
        let united = self.unites_with(&other);
        for port in other.ports.iter() {
            if self.port(port.port).is_none() {
                if !united {
                    self.without_cluster.insert(port.port);
                }
                self.ports.to_mut().push(port.clone());
            }
        }
        self.namesakes.push(Namesake {
            object: other.object,
            ports: other.ports,
            backing: other.backing,
        });
    }
}

/// Whether a listener of the client imports it.
fn is_imported(callee: &Callee<'_>, egress: &Egress<'_>) -> bool {
    let ports = callee.ports.iter().map(|port| port.port);
    let mut listeners = ports.map(|port| egress.on(port)).chain([egress.catch_all()]);
    listeners.any(|imports| imports.is_some_and(|i| i.service(callee.namespace(), &callee.name)))
}

/// By full name, what a client sees (`None`: what exists) of the objects, which come with their ages.
pub(crate) fn find<'a>(
    objects: impl Iterator<Item = (&'a Object, i64)>,
    client: Option<&Client>,
    egress: &Egress<'a>,
) -> BTreeMap<String, Callee<'a>> {
    let mut all: Vec<(i64, Callee<'a>)> = objects
        .flat_map(|(object, created)| Callee::of(object).into_iter().map(move |one| (created, one)))
        .collect();
    all.sort_by(|(created, a), (other, b)| {
        let ages = created.cmp(other).then_with(|| a.sort_name().cmp(b.sort_name()));
        ages.then_with(|| a.namespace().cmp(b.namespace()))
    });
    let mut all: Vec<Callee<'a>> = (0..)
        .zip(all)
        .map(|(age, (_, callee))| Callee { age, ..callee })
        .filter(|callee| client.is_none_or(|client| callee.is_exported_to(&client.namespace)))
        .collect();
    all.sort_by_key(Callee::is_public);
    let mut by_name: BTreeMap<String, Vec<Callee<'a>>> = BTreeMap::new();
    for callee in all {
        by_name.entry(callee.name.clone()).or_default().push(callee);
    }
    // A gateway's own namespace has no precedence.
    let own = client
        .filter(|client| client.role == Role::Sidecar)
        .map(|client| client.namespace.as_str());
    let one = |(name, group)| Some((name, united(group, own, egress)?));
    let mut found: BTreeMap<String, Callee<'a>> = by_name.into_iter().filter_map(one).collect();
    tell_of_aliases(&mut found);
    found
}

/// Of services with one name those of one namespace count, as one: the client's own namespace, else of one that has a
/// Kubernetes Service, else of the first (istiod's `selectServices`, `appendSidecarServices`).
fn united<'a>(mut group: Vec<Callee<'a>>, own: Option<&str>, egress: &Egress<'a>) -> Option<Callee<'a>> {
    // What is imported by name is not hidden by what only a rule leads to.
    if group.iter().any(|one| is_imported(one, egress)) {
        group.retain(|one| is_imported(one, egress));
    }
    let rank = |one: &&Callee<'_>| (own != Some(one.namespace()), !one.is_kubernetes());
    let namespace = group.iter().min_by_key(rank)?.namespace();
    group.retain(|one| one.namespace() == namespace);
    // The sort is stable.
    group.sort_by_key(|one| !one.is_kubernetes());
    let mut group = group.into_iter();
    let mut first = group.next()?;
    group.for_each(|other| first.add(other));
    Some(first)
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
