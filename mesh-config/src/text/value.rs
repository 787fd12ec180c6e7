//! Reading typed values from the tree: each wrong one becomes a problem, and reading goes on.

use std::collections::{BTreeMap, BTreeSet};

use super::Document;
use super::fields::Fields;
use super::node::{Item, Node};
use crate::check::catalogue::Check;
use crate::check::{proxy, schema, warning, webhook};
use crate::problem::{Mark, Placed};

/// A value of a document, with its path in the object.
#[derive(Clone)]
pub(crate) struct Value<'d> {
    document: &'d Document<'d>,
    pub(super) item: &'d Item,
    path: String,
}

impl<'d> Value<'d> {
    pub(super) fn root(document: &'d Document<'d>, item: &'d Item) -> Self {
        Value {
            document,
            item,
            path: String::new(),
        }
    }

    /// Of a key of this mapping.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
    }

    /// `spec.http[0].timeout`; empty for the document.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn mark(&self) -> Mark {
        self.item.mark
    }

    pub(crate) fn document(&self) -> &'d Document<'d> {
        self.document
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        self.item.to_json()
    }

    /// Records that istiod's webhook refuses this; the path is put in front of the message.
    pub(crate) fn problem(&self, message: impl AsRef<str>) {
        self.say(webhook::subject(&self.path), message, None);
    }

    /// Records that istiod's webhook refuses this, with advice.
    pub(crate) fn problem_with(&self, message: impl AsRef<str>, advice: impl Into<String>) {
        self.say(webhook::subject(&self.path), message, Some(advice.into()));
    }

    /// Records a finding of a check here; the path is put in front of the message.
    pub(crate) fn say(&self, check: &'static Check, message: impl AsRef<str>, advice: Option<String>) {
        let path = if self.path.is_empty() {
            "document"
        } else {
            &self.path
        };
        let message = format!("`{path}`: {}", message.as_ref());
        self.document.report(check, self.item.mark, message, advice);
    }

    /// Records a warning of istiod's webhook. About policies of subsets and of ports it keeps its warnings to itself.
    pub(crate) fn warn(&self, check: &'static Check, message: impl AsRef<str>, advice: Option<String>) {
        let unsaid = self.path.contains("subsets[") || self.path.contains("portLevelSettings[");
        self.say(if unsaid { &warning::UNSAID } else { check }, message, advice);
    }

    /// Records something that the API server and istiod take and Envoy does not.
    pub(crate) fn envoy_refuses(&self, what: &str) {
        let advice = "Envoy refuses the whole table of routes then: every host on the port would answer 404";
        self.say(&proxy::ENVOY_ROUTES, what, Some(advice.to_owned()));
    }

    /// Likewise, of a cluster.
    pub(crate) fn envoy_refuses_cluster(&self, what: &str) {
        let advice = "Envoy refuses the cluster then: requests to it would be answered 503";
        self.say(&proxy::ENVOY_CLUSTER, what, Some(advice.to_owned()));
    }

    /// Records that this real field is not implemented.
    pub(crate) fn not_supported(&self) {
        let message = format!("not supported yet: `{}`", self.path);
        self.document
            .report(&proxy::NOT_SUPPORTED, self.item.mark, message, None);
    }

    pub(super) fn wrong_type(&self, expected: &str) {
        let found = match &self.item.node {
            Node::Null => "nothing".to_owned(),
            Node::Bool(value) => format!("the boolean {value}"),
            Node::Whole(value) => format!("the number {value}"),
            Node::Float(value) => format!("the number {value}"),
            Node::Text(value) => format!("the text {value:?}"),
            Node::List(_) => "a list".to_owned(),
            Node::Map(_) => "a mapping".to_owned(),
        };
        let scalar = !matches!(self.item.node, Node::List(_) | Node::Map(_) | Node::Null);
        let advice = (expected == "text" && scalar).then(|| "put it in quotes".to_owned());
        self.say(
            &schema::WRONG_TYPE,
            format!("expected {expected}, found {found}"),
            advice,
        );
    }

    /// The entries of a list; a null one is a problem.
    pub(crate) fn list(&self) -> Vec<Value<'d>> {
        let Node::List(items) = &self.item.node else {
            self.wrong_type("a list");
            return Vec::new();
        };
        let values = items.iter().enumerate().map(|(index, item)| Value {
            document: self.document,
            item,
            path: format!("{}[{index}]", self.path),
        });
        values
            .filter(|value| {
                !value.item.is_null() || {
                    value.say(&schema::WRONG_TYPE, "an entry is empty", None);
                    false
                }
            })
            .collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.list().iter().filter_map(Value::text).collect()
    }

    pub(crate) fn placed_texts(&self) -> Vec<Placed<String>> {
        self.list().iter().filter_map(Value::placed_text).collect()
    }

    /// The entries of a mapping with free keys. Null values are dropped, as the API server does.
    pub(crate) fn entries(&self) -> Vec<(Placed<String>, Value<'d>)> {
        let Node::Map(entries) = &self.item.node else {
            self.wrong_type("a mapping");
            return Vec::new();
        };
        let mut seen = BTreeSet::new();
        let mut values = Vec::new();
        for (key, item) in entries {
            let path = self.path_of(&key.value);
            if !seen.insert(&key.value) {
                self.document.report(
                    &schema::DUPLICATE_KEY,
                    key.mark,
                    format!("duplicate key `{path}`"),
                    Some("it was given before".to_owned()),
                );
            } else if !item.is_null() {
                values.push((
                    key.clone(),
                    Value {
                        document: self.document,
                        item,
                        path,
                    },
                ));
            }
        }
        values
    }

    /// A mapping of text to text.
    pub(crate) fn text_map(&self) -> BTreeMap<String, String> {
        let entries = self.entries().into_iter();
        entries
            .filter_map(|(key, value)| Some((key.value, value.text()?)))
            .collect()
    }

    /// Reads a mapping with known keys; unknown ones become problems when `read` is done.
    pub(crate) fn fields<T>(&self, read: impl FnOnce(&mut Fields<'d>) -> T) -> Option<T> {
        if !matches!(self.item.node, Node::Map(_)) {
            self.wrong_type("a mapping");
            return None;
        }
        let mut fields = Fields::new(self.clone());
        let result = read(&mut fields);
        fields.finish();
        Some(result)
    }

    /// Whether a key of this mapping has a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        let Node::Map(entries) = &self.item.node else {
            return false;
        };
        entries
            .iter()
            .any(|(name, item)| name.value == key && !item.is_null())
    }

    /// The value of a key of this mapping, without making it known.
    pub(crate) fn field(&self, key: &str) -> Option<Value<'d>> {
        let Node::Map(entries) = &self.item.node else {
            return None;
        };
        let found = entries
            .iter()
            .find(|(name, item)| name.value == key && !item.is_null());
        found.map(|(_, item)| Value {
            document: self.document,
            item,
            path: self.path_of(key),
        })
    }

    /// Whether this is a mapping or list without entries.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.item.node {
            Node::Map(entries) => entries.iter().all(|(_, item)| item.is_null()),
            Node::List(items) => items.is_empty(),
            _ => false,
        }
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self.item.node, Node::List(_))
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.item.node, Node::Text(_))
    }
}
