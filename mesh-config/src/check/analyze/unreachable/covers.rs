//! Whether one match takes every request that another one would take.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::json::Json;

/// Whether `later` matches nothing that `earlier` does not match. `Null` is a rule without matches. False where it
/// cannot be told.
pub(super) fn covers(earlier: &Value, later: &Value) -> bool {
    let port = |block: &Value| block.number("port").filter(|port| *port > 0);
    let texts = ["scheme", "method", "authority"];
    (port(earlier).is_none() || port(earlier) == port(later))
        && clients(earlier, later)
        && path(earlier, later)
        && texts.iter().all(|name| text(&earlier[*name], &later[*name]))
        && ["headers", "queryParams"]
            .iter()
            .all(|name| present(earlier, later, name))
        && absent(earlier, later)
}

/// Conditions on who asks. Names of gateways stand for those on sources.
fn clients(earlier: &Value, later: &Value) -> bool {
    let (gateways, others) = (earlier.texts("gateways"), later.texts("gateways"));
    if !gateways.is_empty() {
        return !others.is_empty() && others.iter().all(|name| gateways.contains(name));
    }
    let (labels, namespace) = (earlier.labels("sourceLabels"), source_namespace(earlier));
    if labels.is_empty() && namespace.is_none() {
        return true;
    }
    let theirs: BTreeMap<&str, &str> = later.labels("sourceLabels");
    others.is_empty()
        && labels.iter().all(|(name, value)| theirs.get(name) == Some(value))
        && (namespace.is_none() || namespace == source_namespace(later))
}

fn source_namespace(block: &Value) -> Option<&str> {
    block.text("sourceNamespace").filter(|name| !name.is_empty())
}

/// Whether it is no condition at all.
fn always(condition: &Value) -> bool {
    let Some(map) = condition.as_object() else {
        return true;
    };
    map.is_empty() || condition.text("prefix") == Some("") || condition.text("regex") == Some(".*")
}

fn path(earlier: &Value, later: &Value) -> bool {
    let (one, other) = (&earlier["uri"], &later["uri"]);
    if always(one) || one.text("prefix") == Some("/") || one.text("regex") == Some("/.*") {
        return true;
    }
    let folds = |block: &Value| block["ignoreUriCase"].as_bool() == Some(true);
    let letters = |condition: &Value| {
        let text = condition
            .text("exact")
            .or(condition.text("prefix"))
            .unwrap_or_default();
        text.contains(|c: char| c.is_alphabetic())
    };
    match (folds(earlier), folds(later)) {
        (true, _) => text(&lower(one), &lower(other)),
        (false, true) if letters(one) => false,
        (false, _) => text(one, other),
    }
}

/// Expressions stay as they are: the case counts in them anyway.
fn lower(condition: &Value) -> Value {
    let mut condition = condition.clone();
    for kind in ["exact", "prefix"] {
        if let Some(text) = condition.text(kind).map(str::to_lowercase) {
            condition[kind] = Value::String(text);
        }
    }
    condition
}

fn text(one: &Value, other: &Value) -> bool {
    if always(one) {
        return true;
    }
    if let Some(exact) = one.text("exact") {
        return other.text("exact") == Some(exact);
    }
    if let Some(prefix) = one.text("prefix") {
        let theirs = other.text("exact").or(other.text("prefix"));
        return theirs.is_some_and(|text| text.starts_with(prefix));
    }
    one.text("regex").is_some() && one.text("regex") == other.text("regex")
}

/// Every header (or parameter) that the one asks for the other asks for, too, and not for less.
fn present(earlier: &Value, later: &Value, name: &str) -> bool {
    let theirs: BTreeMap<&str, &Value> = later.entries(name).into_iter().collect();
    let mut ours = earlier.entries(name).into_iter();
    ours.all(|(key, value)| theirs.get(key).is_some_and(|other| text(value, other)))
}

/// Every header that the one does not want the other does not want in the same way.
fn absent(earlier: &Value, later: &Value) -> bool {
    let theirs: BTreeMap<&str, &Value> = later.entries("withoutHeaders").into_iter().collect();
    let mut ours = earlier.entries("withoutHeaders").into_iter();
    ours.all(|(key, value)| theirs.get(key) == Some(&value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::covers;

    #[test]
    fn what_asks_for_less_covers_what_asks_for_more() {
        for (earlier, later) in [
            (json!(null), json!({"uri": {"exact": "/a"}})),
            (json!({}), json!(null)),
            (
                json!({"uri": {"prefix": "/"}}),
                json!({"headers": {"x": {"exact": "a"}}}),
            ),
            (json!({"uri": {"regex": ".*"}}), json!({"uri": {"exact": "/a"}})),
            (json!({"uri": {"prefix": "/a"}}), json!({"uri": {"exact": "/ab"}})),
            (
                json!({"uri": {"prefix": "/a"}, "ignoreUriCase": true}),
                json!({"uri": {"prefix": "/AB"}}),
            ),
            (
                json!({"headers": {"x": {}}}),
                json!({"headers": {"x": {"regex": "a+"}, "y": {}}}),
            ),
            (
                json!({"sourceLabels": {"a": "b"}}),
                json!({"sourceLabels": {"a": "b", "c": "d"}}),
            ),
            (json!({"gateways": ["mesh", "gw"]}), json!({"gateways": ["gw"]})),
            (json!({"port": 0}), json!({"port": 80})),
        ] {
            assert!(covers(&earlier, &later), "{earlier} {later}");
        }
    }

    #[test]
    fn what_asks_for_something_else_does_not_cover() {
        for (earlier, later) in [
            (json!({"uri": {"prefix": "/a"}}), json!({"uri": {"prefix": "/b"}})),
            (json!({"uri": {"prefix": "/a"}}), json!(null)),
            (
                json!({"uri": {"prefix": "/a"}}),
                json!({"uri": {"prefix": "/ab"}, "ignoreUriCase": true}),
            ),
            (
                json!({"uri": {"prefix": "/a"}, "method": {"exact": "GET"}}),
                json!({"uri": {"prefix": "/ab"}}),
            ),
            (
                json!({"uri": {"prefix": "/a"}, "scheme": {"exact": "https"}}),
                json!({"uri": {"prefix": "/ab"}}),
            ),
            (
                json!({"sourceLabels": {"a": "b"}}),
                json!({"sourceLabels": {"a": "c"}}),
            ),
            (
                json!({"sourceLabels": {"a": "b"}}),
                json!({"sourceLabels": {"a": "b"}, "gateways": ["gw"]}),
            ),
            (
                json!({"headers": {"x": {"regex": "a"}}}),
                json!({"headers": {"x": {"regex": "b"}}}),
            ),
            (json!({"withoutHeaders": {"x": {}}}), json!({})),
            (json!({"port": 80}), json!({})),
        ] {
            assert!(!covers(&earlier, &later), "{earlier} {later}");
        }
    }
}
