//! What no order of steps makes possible.

use std::collections::BTreeSet;

use super::safety::{self, Broken, NO_CLUSTER};
use super::{Refusal, callers};
use crate::mesh::Mesh;
use crate::object::kubernetes::ServicePort;
use crate::object::{Object, Spec};

/// Every reason.
pub(super) fn refusals(old: &Mesh, new: &Mesh) -> Vec<Refusal> {
    let mut found = newly_broken(old, new);
    for object in new.objects() {
        let Some(before) = old.get(&object.key()) else {
            continue;
        };
        match (&before.spec, &object.spec) {
            (Spec::Service(one), Spec::Service(other)) => {
                found.extend(protocols(object, &one.ports, &other.ports));
            }
            (Spec::Deployment(_), Spec::Deployment(_)) => found.extend(selector(before, object)),
            _ => {}
        }
    }
    found
}

fn at(object: &Object, pointer: &str, reason: String, advice: &str) -> Refusal {
    Refusal {
        object: object.key().to_string(),
        place: format!("{}:{}", object.place.file, object.mark_at(pointer).line),
        reason,
        advice: advice.to_owned(),
    }
}

/// A port whose connections mean something else from one moment to the next.
fn protocols(object: &Object, old: &[ServicePort], new: &[ServicePort]) -> Vec<Refusal> {
    let speaks = |port: &ServicePort| match (port.is_http(), port.is_http2(), port.is_tcp()) {
        (_, true, _) => "HTTP/2",
        (true, ..) => "HTTP",
        (_, _, true) => "TCP",
        _ => "no TCP",
    };
    let changed = new.iter().enumerate().filter_map(|(index, port)| {
        let before = old.iter().find(|before| before.port == port.port)?;
        (speaks(before) != speaks(port)).then(|| {
            let reason = format!("port {} spoke {} and is to speak {}", port.port, speaks(before), speaks(port));
            let advice = "give the new protocol a port of its own, move the callers there, and then remove the old one";
            at(object, &format!("/spec/ports/{index}"), reason, advice)
        })
    });
    changed.collect()
}

/// The API server does not take another selector.
fn selector(old: &Object, new: &Object) -> Option<Refusal> {
    let of = |object: &Object| object.content()["spec"]["selector"].clone();
    (of(old) != of(new)).then(|| {
        let reason = "the selector of a Deployment cannot be changed".to_owned();
        let advice =
            "add a Deployment with another name, move the routes to its pods, and then remove this one";
        at(new, "/spec/selector", reason, advice)
    })
}

/// What would answer with errors in the end, and does not now.
fn newly_broken(old: &Mesh, new: &Mesh) -> Vec<Refusal> {
    let clients = callers::of(&[old, new]);
    let broken = |mesh: &Mesh| -> Vec<Broken> {
        let seen = safety::seen(mesh, &clients);
        seen.iter().flat_map(safety::broken).collect()
    };
    let place = |one: &Broken| (one.caller.clone(), one.cluster.clone());
    let before: BTreeSet<(String, String)> = broken(old).iter().map(place).collect();
    let is_new = |one: &Broken| !before.contains(&place(one));
    let host = |one: &Broken| one.cluster.rsplit('|').next().unwrap_or_default().to_owned();
    // Whose pods nobody declares may have some.
    let counts = |one: &Broken| {
        one.how == NO_CLUSTER || safety::has_pods(old, &host(one)) || safety::has_pods(new, &host(one))
    };
    let found = broken(new).into_iter().filter(|one| is_new(one) && counts(one));
    found.map(|one| refused(new, &one, &host(&one))).collect()
}

fn refused(new: &Mesh, broken: &Broken, host: &str) -> Refusal {
    let service = new.objects().find(|object| {
        matches!(object.spec, Spec::Service(_))
            && crate::host::service(&object.metadata.name, &object.metadata.namespace) == host
    });
    let of_service = service.map(|object| {
        let place = format!("{}:{}", object.place.file, object.place.line);
        (object.key().to_string(), place)
    });
    let (object, place) = broken.rule.clone().or(of_service).unwrap_or_default();
    let advice = match broken.how {
        NO_CLUSTER => {
            "define it (a subset in the DestinationRule, a port in the Service), or lead the route elsewhere"
        }
        _ => "keep pods with these labels, or take away what leads to them in the same change",
    };
    Refusal {
        object,
        place,
        reason: format!(
            "afterwards requests would be answered {}: {}",
            broken.how,
            safety::why(broken)
        ),
        advice: advice.to_owned(),
    }
}
