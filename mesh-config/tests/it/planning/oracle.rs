//! What a state on the way must not do, worked out from views alone and without the planner.

use std::collections::BTreeSet;

use mesh_config::{Action, Client, Mesh, Object, Outcome, Routing, Workload};

use crate::generate::Question;

/// The two ends of a way.
pub(super) struct Oracle {
    clients: Vec<Client>,
    /// Clusters that routes name at either end and that do not exist, or have no endpoint.
    missing: BTreeSet<String>,
    ends: [Mesh; 2],
}

impl Oracle {
    pub(super) fn new(clients: Vec<Client>, old: &Mesh, new: &Mesh) -> Self {
        let mut missing = BTreeSet::new();
        for mesh in [old, new] {
            missing.extend(
                clients
                    .iter()
                    .flat_map(|client| missing_for(mesh, client))
                    .map(|one| one.what),
            );
        }
        Oracle {
            clients,
            missing,
            ends: [old.clone(), new.clone()],
        }
    }

    /// What is wrong with this state. Who asks for a Host that an end does not know gets an error there anyway.
    pub(super) fn fault(&self, mesh: &Mesh) -> Option<String> {
        self.clients.iter().find_map(|client| {
            let ends = self.ends.each_ref().map(|end| end.view(client, &[]));
            let unknown = |one: &Missing| {
                ends.iter().any(|end| {
                    end.table(one.port)
                        .is_none_or(|table| table.virtual_host(&one.domain).is_none())
                })
            };
            let mut missing = missing_for(mesh, client).into_iter();
            missing
                .find(|one| !self.missing.contains(&one.what) && !unknown(one))
                .map(|one| one.what)
        })
    }

    /// Whether a request is lost (404, 502) here and at neither end.
    pub(super) fn loses(&self, mesh: &Mesh, port: u16, question: &Question) -> bool {
        let lost = |mesh: &Mesh, client: &Client| {
            let outcome = mesh.distribution(client, port, &question.head()).outcome;
            matches!(outcome, Outcome::UnknownHost | Outcome::NoRoute)
        };
        self.clients
            .iter()
            .any(|client| lost(mesh, client) && !self.ends.iter().any(|end| lost(end, client)))
    }
}

/// Pods of the Deployments of a mesh.
fn pods(mesh: &Mesh) -> Vec<Workload> {
    let deployments = mesh.objects().filter_map(|object| match &object.spec {
        mesh_config::Spec::Deployment(spec) if spec.replicas > 0 => Some((object, spec)),
        _ => None,
    });
    deployments
        .zip(1..)
        .map(|((object, spec), last)| Workload {
            name: object.metadata.name.clone(),
            namespace: object.metadata.namespace.clone(),
            labels: spec.template_labels.clone(),
            address: std::net::Ipv4Addr::new(127, 0, 9, last).into(),
            ports: [].into(),
            port_names: [("web".to_owned(), 8080)].into(),
            ready: true,
            locality: None,
            weight: 1,
        })
        .collect()
}

/// A cluster that a client may be led to and where nobody answers.
struct Missing {
    port: u16,
    /// Of the virtual host.
    domain: String,
    what: String,
}

fn missing_for(mesh: &Mesh, client: &Client) -> Vec<Missing> {
    let view = mesh.view(client, &pods(mesh));
    let tables = view.ports.iter();
    let hosts = tables.flat_map(|(port, table)| table.virtual_hosts().iter().map(move |host| (port, host)));
    let mut missing = Vec::new();
    for (port, host) in hosts {
        for route in &host.routes {
            let Action::Forward(forward) = &route.action else {
                continue;
            };
            for destination in &forward.destinations {
                let name = match &destination.cluster {
                    Ok(id) if !view.cluster(*id).endpoints.is_empty() => continue,
                    Ok(id) => &view.cluster(*id).name,
                    Err(name) => name,
                };
                let who = format!("{} {:?}", client.namespace, client.labels);
                missing.push(Missing {
                    port: *port,
                    domain: host.domains[0].replace('*', "any"),
                    what: format!("{who} {port} {}: {name}", host.name),
                });
            }
        }
    }
    missing
}

/// Whether two meshes have the same objects.
pub(super) fn assert_same(one: &Mesh, other: &Mesh, what: &str) {
    let contents = |mesh: &Mesh| -> Vec<String> {
        mesh.objects()
            .map(|object: &Object| object.content().to_string())
            .collect()
    };
    assert_eq!(contents(one), contents(other), "{what}");
}

/// That the state answers at all: a guard against an oracle that looks at nothing.
pub(super) fn answers(mesh: &Mesh, client: &Client) -> bool {
    let view = mesh.view(client, &pods(mesh));
    view.ports.values().any(|table| {
        let head = crate::kit::Request::new("GET http://echo.shop/");
        matches!(table.route(&head.head()), Routing::Route(..))
    })
}
