//! The mesh: an immutable set of objects with their ages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::client::{Client, Workload};
use crate::object::{Object, ObjectKey};
use crate::problem::{Problem, Problems};
use crate::route::matching::RequestHead;
use crate::view::distribution::{Distribution, Outcome};
use crate::view::{GatewayServer, View};

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

    /// A mesh with these objects added or replaced; `now` (Unix seconds) is the age of new ones.
    ///
    /// # Errors
    /// The problems; nothing is changed then.
    pub fn apply(&self, objects: Vec<Object>, now: i64) -> Result<(Mesh, Vec<Change>), Problems> {
        let _ = (objects, now);
        Ok((self.clone(), Vec::new()))
    }

    /// A mesh without these objects.
    #[must_use]
    pub fn delete(&self, keys: &[ObjectKey]) -> (Mesh, Vec<Change>) {
        let _ = keys;
        (self.clone(), Vec::new())
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
        Vec::new()
    }

    /// Destinations whose Service is backed by a Deployment of the mesh but whose subset no DestinationRule defines.
    #[must_use]
    pub fn dangling(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Every HTTP port of every Service.
    #[must_use]
    pub fn service_ports(&self) -> BTreeSet<u16> {
        BTreeSet::new()
    }

    /// The plain HTTP servers of the Gateway objects that select these labels.
    #[must_use]
    pub fn gateway_servers(&self, gateway_labels: &BTreeMap<String, String>) -> Vec<GatewayServer> {
        let _ = gateway_labels;
        Vec::new()
    }

    /// Compiles the mesh for one client. `workloads` are endpoint candidates besides WorkloadEntry objects.
    #[must_use]
    pub fn view(&self, client: &Client, workloads: &[Workload]) -> View {
        let _ = (client, workloads);
        View::default()
    }

    /// Where a request goes, from the manifests alone. The port is the one that the client dials.
    #[must_use]
    pub fn distribution(&self, client: &Client, port: u16, request: &RequestHead<'_>) -> Distribution {
        let _ = (client, port, request);
        Distribution {
            outcome: Outcome::UnknownHost,
            shares: Vec::new(),
        }
    }
}
