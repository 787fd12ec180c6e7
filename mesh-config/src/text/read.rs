//! Reading typed values from the tree: each wrong one becomes a problem, and reading goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::node::{Item, Node};
use super::{Document, similar};
use crate::duration;
use crate::problem::{Mark, Placed};

/// A value of a document, with its path in the object.
#[derive(Clone)]
pub(crate) struct Value<'d> {
    document: &'d Document<'d>,
    item: &'d Item,
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
    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
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

    /// Records a problem here; the path is put in front of the message.
    pub(crate) fn problem(&self, message: impl AsRef<str>) {
        self.report(message.as_ref(), None);
    }

    /// Records a problem here, with advice.
    pub(crate) fn problem_with(&self, message: impl AsRef<str>, advice: impl Into<String>) {
        self.report(message.as_ref(), Some(advice.into()));
    }

    fn report(&self, message: &str, advice: Option<String>) {
        let path = if self.path.is_empty() {
            "document"
        } else {
            &self.path
        };
        self.document
            .report(self.item.mark, format!("`{path}`: {message}"), advice);
    }

    /// Records something that the API server and istiod take and Envoy does not.
    pub(crate) fn envoy_refuses(&self, what: &str) {
        let advice = "Envoy refuses the whole table of routes then: every host on the port would answer 404";
        self.report(what, Some(advice.to_owned()));
    }

    /// Records that this real field is not implemented.
    pub(crate) fn not_supported(&self) {
        let message = format!("not supported yet: `{}`", self.path);
        self.document.report(self.item.mark, message, None);
    }

    fn wrong_type(&self, expected: &str) {
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
        self.report(&format!("expected {expected}, found {found}"), advice);
    }

    /// Text; a number or boolean is not text.
    pub(crate) fn text(&self) -> Option<String> {
        if let Node::Text(text) = &self.item.node {
            return Some(text.clone());
        }
        self.wrong_type("text");
        None
    }

    /// Text with its place.
    pub(crate) fn placed_text(&self) -> Option<Placed<String>> {
        self.text().map(|value| Placed {
            value,
            mark: self.mark(),
        })
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        if let Node::Bool(value) = self.item.node {
            return Some(value);
        }
        self.wrong_type("true or false");
        None
    }

    /// A whole number in a range.
    pub(crate) fn whole(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let number = match self.item.node {
            Node::Whole(value) => value,
            #[allow(clippy::cast_possible_truncation)] // whole and small: `80.0` is a good port
            Node::Float(value) if value.fract() == 0.0 && value.abs() < 1e15 => value as i128,
            _ => {
                self.wrong_type("a whole number");
                return None;
            }
        };
        match i64::try_from(number) {
            Ok(number) if range.contains(&number) => Some(number),
            _ => {
                self.problem(format!(
                    "{number} is not between {} and {}",
                    range.start(),
                    range.end()
                ));
                None
            }
        }
    }

    /// A number, whole or not.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = self.to_json().as_f64();
        if number.is_none() {
            self.wrong_type("a number");
        }
        number
    }

    /// A number that fits `u32`; Istio's counters are 32-bit integers with a sign.
    pub(crate) fn count(&self) -> Option<u32> {
        self.whole(0..=i64::from(i32::MAX))
            .and_then(|number| u32::try_from(number).ok())
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.whole(1..=65_535)
            .and_then(|number| u16::try_from(number).ok())
    }

    /// A Go duration of whole milliseconds, at least one.
    pub(crate) fn duration(&self) -> Option<Duration> {
        let text = self.text()?;
        match duration::parse_milliseconds(&text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.problem_with(error.to_string(), "durations look like 500ms, 1.5s, 1m30s, 1h");
                None
            }
        }
    }

    /// One of the given words.
    pub(crate) fn choice<T: Clone>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(value.clone());
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let advice = similar::did_you_mean(&text, &all);
        self.report(&format!("`{text}` is not one of {}", all.join(", ")), advice);
        None
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
                    value.problem("an entry is empty");
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
        let mut fields = Fields {
            value: self.clone(),
            entries: self.entries(),
            known: Vec::new(),
            rest: false,
        };
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

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.item.node, Node::Text(_))
    }
}

/// The fields of a mapping. Every name asked for becomes known; what remains unknown is a problem.
pub(crate) struct Fields<'d> {
    value: Value<'d>,
    entries: Vec<(Placed<String>, Value<'d>)>,
    known: Vec<&'static str>,
    /// Whether unknown fields are no problem.
    rest: bool,
}

impl<'d> Fields<'d> {
    /// The mapping itself.
    pub(crate) fn value(&self) -> &Value<'d> {
        &self.value
    }

    /// An optional field; null counts as absent.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<Value<'d>> {
        self.known.push(name);
        self.entries
            .iter()
            .find(|(key, _)| key.value == name)
            .map(|(_, value)| value.clone())
    }

    /// A field that must be there.
    pub(crate) fn required(&mut self, name: &'static str) -> Option<Value<'d>> {
        let found = self.get(name);
        if found.is_none() {
            self.value.problem(format!("`{name}` is missing"));
        }
        found
    }

    /// Real fields that are not implemented: a problem each.
    pub(crate) fn not_supported(&mut self, names: &[&'static str]) {
        for name in names {
            self.known.push(name);
            for (key, value) in self.entries.iter().filter(|(key, _)| key.value == *name) {
                let message = format!("not supported yet: `{}`", value.path);
                self.value.document.report(key.mark, message, None);
            }
        }
    }

    /// Real fields that change nothing here.
    pub(crate) fn accept(&mut self, names: &[&'static str]) {
        self.known.extend(names);
    }

    /// Takes every field that was not asked for.
    pub(crate) fn accept_rest(&mut self) {
        self.rest = true;
    }

    /// More than one of the names is a problem, for fields that exclude each other.
    pub(crate) fn at_most_one(&self, names: &[&'static str]) {
        let given: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| self.value.has(name))
            .collect();
        if given.len() > 1 {
            self.value
                .problem(format!("only one of {} may be given", given.join(", ")));
        }
    }

    /// Reports what was not asked for. A key without a value counts, too: `{retryOn: 5xx,reset}` has two keys.
    fn finish(self) {
        let Node::Map(entries) = &self.value.item.node else {
            return;
        };
        for (key, _) in entries {
            if self.rest || self.known.contains(&key.value.as_str()) {
                continue;
            }
            let advice = similar::did_you_mean(&key.value, &self.known).or_else(|| {
                let mut known = self.known.clone();
                known.sort_unstable();
                (known.len() <= 8).then(|| format!("expected one of {}", known.join(", ")))
            });
            let path = self.value.path_of(&key.value);
            self.value
                .document
                .report(key.mark, format!("unknown field `{path}`"), advice);
        }
    }
}
