//! `delete`: by manifests, or by names and labels as kubectl does.

use std::io::{self, Write};

use anyhow::bail;
use serde_json::Value;

use super::args::{Delete, FileArgs};
use super::verbs::{listing, report};
use super::{files, remote};
use crate::admin::wire::{Changes, Manifest, Manifests, Query};

/// Removes what is named. A pod comes back as another one, as long as its Deployment is there.
pub(crate) async fn delete(delete: Delete, out: &mut impl Write) -> anyhow::Result<u8> {
    let mesh = remote::Mesh(delete.remote.admin);
    let sources = if delete.paths.is_empty() {
        named(&delete, mesh).await?
    } else {
        let files = FileArgs {
            paths: delete.paths,
            recursive: delete.recursive,
        };
        files::to_send(&files, io::stdin())?
    };
    let changes: Changes = mesh.post("/delete", &Manifests { sources }).await?;
    report(&changes, out)
}

/// The objects that words and labels name, each as a manifest.
async fn named(delete: &Delete, mesh: remote::Mesh) -> anyhow::Result<Vec<Manifest>> {
    let query = |kind: &str, name: Option<&str>| Query {
        kind: kind.to_owned(),
        name: name.map(str::to_owned),
        namespace: delete.namespace.clone(),
        selector: delete.selector.clone(),
        from: None,
    };
    let mut queries = Vec::new();
    match delete.what.as_slice() {
        words if !words.is_empty() && words.iter().all(|word| word.contains('/')) => {
            let pairs = words.iter().filter_map(|word| word.split_once('/'));
            queries.extend(pairs.map(|(kind, name)| query(kind, Some(name))));
        }
        [kind] if delete.selector.is_some() => queries.push(query(kind, None)),
        [_] => bail!("say which: by name, or with -l"),
        [kind, names @ ..] => queries.extend(names.iter().map(|name| query(kind, Some(name)))),
        [] => bail!("say what: -f PATH, KIND NAME, or KIND -l SELECTOR"),
    }
    let mut found = Vec::new();
    for query in queries {
        let listing = listing(mesh, &query).await?;
        let items: Vec<Value> = listing
            .sections
            .into_iter()
            .flat_map(|section| section.items)
            .collect();
        if items.len() > 1 && query.name.is_some() {
            bail!("there are several of that name; say which with -n NAMESPACE");
        }
        found.extend(items);
    }
    if found.is_empty() {
        bail!("No resources found");
    }
    Ok(found.iter().map(manifest).collect())
}

fn manifest(item: &Value) -> Manifest {
    Manifest {
        name: "delete".to_owned(),
        text: item.to_string(),
    }
}
