//! The other way into the mesh: a request that was thought to come through the gateway may come from inside, or the
//! other way round.

use std::collections::BTreeMap;

use mesh_config::{Mesh, Spec};

use super::caller::Caller;
use super::chain::{Chain, Claim, claims, first_hop};
use super::variants::Variant;

/// Who sends on the other path, for people, and what is declared for it; `None` if nothing is.
pub fn other_path(mesh: &Mesh, chain: &Chain, variants: &[Variant]) -> Option<(String, Vec<Claim>)> {
    let (name, other) = match chain.caller {
        Caller::Gateway => ("a client inside the mesh", inside(mesh, chain)?),
        Caller::Workload { .. } => (
            "the gateway",
            Chain {
                caller: Caller::Gateway,
                ..chain.clone()
            },
        ),
    };
    Some((name.to_owned(), claims(mesh, &other, variants).ok()?))
}

/// The same request, sent by somebody in the service's namespace to the service itself.
fn inside(mesh: &Mesh, chain: &Chain) -> Option<Chain> {
    let (routed, _) = first_hop(mesh, chain).ok()?;
    let service = &routed.legs.first()?.service;
    let Spec::Service(spec) = &mesh.get(service)?.spec else {
        return None;
    };
    let port = spec.ports.first()?.port;
    let host = format!("{}.{}.svc.cluster.local", service.name, service.namespace);
    let caller = Caller::Workload {
        namespace: service.namespace.clone(),
        name: "client".to_owned(),
        labels: BTreeMap::new(),
    };
    Some(Chain {
        caller,
        call: chain.call.to(&format!("{host}:{port}"), port),
        then: chain.then.clone(),
    })
}
