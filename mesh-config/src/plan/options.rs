//! For each object that differs, when it can be changed: the best order first.

use super::Stage;
use super::union::united;
use crate::mesh::Mesh;
use crate::object::virtual_service::VirtualService;
use crate::object::{Object, Spec, parse};
use crate::problem::Source;

/// An object that differs.
pub(super) struct Change<'a> {
    /// The new one; of what is deleted, the old one.
    pub(super) object: &'a Object,
    /// Whether it was there before.
    pub(super) existed: bool,
    /// At least one.
    pub(super) ways: Vec<Vec<(Stage, Act)>>,
}

/// What is done to the object.
#[derive(Clone)]
pub(super) enum Act {
    /// It becomes as in the end.
    Final,
    /// It becomes this for a while; with what it has besides.
    Between(Box<Object>, String),
    /// It is deleted.
    Delete,
}

/// Everything that differs between two meshes, by key.
pub(super) fn changes<'a>(old: &'a Mesh, new: &'a Mesh) -> Vec<Change<'a>> {
    let gone = old.objects().filter(|object| new.get(&object.key()).is_none());
    let gone = gone.map(|object| Change {
        object,
        existed: true,
        ways: deleted(object),
    });
    let there = new.objects().filter_map(|object| {
        let before = old.get(&object.key());
        if before.is_some_and(|before| before.content() == object.content()) {
            return None;
        }
        Some(Change {
            object,
            existed: before.is_some(),
            ways: before.map_or_else(|| added(object), |before| changed(before, object)),
        })
    });
    there.chain(gone).collect()
}

fn once(stages: &[Stage]) -> Vec<Vec<(Stage, Act)>> {
    stages.iter().map(|stage| vec![(*stage, Act::Final)]).collect()
}

/// Where an object of a kind is made, and where it is cleared away.
fn home(object: &Object) -> (Stage, Stage) {
    match &object.spec {
        Spec::DestinationRule(_) | Spec::Gateway(_) | Spec::Sidecar(_) => (Stage::Rules, Stage::Tidy),
        Spec::VirtualService(spec) if spec.hosts.is_empty() => (Stage::Rules, Stage::Tidy),
        Spec::VirtualService(_) => (Stage::Routes, Stage::Yield),
        _ => (Stage::Workloads, Stage::Remove),
    }
}

fn added(object: &Object) -> Vec<Vec<(Stage, Act)>> {
    let (make, clear) = home(object);
    match &object.spec {
        Spec::VirtualService(spec) if spec.hosts.is_empty() => once(&[make, Stage::Routes]),
        Spec::Deployment(_)
        | Spec::Service(_)
        | Spec::Namespace
        | Spec::ServiceAccount
        | Spec::NotEnforced => once(&[make]),
        _ => once(&[make, clear]),
    }
}

fn deleted(object: &Object) -> Vec<Vec<(Stage, Act)>> {
    let (make, clear) = home(object);
    let stages = match &object.spec {
        Spec::Deployment(_)
        | Spec::Service(_)
        | Spec::Namespace
        | Spec::ServiceAccount
        | Spec::NotEnforced => {
            vec![clear]
        }
        _ => vec![clear, make],
    };
    stages
        .into_iter()
        .map(|stage| vec![(stage, Act::Delete)])
        .collect()
}

fn changed(old: &Object, new: &Object) -> Vec<Vec<(Stage, Act)>> {
    let (make, clear) = home(new);
    match (&old.spec, &new.spec) {
        (_, Spec::Deployment(spec)) if spec.replicas == 0 => once(&[clear]),
        (Spec::VirtualService(before), Spec::VirtualService(after)) => {
            let delegates = before.hosts.is_empty() && after.hosts.is_empty();
            let mut ways = match (delegates, narrows(before, after)) {
                (true, _) => once(&[Stage::Routes, Stage::Rules, Stage::Yield]),
                (false, true) => once(&[Stage::Yield, Stage::Routes]),
                (false, false) => once(&[Stage::Routes, Stage::Yield]),
            };
            ways.extend(in_two(old, new, Stage::Routes, Stage::Yield));
            ways
        }
        _ => {
            let mut ways = in_two(old, new, make, clear);
            // Nothing of the old one is lost: there is no second step.
            if united(new, old).is_none() {
                ways.insert(0, vec![(make, Act::Final)]);
            }
            ways.push(vec![(clear, Act::Final)]);
            ways
        }
    }
}

/// The new one with what the old one had, or the old one with what is new; and later the new one.
fn in_two(old: &Object, new: &Object, make: Stage, clear: Stage) -> Vec<Vec<(Stage, Act)>> {
    let with_old = united(new, old)
        .map(|(content, added)| (content, format!("keeps {added} until nothing leads there")));
    let with_new =
        united(old, new).map(|(content, added)| (content, format!("as it was, with {added} in addition")));
    let ways = [with_old, with_new].into_iter().flatten();
    ways.filter_map(|(content, note)| {
        let source = Source {
            name: new.place.file.clone(),
            text: content.to_string(),
        };
        let mut object = parse(&[source]).ok()?.into_iter().next()?;
        object.place = new.place.clone();
        Some(vec![
            (make, Act::Between(Box::new(object), note)),
            (clear, Act::Final),
        ])
    })
    .collect()
}

/// Whether a rule gives up hosts, gateways or namespaces.
fn narrows(old: &VirtualService, new: &VirtualService) -> bool {
    let or = |list: &[String], all: &str| -> Vec<String> {
        if list.is_empty() {
            vec![all.to_owned()]
        } else {
            list.to_vec()
        }
    };
    let lacks = |old: Vec<String>, new: Vec<String>| old.iter().any(|one| !new.contains(one));
    old.hosts.iter().any(|host| !new.hosts.contains(host))
        || lacks(or(&old.gateways, "mesh"), or(&new.gateways, "mesh"))
        || !new.export_to.iter().any(|to| to == "*")
            && lacks(or(&old.export_to, "*"), or(&new.export_to, "*"))
}
