//! At which ports a sidecar listens, and what for.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::clusters;
use super::registry::Registry;
use super::services::{Backing, Callee};

/// What a sidecar does at a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerKind {
    /// Requests are routed.
    Http,
    /// Connections are passed on to the cluster of this name, whatever they carry.
    Tcp(String),
}

/// All ports of one client. Where an HTTP and a TCP service have the same one, the older service decides, and of
/// several TCP services it has the port: on one address there cannot be two listeners.
pub(crate) fn of(registry: &Registry<'_>) -> BTreeMap<u16, ListenerKind> {
    let mut ports = BTreeMap::new();
    let mut callees: Vec<&Callee<'_>> = registry.services.values().collect();
    callees.sort_by_key(|callee| callee.age);
    for own in registry.egress.own_ports() {
        let first = callees.iter().find(|callee| {
            let imports = registry.egress.on(own.number);
            callee.port(own.number).is_some()
                && imports.is_some_and(|imports| imports.service(callee.namespace(), &callee.name))
        });
        match (own.http, first) {
            (true, _) => ports.insert(own.number, ListenerKind::Http),
            (false, Some(callee)) => ports.insert(own.number, tcp(callee, own.number)),
            (false, None) => None,
        };
    }
    let Some(imports) = registry.egress.catch_all() else {
        return ports;
    };
    for callee in callees {
        if matches!(callee.backing, Backing::Alias(_)) || !imports.service(callee.namespace(), &callee.name) {
            continue;
        }
        for port in callee.ports.iter().filter(|port| port.is_tcp()) {
            if let Entry::Vacant(free) = ports.entry(port.port) {
                free.insert(if port.is_http() {
                    ListenerKind::Http
                } else {
                    tcp(callee, port.port)
                });
            }
        }
    }
    ports
}

fn tcp(callee: &Callee<'_>, port: u16) -> ListenerKind {
    ListenerKind::Tcp(clusters::name(&callee.name, None, port))
}
