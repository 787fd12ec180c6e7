//! The mesh: an immutable set of objects with their ages.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::check::analyze;
use crate::client::{Client, Role, Workload};
use crate::host;
use crate::object::kubernetes::Service;
use crate::object::virtual_service::HttpMatch;
use crate::object::{self, Object, ObjectKey, Spec};
use crate::problem::{Problem, Problems, Source};
use crate::route::matching::RequestHead;
use crate::view::clusters::Clusters;
use crate::view::compile::{MESH, Scope};
use crate::view::distribution::Distribution;
use crate::view::registry::Registry;
use crate::view::{self, GatewayServer, ListenerKind, Routing, View};

/// An immutable set of objects. Cloning is cheap; a change makes a new one.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    entries: Arc<BTreeMap<ObjectKey, Entry>>,
}

/// An object and its age.
#[derive(Clone, Debug)]
struct Entry {
    object: Arc<Object>,
    created: i64,
}

/// What a change did to one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which object.
    pub key: ObjectKey,
    /// What happened.
    pub what: Verb,
}

/// As kubectl says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// It was not there.
    Created,
    /// It says something else now.
    Configured,
    /// It said the same.
    Unchanged,
    /// It is gone.
    Deleted,
    /// It was not there to delete.
    NotFound,
}

impl Mesh {
    /// An empty mesh.
    #[must_use]
    pub fn new() -> Mesh {
        Mesh::default()
    }

    /// A mesh with these objects added or replaced; `now` (Unix seconds) is the age of new ones. An update keeps the
    /// age; a `creationTimestamp` in the metadata wins over both. What refers to nothing is accepted, as istiod does:
    /// see [`Mesh::dangling`].
    ///
    /// # Errors
    /// The problems; nothing is changed then.
    pub fn apply(&self, objects: Vec<Object>, now: i64) -> Result<(Mesh, Vec<Change>), Problems> {
        let mut entries = BTreeMap::clone(&self.entries);
        let mut changes = Vec::new();
        for object in objects {
            let key = object.key();
            let old = entries.get(&key);
            let what = match old {
                None => Verb::Created,
                Some(old) if old.object.content == object.content => Verb::Unchanged,
                Some(_) => Verb::Configured,
            };
            let kept = old.map_or(now, |old| old.created);
            let created = object.metadata.creation_timestamp.unwrap_or(kept);
            // Also when unchanged: it may have moved to another line of its file.
            entries.insert(
                key.clone(),
                Entry {
                    object: Arc::new(object),
                    created,
                },
            );
            changes.push(Change { key, what });
        }
        Ok((
            Mesh {
                entries: Arc::new(entries),
            },
            changes,
        ))
    }

    /// Reads sources and applies their objects, as [`parse`](crate::parse) and [`Mesh::apply`] do. What is
    /// [dangling](Mesh::dangling) then is a problem, too, and said together with all others.
    ///
    /// # Errors
    /// Every problem of every document; nothing is changed then.
    pub fn apply_sources(&self, sources: &[Source], now: i64) -> Result<(Mesh, Vec<Change>), Problems> {
        let mut reading = object::read(sources);
        let (mesh, changes) = self.apply(reading.found, now)?;
        // What could not be read may define what seems to be missing.
        if reading.complete {
            reading.problems.extend(mesh.dangling());
        }
        match Problems::from_vec(reading.problems) {
            Some(problems) => Err(problems),
            None => Ok((mesh, changes)),
        }
    }

    /// A mesh without these objects.
    #[must_use]
    pub fn delete(&self, keys: &[ObjectKey]) -> (Mesh, Vec<Change>) {
        let mut entries = BTreeMap::clone(&self.entries);
        let remove = |key: &ObjectKey| {
            let what = if entries.remove(key).is_some() {
                Verb::Deleted
            } else {
                Verb::NotFound
            };
            Change {
                key: key.clone(),
                what,
            }
        };
        let changes = keys.iter().map(remove).collect();
        (
            Mesh {
                entries: Arc::new(entries),
            },
            changes,
        )
    }

    /// All objects, ordered by key.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.entries.values().map(|entry| entry.object.as_ref())
    }

    /// One object.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<&Object> {
        self.entries.get(key).map(|entry| entry.object.as_ref())
    }

    /// Unix seconds since which it exists.
    #[must_use]
    pub fn created(&self, key: &ObjectKey) -> Option<i64> {
        self.entries.get(key).map(|entry| entry.created)
    }

    /// Objects of kinds that are accepted but not acted on.
    #[must_use]
    pub fn not_enforced(&self) -> Vec<ObjectKey> {
        let others = self
            .objects()
            .filter(|object| matches!(object.spec, Spec::NotEnforced));
        others.map(Object::key).collect()
    }

    /// Destinations whose Service is backed by a Deployment of the mesh but whose subset no DestinationRule defines:
    /// requests to them would be answered 503, flag NC.
    #[must_use]
    pub fn dangling(&self) -> Vec<Problem> {
        let registry = Registry::new(self.aged());
        let mut problems = Vec::new();
        for rule in &registry.virtual_services {
            let namespace = &rule.metadata().namespace;
            for destination in rule.spec.http.iter().flat_map(|http| &http.route) {
                let service = host::complete(&destination.host.value, namespace);
                let Some(subset) = &destination.subset else {
                    continue;
                };
                let backed = registry
                    .services
                    .get(&service)
                    .is_some_and(|service| self.is_backed(service.object));
                if backed && !registry.destination_rules.defines_subset(&service, &subset.value) {
                    let message = format!(
                        "no DestinationRule defines the subset `{}` of {service}",
                        subset.value
                    );
                    let advice = "requests that come here would be answered 503".to_owned();
                    problems.push(rule.object.problem(
                        &analyze::UNKNOWN_SUBSET,
                        subset.mark,
                        message,
                        Some(advice),
                    ));
                }
            }
        }
        problems
    }

    fn is_backed(&self, service: &Object) -> bool {
        let Spec::Service(Service { selector, .. }) = &service.spec else {
            return false;
        };
        !selector.is_empty()
            && self.objects().any(|object| match &object.spec {
                Spec::Deployment(deployment) => {
                    object.metadata.namespace == service.metadata.namespace
                        && selector
                            .iter()
                            .all(|(k, v)| deployment.template_labels.get(k) == Some(v))
                }
                _ => false,
            })
    }

    /// The ports at which a sidecar of this client listens: those of the services that it sees, and those of the
    /// listeners of its Sidecar object.
    #[must_use]
    pub fn client_ports(&self, client: &Client) -> BTreeMap<u16, ListenerKind> {
        view::ports::of(&Registry::seen_by(client, self.aged()))
    }

    /// The plain HTTP servers of the Gateway objects that select these labels, one per port.
    #[must_use]
    pub fn gateway_servers(&self, gateway_labels: &BTreeMap<String, String>) -> Vec<GatewayServer> {
        view::edge::listeners(&Registry::new(self.aged()), gateway_labels)
    }

    /// Compiles the mesh for one client. `workloads` are endpoint candidates besides WorkloadEntry objects.
    #[must_use]
    pub fn view(&self, client: &Client, workloads: &[Workload]) -> View {
        view::build(self.aged(), client, workloads)
    }

    /// Where a request goes, from the manifests alone. The port is the one that the client dials.
    #[must_use]
    pub fn distribution(&self, client: &Client, port: u16, request: &RequestHead<'_>) -> Distribution {
        let view = self.view(client, &[]);
        let routing = view
            .table(port)
            .map_or(Routing::UnknownHost, |table| table.route(request));
        Distribution::of(&routing)
    }

    /// All objects with their ages.
    pub(crate) fn aged(&self) -> impl Iterator<Item = (&Object, i64)> + Clone {
        self.entries
            .values()
            .map(|entry| (entry.object.as_ref(), entry.created))
    }

    /// Whether a match block of a VirtualService counts for this client and port; the condition that excludes it.
    pub(crate) fn admits(
        &self,
        client: &Client,
        port: u16,
        object: &Object,
        block: &HttpMatch,
    ) -> Result<(), String> {
        let registry = Registry::seen_by(client, self.aged());
        let clusters = Clusters::default();
        let namespace = &object.metadata.namespace;
        let admits = |gateway: &str| {
            let scope = Scope {
                registry: &registry,
                clusters: &clusters,
                client,
                port,
                gateway,
            };
            scope.admits(block, namespace)
        };
        if client.role == Role::Sidecar {
            return admits(MESH);
        }
        let servers = view::edge::servers(&registry, &client.labels);
        let mut results = servers
            .iter()
            .filter(|(_, server)| server.port == port)
            .map(|(gateway, _)| {
                admits(&format!(
                    "{}/{}",
                    gateway.metadata.namespace, gateway.metadata.name
                ))
            });
        let first = results.next().unwrap_or(Ok(()));
        if results.any(|result| result.is_ok()) {
            Ok(())
        } else {
            first
        }
    }
}
