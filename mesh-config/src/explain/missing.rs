//! What is not there for a client, and what may have been meant.

use std::collections::BTreeSet;

use crate::client::{Client, Role};
use crate::host;
use crate::mesh::Mesh;
use crate::route::Destination;
use crate::text::similar;
use crate::view::registry::Registry;
use crate::view::{RouteTable, View};

/// What is said when no virtual host answers to the Host header.
pub(super) fn virtual_host(mesh: &Mesh, view: &View, client: &Client, port: u16, authority: &str) -> String {
    let status = if client.role == Role::Gateway { 404 } else { 502 };
    let what = if view.table(port).is_none() {
        format!("nothing in the mesh serves HTTP on port {port}: {status}")
    } else {
        format!("no virtual host on port {port} has this Host: {status}")
    };
    let tables = view.ports.iter();
    let known = tables.filter(|(_, table)| table.virtual_host(authority).is_some());
    let elsewhere: Vec<String> = known.map(|(port, _)| port.to_string()).collect();
    let name = host::of_authority(authority);
    if !elsewhere.is_empty() {
        return format!("{what}; this Host is known on port {}", elsewhere.join(", "));
    }
    if let Some(hidden) = hidden(mesh, client, &name) {
        return format!(
            "{what}; {hidden} exists, but exportTo or a Sidecar object hides it from this client"
        );
    }
    match meant(view, port, &name) {
        Some((near, other)) if other != port => format!("{what}; did you mean {near} on port {other}?"),
        Some((near, _)) => format!("{what}; did you mean {near}?"),
        None => what,
    }
}

/// What is said of a destination whose cluster does not exist.
pub(crate) fn cluster(view: &View, destination: &Destination) -> String {
    const ANSWER: &str = "503, flag NC";
    let Destination { host, port, .. } = destination;
    let clusters = || view.clusters.iter();
    let ports: BTreeSet<u16> = clusters()
        .filter(|one| one.host == *host)
        .map(|one| one.port)
        .collect();
    if ports.is_empty() {
        let names: BTreeSet<&str> = clusters().map(|one| one.host.as_str()).collect();
        let near = nearest(host, names.into_iter().map(|name| (name.to_owned(), name)));
        let advice = near.map(|near| format!("; did you mean {near}?"));
        return format!("no such service: {ANSWER}{}", advice.unwrap_or_default());
    }
    if !ports.contains(port) {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        return format!(
            "the service has no port {port}, only {}: {ANSWER}",
            ports.join(", ")
        );
    }
    let of_port = clusters().filter(|one| one.host == *host && one.port == *port);
    let subsets: Vec<&str> = of_port.filter_map(|one| one.subset.as_deref()).collect();
    let subset = destination.subset.as_deref().unwrap_or_default();
    let what = format!("no DestinationRule gives this client a subset {subset}: {ANSWER}");
    match subsets.is_empty() {
        true => what,
        false => format!("{what}; there are {}", subsets.join(", ")),
    }
}

/// The full name of a service of this name that exists, only not for the client.
fn hidden(mesh: &Mesh, client: &Client, name: &str) -> Option<String> {
    let services = Registry::new(mesh.aged()).services;
    let completed = [
        host::complete(name, &client.namespace),
        format!("{name}.{}", host::DOMAIN),
        format!("{name}.cluster.local"),
    ];
    completed.into_iter().find(|name| services.contains_key(name))
}

/// The full name that is nearest to a Host, and a port that has it, if possible the one that was dialled.
fn meant(view: &View, port: u16, name: &str) -> Option<(String, u16)> {
    let in_table = |(port, table): (u16, &RouteTable)| {
        let hosts = table.virtual_hosts().iter().filter_map(|host| {
            let full = host.domains.first().filter(|domain| !domain.starts_with('*'))?;
            Some((full, &host.domains))
        });
        let names =
            hosts.flat_map(|(full, names)| names.iter().map(move |name| (full.clone(), name.as_str())));
        nearest(name, names).map(|near| (near, port))
    };
    let dialled = view.table(port).map(|table| (port, table));
    let others = view.ports.iter().map(|(port, table)| (*port, table));
    dialled.into_iter().chain(others).find_map(in_table)
}

/// Of names, each with the full one that it stands for, the full one of the nearest; else one that has the same first
/// label: the namespace is what is most often wrong, and short names are known in one namespace only.
fn nearest<'n>(name: &str, names: impl Iterator<Item = (String, &'n str)>) -> Option<String> {
    let names: Vec<(String, &str)> = names.collect();
    let known: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
    let label = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let near = similar::nearest(name, &known);
    let found = names.iter().find(|(_, name)| Some(*name) == near);
    let same = || {
        names
            .iter()
            .find(|(full, _)| full.ends_with(host::DOMAIN) && label(full) == label(name))
    };
    found.or_else(same).map(|(full, _)| full.clone())
}
