//! Gateways that the manifests do not have.

use std::collections::BTreeSet;

use serde_json::json;

use crate::mesh::Mesh;
use crate::object::{ObjectKey, Spec, parse};
use crate::problem::{Problems, Source};
use crate::view::compile::{MESH, gateway_name};

/// The mesh with a Gateway for each one that VirtualServices name and that is not there, which serves every host at port
/// 80; and their names. For tests of VirtualServices whose Gateways are kept elsewhere.
///
/// # Errors
/// A name that no object can have.
pub fn assume_gateways(mesh: &Mesh) -> Result<(Mesh, Vec<String>), Problems> {
    let mut missing = BTreeSet::new();
    for object in mesh.objects() {
        let Spec::VirtualService(spec) = &object.spec else {
            continue;
        };
        let blocks = spec.http.iter().flat_map(|http| &http.matches);
        let named = spec
            .gateways
            .iter()
            .chain(blocks.flat_map(|block| &block.gateways));
        for written in named.filter(|written| *written != MESH) {
            let (namespace, name) = gateway_name(written, &object.metadata.namespace);
            let key = ObjectKey {
                kind: "Gateway".to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            };
            if mesh.get(&key).is_none() {
                missing.insert(key);
            }
        }
    }
    let sources: Vec<Source> = missing.iter().map(serving_everything).collect();
    let (mesh, _) = mesh.apply(parse(&sources)?, 0)?;
    Ok((mesh, missing.iter().map(ToString::to_string).collect()))
}

fn serving_everything(key: &ObjectKey) -> Source {
    let object = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": {
            "selector": {"istio": "ingressgateway"},
            "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
        },
    });
    Source {
        name: format!("assumed {key}"),
        text: object.to_string(),
    }
}
