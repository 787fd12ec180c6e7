//! From documents to objects.

use std::sync::Arc;

use super::kinds::{self, Known, Wrong};
use super::{
    Metadata, Object, ObjectKey, Place, Spec, destination_rule, gateway, kubernetes, metadata, service_entry,
    sidecar, virtual_service,
};
use crate::check::{proxy, schema};
use crate::problem::{Problem, Problems, Source};
use crate::text::{Document, Fields, Value};

/// Reads every document of every source. The namespace of an object that names none is `default`.
///
/// # Errors
/// Every problem of every document of every source at once.
pub fn parse(sources: &[Source]) -> Result<Vec<Object>, Problems> {
    read(sources).into_result()
}

/// What there is to read, problems or not.
pub(crate) fn read(sources: &[Source]) -> Reading<Object> {
    read_all(sources, read_object, |object| {
        !matches!(object.spec, Spec::Unreadable)
    })
}

/// Reads only what identifies the objects, as `kubectl delete -f` does: the rest of them need not be right, or there.
///
/// # Errors
/// Every problem with kinds, versions and names.
pub fn parse_keys(sources: &[Source]) -> Result<Vec<ObjectKey>, Problems> {
    read_all(sources, read_key, |_| true).into_result()
}

/// What was found in documents, some of which may have problems.
pub(crate) struct Reading<T> {
    /// Also of documents with problems, as far as they could be read.
    pub(crate) found: Vec<T>,
    /// Of all documents.
    pub(crate) problems: Vec<Problem>,
    /// Whether every document that is not empty gave something.
    pub(crate) complete: bool,
}

impl<T> Reading<T> {
    fn into_result(self) -> Result<Vec<T>, Problems> {
        match Problems::from_vec(self.problems) {
            Some(problems) => Err(problems),
            None => Ok(self.found),
        }
    }
}

fn read_all<T>(sources: &[Source], read: fn(&Value<'_>) -> Option<T>, is_read: fn(&T) -> bool) -> Reading<T> {
    let mut reading = Reading {
        found: Vec::new(),
        problems: Vec::new(),
        complete: true,
    };
    for document in sources.iter().flat_map(Document::split) {
        let before = reading.found.len();
        if let Some(tree) = document.tree() {
            read_document(&document.root(&tree), read, &mut reading.found);
        }
        let problems = document.into_problems();
        let found = &reading.found[before..];
        reading.complete &= problems.is_empty() || !found.is_empty() && found.iter().all(is_read);
        reading.problems.extend(problems);
    }
    reading
}

fn read_document<T>(root: &Value<'_>, read: fn(&Value<'_>) -> Option<T>, found: &mut Vec<T>) {
    // kubectl takes every List apart, whatever it is a List of.
    let kind = root
        .field("kind")
        .filter(Value::is_text)
        .and_then(|kind| kind.text());
    let is_list = |kind: &str| kind == "List" || kind.ends_with("List") && root.has("items");
    if !kind.is_some_and(|kind| is_list(&kind)) {
        found.extend(read(root));
        return;
    }
    root.fields(|fields| {
        fields.accept(&["apiVersion", "kind", "metadata"]);
        for item in fields.required("items").map(|v| v.list()).unwrap_or_default() {
            found.extend(read(&item));
        }
    });
}

fn read_key(value: &Value<'_>) -> Option<ObjectKey> {
    let read = value.fields(|fields| {
        let head = read_head(fields);
        fields.accept_rest();
        head
    })??;
    Some(ObjectKey {
        kind: read.kind,
        namespace: read.metadata.namespace,
        name: read.metadata.name,
    })
}

fn read_object(value: &Value<'_>) -> Option<Object> {
    let document = value.document();
    let first = document.count();
    let mut own = first;
    let read = value.fields(|fields| {
        // Without a good head nothing is known about the other fields.
        let Some(head) = read_head(fields) else {
            fields.accept_rest();
            return None;
        };
        own = document.count();
        if head.ours {
            let spec = read_spec(&head, fields);
            return Some((head, spec));
        }
        fields.accept_rest();
        Some((head, Some(Spec::NotEnforced)))
    });
    let (head, spec) = read.flatten()?;
    let key = ObjectKey {
        kind: head.kind.clone(),
        namespace: head.metadata.namespace.clone(),
        name: head.metadata.name.clone(),
    };
    document.attribute(first, &key);
    if !kinds::is_checked(&head.kind) {
        // The readers of other kinds know what is acted on here, not all that a cluster takes.
        document.replace_check(own, &proxy::OTHER_KIND);
    }
    Some(Object {
        spec: spec.unwrap_or(Spec::Unreadable),
        api_version: head.api_version,
        kind: head.kind,
        metadata: head.metadata,
        place: Place {
            file: document.file.to_owned(),
            line: value.mark().line,
        },
        text: Arc::from(document.text),
        text_line: document.first_line,
        content: Arc::new(value.to_json()),
    })
}

/// What every object has.
struct Head {
    api_version: String,
    kind: String,
    /// Whether the kind is acted on here.
    ours: bool,
    metadata: Metadata,
}

/// `None` if there is no such kind (then there is a problem). Metadata with problems is as if it were empty, so that
/// the spec is looked at all the same.
fn read_head(fields: &mut Fields<'_>) -> Option<Head> {
    let (version_at, kind_at) = (fields.required("apiVersion"), fields.required("kind"));
    let (version, kind) = (
        version_at.as_ref().and_then(Value::text),
        kind_at.as_ref().and_then(Value::text),
    );
    let (api_version, kind) = (version?, kind?);
    let known = kinds::look_up(&api_version, &kind);
    if let Known::Wrong { what, advice } = known {
        let (at, text) = match what {
            Wrong::Kind => (kind_at, format!("there is no kind `{kind}` in `{api_version}`")),
            Wrong::Version => (version_at, format!("there is no `{api_version}` for {kind}")),
        };
        let mark = at.map(|at| at.mark()).unwrap_or_default();
        fields
            .value()
            .document()
            .report(&schema::KIND, mark, text, advice);
        return None;
    }
    let metadata = fields
        .required("metadata")
        .and_then(|v| metadata::read(&v, &kind, kinds::is_checked(&kind)));
    Some(Head {
        ours: known == Known::Ours,
        metadata: metadata.unwrap_or_default(),
        api_version,
        kind,
    })
}

fn read_spec(head: &Head, fields: &mut Fields<'_>) -> Option<Spec> {
    match head.kind.as_str() {
        "Namespace" => {
            fields.accept(&["spec", "status"]);
            return Some(Spec::Namespace);
        }
        "ServiceAccount" => {
            fields.accept(&["automountServiceAccountToken", "imagePullSecrets", "secrets"]);
            return Some(Spec::ServiceAccount);
        }
        _ => {
            // Whatever it is: the API server drops it.
            fields.accept(&["status"]);
        }
    }
    let spec = fields.required("spec")?;
    match head.kind.as_str() {
        "Service" => kubernetes::read_service(&spec).map(Spec::Service),
        "Deployment" => kubernetes::read_deployment(&spec).map(Spec::Deployment),
        "WorkloadEntry" => kubernetes::read_workload_entry(&spec).map(Spec::WorkloadEntry),
        "ServiceEntry" => service_entry::read(&spec).map(Spec::ServiceEntry),
        "Sidecar" => sidecar::read(&spec).map(Spec::Sidecar),
        "Gateway" => gateway::read(&spec).map(Spec::Gateway),
        "VirtualService" => virtual_service::read(&spec, &head.metadata).map(Spec::VirtualService),
        "DestinationRule" => destination_rule::read(&spec, &head.metadata).map(Spec::DestinationRule),
        _ => Some(Spec::NotEnforced),
    }
}
