//! Reading `metadata`, and what Kubernetes and istiod ask of it.

use super::labels::{is_kubernetes_key, is_kubernetes_value, is_namespace, is_subdomain};
use super::{Metadata, kinds};
use crate::check::{proxy, schema, webhook};
use crate::text::{Fields, Value};

/// All keys and values of annotations together, in bytes.
const LARGEST_ANNOTATIONS: usize = 256 * 1024;

/// Annotations that istiod's webhook refuses on VirtualServices and DestinationRules.
const REFUSED: &[&str] = &[
    "istio.io/dry-run",
    "internal.istio.io/webhook-always-reject",
    "internal.istio.io/parents",
    "internal.istio.io/parent-namespace",
];

/// Switches checks of destinations off, if it says `gateway`.
const ROUTE_SEMANTICS: &str = "internal.istio.io/route-semantics";

impl Metadata {
    /// Whether istiod takes the object for one that it made itself from the Gateway API, and checks less.
    pub(super) fn has_gateway_semantics(&self) -> bool {
        self.annotations
            .get(ROUTE_SEMANTICS)
            .is_some_and(|value| value == "gateway")
    }
}

/// Reads `metadata` of an object of a kind. `refuses`: whether istiod's webhook looks at its annotations.
pub(super) fn read(value: &Value<'_>, kind: &str, refuses: bool) -> Option<Metadata> {
    value.fields(|fields| {
        let generated = fields
            .get("generateName")
            .and_then(|v| v.text())
            .is_some_and(|name| !name.is_empty());
        let name = read_name(fields, generated);
        let namespace = read_namespace(fields, kind);
        let annotations = fields.get("annotations");
        if let Some(annotations) = &annotations {
            check_annotations(annotations, refuses);
        }
        read_rest(fields);
        Metadata {
            name: name.unwrap_or_default(),
            namespace,
            labels: fields.get("labels").map(|v| read_labels(&v)).unwrap_or_default(),
            annotations: annotations.map(|v| v.text_map()).unwrap_or_default(),
            creation_timestamp: fields.get("creationTimestamp").and_then(|v| read_time(&v)),
        }
    })
}

fn read_name(fields: &mut Fields<'_>, generated: bool) -> Option<String> {
    let Some(value) = fields.get("name") else {
        let message = "`name` is missing".to_owned();
        if generated {
            let advice =
                "`kubectl create` makes names up; here and with `kubectl apply` objects need one".to_owned();
            fields.value().say(&proxy::NOT_SUPPORTED, message, Some(advice));
        } else {
            fields.value().say(&schema::MISSING, message, None);
        }
        return None;
    };
    let name = value.text()?;
    if !is_subdomain(&name) {
        let advice = "lower-case letters, digits, `-` and `.`, beginning and ending with a letter or digit";
        value.say(
            &schema::METADATA,
            format!("`{name}` is not a name"),
            Some(advice.to_owned()),
        );
    }
    Some(name)
}

fn read_namespace(fields: &mut Fields<'_>, kind: &str) -> String {
    let value = fields.get("namespace");
    let given = value
        .as_ref()
        .and_then(Value::text)
        .filter(|namespace| !namespace.is_empty());
    if let (Some(value), Some(name)) = (&value, &given)
        && !is_namespace(name)
    {
        let message = format!("there can be no namespace `{name}`");
        value.say(&schema::METADATA, message, None);
    }
    if kinds::is_cluster_scoped(kind) {
        return String::new();
    }
    given.unwrap_or_else(|| "default".to_owned())
}

fn read_labels(value: &Value<'_>) -> std::collections::BTreeMap<String, String> {
    for (key, value) in value.entries() {
        if !is_kubernetes_key(&key.value) {
            value.say(
                &schema::METADATA,
                format!("`{}` is not the name of a label", key.value),
                None,
            );
        }
        // A wrong type is said below.
        if value.is_text() && value.text().is_some_and(|text| !is_kubernetes_value(&text)) {
            let advice =
                "at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit";
            value.say(
                &schema::METADATA,
                "this is not the value of a label",
                Some(advice.to_owned()),
            );
        }
    }
    value.text_map()
}

fn check_annotations(value: &Value<'_>, refuses: bool) {
    let mut size = 0;
    for (key, value) in value.entries() {
        if !is_kubernetes_key(&key.value.to_lowercase()) {
            value.say(
                &schema::METADATA,
                format!("`{}` is not the name of an annotation", key.value),
                None,
            );
        }
        if refuses && REFUSED.contains(&key.value.as_str()) {
            value.say(
                webhook::subject("annotations"),
                format!("istiod does not take `{}` here", key.value),
                None,
            );
        }
        if value.is_text() {
            size += key.value.len() + value.text().unwrap_or_default().len();
        }
    }
    if size > LARGEST_ANNOTATIONS {
        value.say(
            &schema::METADATA,
            format!("annotations of {size} bytes are more than {LARGEST_ANNOTATIONS}"),
            None,
        );
    }
}

/// What nothing here looks at, except that it is of the right type.
fn read_rest(fields: &mut Fields<'_>) {
    for name in ["uid", "resourceVersion", "selfLink"] {
        fields.get(name).and_then(|v| v.text());
    }
    for name in ["generation", "deletionGracePeriodSeconds"] {
        fields.get(name).and_then(|v| v.whole(i64::MIN..=i64::MAX));
    }
    fields.get("deletionTimestamp").and_then(|v| read_time(&v));
    fields.get("managedFields").map(|v| v.list());
    for value in fields.get("finalizers").map(|v| v.list()).unwrap_or_default() {
        if value.text().is_some_and(|name| !is_kubernetes_key(&name)) {
            value.say(&schema::METADATA, "this is not the name of a finalizer", None);
        }
    }
    for owner in fields
        .get("ownerReferences")
        .map(|v| v.list())
        .unwrap_or_default()
    {
        owner.fields(|fields| {
            for name in ["apiVersion", "kind", "name", "uid"] {
                let given = fields.required(name).and_then(|v| v.text());
                if given.is_some_and(|text| text.is_empty()) {
                    fields
                        .value()
                        .say(&schema::METADATA, format!("`{name}` is empty"), None);
                }
            }
            for name in ["controller", "blockOwnerDeletion"] {
                fields.get(name).and_then(|v| v.boolean());
            }
        });
    }
}

/// Seconds of a time as RFC 3339 has it.
fn read_time(value: &Value<'_>) -> Option<i64> {
    let text = value.text()?;
    // jiff takes more forms than Go.
    let shape =
        text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T') && text.as_bytes().get(16) == Some(&b':');
    match text.parse::<jiff::Timestamp>() {
        Ok(time) if shape => Some(time.as_second()),
        _ => {
            let advice = "times look like 2026-01-31T12:00:00Z".to_owned();
            value.say(&schema::FORMAT, format!("`{text}` is not a time"), Some(advice));
            None
        }
    }
}
