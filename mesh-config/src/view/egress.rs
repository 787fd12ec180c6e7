//! What a client's Sidecar object lets it see, by the port that it dials.

use super::clusters::selects;
use super::registry::{Named, ROOT_NAMESPACE};
use crate::client::{Client, Role};
use crate::host;
use crate::object::sidecar::{EgressListener, EgressPort, Sidecar};

/// The listeners of one client. Without a Sidecar object there is one, for every port, that imports everything.
pub(crate) struct Egress<'a> {
    /// Namespace of the client, which `.` stands for.
    namespace: String,
    /// `None`: everything.
    listeners: Option<&'a [EgressListener]>,
    /// Whether hosts that nobody knows are let out.
    pub(crate) allows_any: bool,
}

/// What one listener imports; `None`: everything.
#[derive(Clone, Copy)]
pub(crate) struct Imports<'a> {
    namespace: &'a str,
    hosts: Option<&'a [(String, String)]>,
}

impl<'a> Egress<'a> {
    /// Everything, for nobody in particular.
    pub(crate) fn everything() -> Self {
        Egress {
            namespace: String::new(),
            listeners: None,
            allows_any: false,
        }
    }

    /// `sidecars` oldest first. One that selects the client comes before one for its whole namespace, and that before
    /// one for the mesh (istiod's `getSidecarScope`). Gateways see everything.
    pub(crate) fn of(sidecars: &[Named<'a, Sidecar>], client: &Client) -> Self {
        let of = |namespace: &str, wanted: &dyn Fn(&Sidecar) -> bool| {
            let mut own = sidecars.iter();
            own.find(|one| one.metadata().namespace == namespace && wanted(one.spec))
                .map(|one| one.spec)
        };
        let selected = |one: &Sidecar| one.selector.as_ref().is_some_and(|s| selects(s, &client.labels));
        let for_all = |one: &Sidecar| one.selector.is_none();
        let found = of(&client.namespace, &selected)
            .or_else(|| of(&client.namespace, &for_all))
            .or_else(|| of(ROOT_NAMESPACE, &for_all));
        let found = found.filter(|_| client.role == Role::Sidecar);
        let listeners = found.filter(|found| !found.egress.is_empty());
        Egress {
            allows_any: found.is_some_and(|found| found.allows_any),
            namespace: client.namespace.clone(),
            listeners: listeners.map(|found| found.egress.as_slice()),
        }
    }

    /// Whether there is a Sidecar object that restricts the client.
    pub(crate) fn is_restricted(&self) -> bool {
        self.listeners.is_some()
    }

    /// The listener that a port's routes come from: the first with this port, or without one.
    pub(crate) fn on(&self, port: u16) -> Option<Imports<'_>> {
        let Some(listeners) = self.listeners else {
            return Some(self.imports(None));
        };
        let mut listeners = listeners.iter();
        let found = listeners.find(|one| one.port.is_none_or(|own| own.number == port))?;
        Some(self.imports(Some(&found.hosts)))
    }

    /// Ports that listeners have of their own.
    pub(crate) fn own_ports(&self) -> impl Iterator<Item = EgressPort> {
        let listeners = self.listeners.unwrap_or_default().iter();
        listeners.filter_map(|one| one.port)
    }

    /// What the listener without a port of its own imports, `None` if there is no such listener.
    pub(crate) fn catch_all(&self) -> Option<Imports<'_>> {
        let Some(listeners) = self.listeners else {
            return Some(self.imports(None));
        };
        let found = listeners.iter().find(|one| one.port.is_none())?;
        Some(self.imports(Some(&found.hosts)))
    }

    /// All listeners, with the ports of those that have one.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = (Option<u16>, Imports<'_>)> {
        let listeners = self.listeners.unwrap_or_default().iter();
        listeners.map(|one| (one.port.map(|port| port.number), self.imports(Some(&one.hosts))))
    }

    fn imports<'s>(&'s self, hosts: Option<&'s [(String, String)]>) -> Imports<'s> {
        Imports {
            namespace: &self.namespace,
            hosts,
        }
    }
}

impl Imports<'_> {
    /// Whether a service of a namespace is imported: a host of the list is its name or covers it.
    pub(crate) fn service(&self, namespace: &str, name: &str) -> bool {
        !self.excludes(namespace, name) && self.any(namespace, |host| host::covers(host, name))
    }

    /// Whether a rule is imported: one of its hosts meets a host of the list, whichever of them is the wildcard.
    pub(crate) fn rule(&self, namespace: &str, hosts: &[String]) -> bool {
        let mut hosts = hosts.iter().filter(|own| !self.excludes(namespace, own));
        hosts.any(|own| self.any(namespace, |host| host::overlap(own, host)))
    }

    /// Whether an entry that begins with `~` takes it away; `~/host` is `~*/host`.
    fn excludes(&self, namespace: &str, name: &str) -> bool {
        let mut hosts = self.hosts.unwrap_or_default().iter();
        hosts.any(|(of, host)| {
            let of = of
                .strip_prefix('~')
                .map(|of| if of.is_empty() { "*" } else { of });
            of.is_some_and(|of| self.is_of(of, namespace)) && host::covers(host, name)
        })
    }

    /// Whether the namespace of an entry is this one.
    fn is_of(&self, of: &str, namespace: &str) -> bool {
        match of {
            "*" => true,
            "." => namespace == self.namespace,
            of => of == namespace,
        }
    }

    fn any(&self, namespace: &str, fits: impl Fn(&str) -> bool) -> bool {
        let Some(hosts) = self.hosts else { return true };
        hosts
            .iter()
            .any(|(of, host)| self.is_of(of, namespace) && fits(host))
    }
}
