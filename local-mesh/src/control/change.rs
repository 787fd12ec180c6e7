//! `apply` and `delete`.

use mesh_config::{Change, ObjectKey, Source, Verb, parse_keys};

use super::resource;
use super::state::{State, now};
use crate::admin::wire::{Changed, Changes, Failure};

impl State {
    /// Adds or replaces objects.
    pub(super) async fn apply(&mut self, sources: &[Source]) -> Result<Changes, Failure> {
        let applied = self.mesh.apply_sources(sources, now());
        let (mesh, changes) = applied.map_err(Failure::refused)?;
        let known = self.mesh.not_enforced();
        self.change(mesh).await.map_err(Failure::refused)?;
        let mut others = self.mesh.not_enforced();
        others.retain(|key| !known.contains(key));
        let group = |key: &ObjectKey| resource::group(&key.kind, self.mesh.get(key));
        Ok(Changes {
            changes: changes
                .iter()
                .map(|change| changed(change, group(&change.key)))
                .collect(),
            notes: not_enforced(&others).into_iter().collect(),
        })
    }

    /// Removes objects; those that are not there are reported, and the others removed all the same.
    pub(super) async fn delete(&mut self, sources: &[Source]) -> Result<Changes, Failure> {
        let keys = parse_keys(sources).map_err(Failure::refused)?;
        let before = self.mesh.clone();
        let (mesh, changes) = before.delete(&keys);
        self.change(mesh).await.map_err(Failure::refused)?;
        let group = |key: &ObjectKey| resource::group(&key.kind, before.get(key));
        Ok(Changes {
            changes: changes
                .iter()
                .map(|change| changed(change, group(&change.key)))
                .collect(),
            notes: Vec::new(),
        })
    }
}

/// The sentence about objects that nothing here acts on.
pub(crate) fn not_enforced(keys: &[ObjectKey]) -> Option<String> {
    let mut kinds: Vec<&str> = keys.iter().map(|key| key.kind.as_str()).collect();
    kinds.dedup();
    (!kinds.is_empty()).then(|| format!("accepted, but not enforced here: {}", kinds.join(", ")))
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
