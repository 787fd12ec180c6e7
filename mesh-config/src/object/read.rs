//! From documents to objects.

use std::sync::Arc;

use super::kinds::{self, Known, Wrong};
use super::{Metadata, Object, Place, Spec, destination_rule, gateway, kubernetes, virtual_service};
use crate::problem::{Problems, Source};
use crate::text::{Document, Fields, Value};

/// Reads every document of every source. The namespace of an object that names none is `default`.
///
/// # Errors
/// Every problem of every document of every source at once.
pub fn parse(sources: &[Source]) -> Result<Vec<Object>, Problems> {
    let mut objects = Vec::new();
    let mut problems = Vec::new();
    for document in sources.iter().flat_map(Document::split) {
        if let Some(tree) = document.tree() {
            read_document(&document.root(&tree), &mut objects);
        }
        problems.extend(document.into_problems());
    }
    match Problems::from_vec(problems) {
        Some(problems) => Err(problems),
        None => Ok(objects),
    }
}

fn read_document(root: &Value<'_>, objects: &mut Vec<Object>) {
    let is_list = root.to_json().get("kind").and_then(|kind| kind.as_str()) == Some("List");
    if !is_list {
        objects.extend(read_object(root));
        return;
    }
    root.fields(|fields| {
        fields.accept(&["apiVersion", "kind", "metadata"]);
        for item in fields.required("items").map(|v| v.list()).unwrap_or_default() {
            objects.extend(read_object(&item));
        }
    });
}

fn read_object(value: &Value<'_>) -> Option<Object> {
    let document = value.document();
    let read = value.fields(|fields| {
        let (api_version, kind) = (fields.required("apiVersion"), fields.required("kind"));
        let (version, name) = (
            api_version.as_ref().and_then(Value::text),
            kind.as_ref().and_then(Value::text),
        );
        // Without these nothing is known about the other fields.
        let (Some(version), Some(name)) = (version, name) else {
            fields.accept_rest();
            return None;
        };
        let known = kinds::look_up(&version, &name);
        if let Known::Wrong { what, advice } = &known {
            fields.accept_rest();
            let (at, text) = match what {
                Wrong::Kind => (kind, format!("there is no kind `{name}` in `{version}`")),
                Wrong::Version => (api_version, format!("there is no `{version}` for {name}")),
            };
            let mark = at.map(|at| at.mark()).unwrap_or_default();
            document.report(mark, text, advice.clone());
            return None;
        }
        let metadata = fields.required("metadata").and_then(|v| read_metadata(&v, &name));
        let spec = if known == Known::Ours {
            read_spec(&name, fields)
        } else {
            fields.accept_rest();
            Some(Spec::NotEnforced)
        };
        Some((version, name, metadata?, spec?))
    });
    let (api_version, kind, metadata, spec) = read??;
    Some(Object {
        api_version,
        kind,
        metadata,
        spec,
        place: Place {
            file: document.file.to_owned(),
            line: value.mark().line,
        },
        text: Arc::from(document.text),
        text_line: document.first_line,
        content: Arc::new(value.to_json()),
    })
}

fn read_metadata(value: &Value<'_>, kind: &str) -> Option<Metadata> {
    value.fields(|fields| {
        fields.accept(&[
            "uid",
            "resourceVersion",
            "generation",
            "generateName",
            "managedFields",
            "ownerReferences",
            "finalizers",
            "selfLink",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ]);
        let name = fields.required("name").and_then(|v| {
            let name = v.text()?;
            if !is_object_name(&name) {
                v.problem_with(
                    format!("`{name}` is not a name"),
                    "lower-case letters, digits, `-` and `.`, beginning and ending with a letter or digit",
                );
            }
            Some(name)
        });
        let namespace = fields.get("namespace").and_then(|v| v.text());
        let namespace = if kinds::is_cluster_scoped(kind) {
            String::new()
        } else {
            namespace
                .filter(|namespace| !namespace.is_empty())
                .unwrap_or_else(|| "default".to_owned())
        };
        Metadata {
            name: name.unwrap_or_default(),
            namespace,
            labels: fields.get("labels").map(|v| v.text_map()).unwrap_or_default(),
            annotations: fields
                .get("annotations")
                .map(|v| v.text_map())
                .unwrap_or_default(),
            creation_timestamp: fields.get("creationTimestamp").and_then(|v| read_time(&v)),
        }
    })
}

fn is_object_name(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=253).contains(&name.len())
        && name.starts_with(edge)
        && name.ends_with(edge)
        && name.chars().all(|c| edge(c) || c == '-' || c == '.')
}

fn read_time(value: &Value<'_>) -> Option<i64> {
    let text = value.text()?;
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => Some(time.as_second()),
        Err(_) => {
            value.problem_with(
                format!("`{text}` is not a time"),
                "times look like 2026-01-31T12:00:00Z",
            );
            None
        }
    }
}

fn read_spec(kind: &str, fields: &mut Fields<'_>) -> Option<Spec> {
    match kind {
        "Namespace" => {
            fields.accept(&["spec", "status"]);
            return Some(Spec::Namespace);
        }
        "ServiceAccount" => {
            fields.accept(&["automountServiceAccountToken", "imagePullSecrets", "secrets"]);
            return Some(Spec::ServiceAccount);
        }
        _ => fields.accept(&["status"]),
    }
    let spec = fields.required("spec")?;
    match kind {
        "Service" => kubernetes::read_service(&spec).map(Spec::Service),
        "Deployment" => kubernetes::read_deployment(&spec).map(Spec::Deployment),
        "WorkloadEntry" => kubernetes::read_workload_entry(&spec).map(Spec::WorkloadEntry),
        "Gateway" => gateway::read(&spec).map(Spec::Gateway),
        "VirtualService" => virtual_service::read(&spec).map(Spec::VirtualService),
        "DestinationRule" => destination_rule::read(&spec).map(Spec::DestinationRule),
        _ => Some(Spec::NotEnforced),
    }
}
