//! Labels, names and label selectors: which texts Kubernetes and istiod take for them.

use std::collections::BTreeMap;

use crate::host;
use crate::text::Value;

/// Longest name of a label, and longest value for Kubernetes.
const LONGEST: usize = 63;

/// Longest prefix of a label's name.
const LONGEST_PREFIX: usize = 253;

/// Letters and digits at both ends, `-`, `_` and `.` between them.
fn is_qualified(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(edge) && text.ends_with(edge) && text.chars().all(|c| edge(c) || "-_.".contains(c))
}

/// `example.com/app` or `app`. `prefix` says which prefixes are good.
fn is_key(key: &str, prefix: impl Fn(&str) -> bool) -> bool {
    let (before, name) = key
        .split_once('/')
        .map_or((None, key), |(before, name)| (Some(before), name));
    is_qualified(name)
        && name.len() <= LONGEST
        && before.is_none_or(|before| before.len() <= LONGEST_PREFIX && prefix(before))
}

/// The name of a label or (in lower case) of an annotation, as Kubernetes takes it.
pub(super) fn is_kubernetes_key(key: &str) -> bool {
    is_key(key, is_subdomain)
}

/// The value of a label, as Kubernetes takes it.
pub(super) fn is_kubernetes_value(value: &str) -> bool {
    value.is_empty() || is_qualified(value) && value.len() <= LONGEST
}

/// The name of an object: labels in lower case, with dots between them.
pub(super) fn is_subdomain(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label = |label: &str| {
        label.starts_with(edge) && label.ends_with(edge) && label.chars().all(|c| edge(c) || c == '-')
    };
    name.len() <= LONGEST_PREFIX && name.split('.').all(label)
}

/// The name of a namespace that can exist.
pub(super) fn is_namespace(name: &str) -> bool {
    is_subdomain(name) && !name.contains('.') && name.len() <= LONGEST
}

/// Labels of endpoints or clients in an Istio object. istiod takes upper case in the prefix of a key and values of any
/// length. Source: istiod's `labels.Instance.Validate`.
pub(crate) fn read(value: &Value<'_>) -> BTreeMap<String, String> {
    let prefix = |prefix: &str| {
        let edge = |c: char| c.is_ascii_alphanumeric();
        let label = |label: &str| {
            label.starts_with(edge) && label.ends_with(edge) && label.chars().all(|c| edge(c) || c == '-')
        };
        prefix.split('.').all(label)
    };
    let mut labels = BTreeMap::new();
    for (key, value) in value.entries() {
        let Some(text) = value.text() else { continue };
        if !is_key(&key.value, prefix) {
            value.problem(format!("`{}` is not the name of a label", key.value));
        }
        if !text.is_empty() && !is_qualified(&text) {
            value.problem_with(
                format!("`{text}` is not the value of a label"),
                "letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit",
            );
        }
        labels.insert(key.value, text);
    }
    labels
}

/// A DNS-1123 label for istiod, `what` in words; the empty text counts as absent.
pub(crate) fn optional_name(value: &Value<'_>, what: &str) -> Option<String> {
    let name = value.text().filter(|name| !name.is_empty())?;
    if !host::is_label(&name) {
        value.problem(format!("`{name}` is not {what}"));
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_a_name_and_may_have_a_prefix() {
        for key in ["app", "a.b_c-D", "example.com/app", "topology.kubernetes.io/zone"] {
            assert!(is_kubernetes_key(key), "{key}");
        }
        for key in [
            "",
            "a b",
            "-a",
            "a/",
            "/a",
            "a/b/c",
            "Example.com/app",
            "a_b/c",
            &"a".repeat(64),
        ] {
            assert!(!is_kubernetes_key(key), "{key}");
        }
    }

    #[test]
    fn names_of_objects_may_have_dots_and_those_of_namespaces_not() {
        assert!(is_subdomain("auth.v1") && is_subdomain("0a"));
        assert!(is_namespace("team-a") && !is_namespace("team.a"));
        for name in ["", "Auth", "a_b", "a-", "-a", "a..b", "ä", &"a".repeat(254)] {
            assert!(!is_subdomain(name), "{name}");
        }
    }
}
