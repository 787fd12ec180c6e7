//! A mesh is what its objects and their ages are, however they came there.

use std::collections::BTreeMap;

use mesh_config::{Mesh, Object, ObjectKey, View};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::generate::{clients, objects, workloads};

/// Some objects that are applied together, or deleted.
#[derive(Clone, Debug)]
enum Step {
    Apply(Vec<Index>),
    Delete(Vec<Index>),
}

fn step() -> impl Strategy<Value = Step> {
    let some = || prop::collection::vec(any::<Index>(), 1..4);
    prop_oneof![3 => some().prop_map(Step::Apply), 1 => some().prop_map(Step::Delete)]
}

/// Everything in a view, in an order of its own.
fn shown(view: &View) -> String {
    let ports = view.ports.iter();
    let ports: Vec<_> = ports.map(|(port, table)| (port, table.virtual_hosts())).collect();
    format!("{ports:?}\n{:?}\n{:?}", view.tcp, view.clusters)
}

fn views(mesh: &Mesh) -> Vec<String> {
    clients()
        .iter()
        .map(|client| shown(&mesh.view(client, &workloads())))
        .collect()
}

proptest! {
    #[test]
    fn any_sequence_of_changes_ends_in_the_mesh_that_the_last_objects_alone_give(
        pool in objects(3..12),
        steps in prop::collection::vec(step(), 1..12),
    ) {
        let mut mesh = Mesh::new();
        let mut last: BTreeMap<ObjectKey, (Object, i64)> = BTreeMap::new();
        for (now, step) in (0..).zip(&steps) {
            match step {
                Step::Apply(which) => {
                    let applied: Vec<Object> = which.iter().map(|index| index.get(&pool).clone()).collect();
                    for object in &applied {
                        let created = last.get(&object.key()).map_or(now, |(_, created)| *created);
                        last.insert(object.key(), (object.clone(), created));
                    }
                    mesh = mesh.apply(applied, now).unwrap().0;
                }
                Step::Delete(which) => {
                    let keys: Vec<ObjectKey> = which.iter().map(|index| index.get(&pool).key()).collect();
                    last.retain(|key, _| !keys.contains(key));
                    mesh = mesh.delete(&keys).0;
                }
            }
        }
        // The youngest first, so that the order in which they are applied is another one.
        let mut alone = Mesh::new();
        let mut objects: Vec<_> = last.into_values().collect();
        objects.sort_by_key(|(_, created)| -created);
        for (object, created) in objects {
            alone = alone.apply(vec![object], created).unwrap().0;
        }
        let contents = |mesh: &Mesh| {
            let objects = mesh.objects().map(|one| (one.key(), one.content().clone(), mesh.created(&one.key())));
            objects.collect::<Vec<_>>()
        };
        prop_assert_eq!(contents(&mesh), contents(&alone));
        prop_assert_eq!(views(&mesh), views(&alone));
    }
}
