//! `apply` and `delete`.

use mesh_config::{Change, ObjectKey, Source, Verb, parse_keys};

use super::notes::notes;
use super::resource;
use super::state::{State, now};
use crate::admin::wire::{Changed, Changes, Failure};

impl State {
    /// Adds or replaces objects.
    pub(super) async fn apply(&mut self, sources: &[Source]) -> Result<Changes, Failure> {
        let applied = self.mesh.apply_sources(sources, now());
        let (mesh, changes) = applied.map_err(Failure::refused)?;
        let before = self.mesh.clone();
        self.change(mesh).await.map_err(Failure::refused)?;
        let group = |key: &ObjectKey| resource::group(&key.kind, self.mesh.get(key));
        Ok(Changes {
            changes: changes
                .iter()
                .map(|change| changed(change, group(&change.key)))
                .collect(),
            notes: notes(&self.mesh, &before),
        })
    }

    /// Removes objects, and pods; those that are not there are reported, and the others removed all the same. A pod that
    /// is removed is replaced as long as there is its Deployment.
    pub(super) async fn delete(&mut self, sources: &[Source]) -> Result<Changes, Failure> {
        let keys = parse_keys(sources).map_err(Failure::refused)?;
        let (pods, keys): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.kind == "Pod");
        let before = self.mesh.clone();
        let (mesh, mut changes) = before.delete(&keys);
        self.change(mesh).await.map_err(Failure::refused)?;
        changes.extend(self.delete_pods(pods).await);
        let group = |key: &ObjectKey| resource::group(&key.kind, before.get(key));
        Ok(Changes {
            changes: changes
                .iter()
                .map(|change| changed(change, group(&change.key)))
                .collect(),
            notes: Vec::new(),
        })
    }

    async fn delete_pods(&mut self, keys: Vec<ObjectKey>) -> Vec<Change> {
        let mut stop = Vec::new();
        let changes = keys.into_iter().map(|key| {
            let name = format!("{}/{}", key.namespace, key.name);
            let what = match self.pods.iter().any(|pod| pod.full_name() == name) {
                true => Verb::Deleted,
                false => Verb::NotFound,
            };
            stop.push(name);
            Change { key, what }
        });
        let changes = changes.collect();
        self.stop_pods(stop).await;
        changes
    }
}

fn changed(change: &Change, group: &str) -> Changed {
    let Change { key, what } = change;
    let (resource, name) = (resource::full_name(&key.kind, group), &key.name);
    let (what, line) = match what {
        Verb::Created => ("created", format!("{resource}/{name} created")),
        Verb::Configured => ("configured", format!("{resource}/{name} configured")),
        Verb::Unchanged => ("unchanged", format!("{resource}/{name} unchanged")),
        Verb::Deleted => ("deleted", format!("{resource} \"{name}\" deleted")),
        Verb::NotFound => {
            let plural = resource::full_plural(&key.kind, group);
            (
                "notfound",
                format!("Error from server (NotFound): {plural} \"{name}\" not found"),
            )
        }
    };
    Changed {
        kind: key.kind.clone(),
        namespace: key.namespace.clone(),
        name: name.clone(),
        what: what.to_owned(),
        line,
    }
}
