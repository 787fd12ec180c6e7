//! What istiod takes for unreachable. Source: `analyzeUnreachableHTTPRules` and its siblings in istiod's validation.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Place;
use crate::check::json::Json;

/// What is unreachable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Rule,
    Match,
}

/// One statement of istiod's.
pub(super) struct Said {
    pub(super) what: What,
    pub(super) place: Place,
    /// What takes its requests.
    pub(super) by: Place,
}

/// What istiod says about a list of rules; prefixes are compared for HTTP only.
pub(super) fn of(entries: &[Value], http: bool) -> Vec<Said> {
    let mut said = Vec::new();
    let mut seen: Vec<(Value, Place)> = Vec::new();
    let mut catch_all = None;
    let mut prefixes = Vec::new();
    for (rule, entry) in entries.iter().enumerate() {
        let whole = Place { rule, block: None };
        let blocks = entry.list("match");
        if let Some(by) = catch_all {
            said.push(Said {
                what: What::Rule,
                place: whole,
                by,
            });
            catch_all = if blocks.is_empty() { Some(whole) } else { catch_all };
            continue;
        }
        if blocks.is_empty() {
            catch_all = Some(whole);
            continue;
        }
        let mut last = None;
        let mut duplicates = 0;
        for (index, block) in blocks.iter().enumerate() {
            let place = Place {
                rule,
                block: Some(index),
            };
            let conditions = conditions(block);
            if let Some((_, by)) = seen.iter().find(|(other, _)| *other == conditions) {
                said.push(Said {
                    what: What::Match,
                    place,
                    by: *by,
                });
                last = Some(*by);
                duplicates += 1;
                continue;
            }
            seen.push((conditions, place));
            prefixes.extend(Prefix::new(block, place).filter(|_| http));
        }
        if let (Some(by), true) = (last, duplicates == blocks.len()) {
            said.push(Said {
                what: What::Rule,
                place: whole,
                by,
            });
        }
    }
    said.extend(covered(&prefixes));
    said
}

/// A match without its name, and without what says nothing.
fn conditions(block: &Value) -> Value {
    let mut block = block.clone();
    if let Some(map) = block.as_object_mut() {
        map.remove("name");
        map.retain(|_, value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::Array(list) => !list.is_empty(),
            // `uri: {}` says nothing and is there.
            _ => true,
        });
    }
    block
}

fn covered(prefixes: &[Prefix<'_>]) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    for (index, earlier) in prefixes.iter().enumerate() {
        for later in &prefixes[index + 1..] {
            let told = said.iter().any(|said| said.place == later.place);
            if !told && earlier.prefix != later.prefix && earlier.covers(later) {
                said.push(Said {
                    what: What::Match,
                    place: later.place,
                    by: earlier.place,
                });
            }
        }
    }
    said
}

/// A match on a prefix of the path, with the conditions that istiod compares.
struct Prefix<'a> {
    place: Place,
    prefix: &'a str,
    port: Option<u64>,
    method: String,
    authority: String,
    maps: [BTreeMap<&'a str, String>; 3],
}

/// `exact:a` or `prefix:a`; for all else nothing.
fn text(condition: &Value) -> String {
    for kind in ["exact", "prefix"] {
        if let Some(text) = condition.text(kind).filter(|text| !text.is_empty()) {
            return format!("{kind}:{text}");
        }
    }
    String::new()
}

impl<'a> Prefix<'a> {
    fn new(block: &'a Value, place: Place) -> Option<Self> {
        let prefix = block["uri"].text("prefix").filter(|prefix| !prefix.is_empty())?;
        let map = |name: &str| {
            block
                .entries(name)
                .into_iter()
                .map(|(key, value)| (key, text(value)))
                .collect()
        };
        let method = text(&block["method"]);
        Some(Prefix {
            place,
            prefix,
            port: block.number("port").filter(|port| *port > 0),
            method: if method.is_empty() {
                "exact:GET".to_owned()
            } else {
                method
            },
            authority: text(&block["authority"]),
            maps: [map("headers"), map("queryParams"), map("withoutHeaders")],
        })
    }

    fn covers(&self, later: &Self) -> bool {
        let same = |one: &BTreeMap<&str, String>, other: &BTreeMap<&str, String>| {
            one.len() == other.len()
                && one.iter().all(|(key, value)| {
                    other
                        .get(key)
                        .is_some_and(|other| value.starts_with(other.as_str()))
                })
        };
        later.prefix.starts_with(self.prefix)
            && self.port == later.port
            && self.method.starts_with(&later.method)
            && self.authority.starts_with(&later.authority)
            && self
                .maps
                .iter()
                .zip(&later.maps)
                .all(|(one, other)| same(one, other))
    }
}
