//! Label selectors, as kubectl takes them: `app=auth,version!=v1`, `version in (v1, v2)`, `canary`, `!canary`.

use std::collections::BTreeMap;
use std::str::FromStr;

/// Conditions on labels, all of which must hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    condition: Condition,
}

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    In(Vec<String>),
    /// Also true without the label.
    NotIn(Vec<String>),
    Exists,
    Missing,
}

/// The text is no selector.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no label selector; write KEY=VALUE, KEY!=VALUE, `KEY in (A,B)`, `KEY notin (A,B)`, KEY or !KEY, several with commas"
)]
pub(super) struct BadSelector(String);

impl Selector {
    pub(super) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|Requirement { key, condition }| {
            let value = labels.get(key);
            match condition {
                Condition::In(values) => value.is_some_and(|value| values.contains(value)),
                Condition::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Condition::Exists => value.is_some(),
                Condition::Missing => value.is_none(),
            }
        })
    }
}

impl FromStr for Selector {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Self, BadSelector> {
        let mut requirements = Vec::new();
        let mut rest = text;
        while !rest.trim().is_empty() {
            // A comma inside parentheses separates values.
            let open = rest.find('(').unwrap_or(rest.len());
            let comma = rest.find(',').unwrap_or(rest.len());
            let end = if open < comma {
                let close = rest.find(')').ok_or_else(|| BadSelector(rest.to_owned()))?;
                rest[close..].find(',').map_or(rest.len(), |comma| close + comma)
            } else {
                comma
            };
            requirements.push(requirement(rest[..end].trim())?);
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        Ok(Selector(requirements))
    }
}

fn requirement(text: &str) -> Result<Requirement, BadSelector> {
    let (key, condition) = if let Some((key, value)) = text.split_once("!=") {
        (key, Condition::NotIn(vec![value.trim().to_owned()]))
    } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        (key, Condition::In(vec![value.trim().to_owned()]))
    } else if let Some((words, list)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        match words.trim().rsplit_once(' ') {
            Some((key, "in")) => (key, Condition::In(values)),
            Some((key, "notin")) => (key, Condition::NotIn(values)),
            _ => return Err(BadSelector(text.to_owned())),
        }
    } else if let Some(key) = text.strip_prefix('!') {
        (key, Condition::Missing)
    } else {
        (text, Condition::Exists)
    };
    let key = key.trim();
    let known = |sign: char| sign.is_ascii_alphanumeric() || "-_./".contains(sign);
    if key.is_empty() || !key.chars().all(known) {
        return Err(BadSelector(text.to_owned()));
    }
    Ok(Requirement {
        key: key.to_owned(),
        condition,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_selected_as_kubectl_does() {
        let labels =
            BTreeMap::from([("app", "auth"), ("version", "v2")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        for (text, matches) in [
            ("", true),
            ("app=auth", true),
            ("app==auth,version=v2", true),
            ("app = auth , version = v1", false),
            ("version!=v1", true),
            ("tier!=front", true),
            ("tier=front", false),
            ("version in (v1, v2),app=auth", true),
            ("version in (v1)", false),
            ("version notin (v1,v3)", true),
            ("app,!tier", true),
            ("tier", false),
            ("!app", false),
        ] {
            let selector: Selector = text.parse().unwrap();
            assert_eq!(selector.matches(&labels), matches, "{text}");
        }
    }

    #[test]
    fn what_is_no_selector_is_said() {
        for text in [
            "=v1",
            "version in (v1",
            "version of (v1)",
            "a b",
            "app=auth,,version=v1",
        ] {
            let error = text.parse::<Selector>().unwrap_err();
            assert!(error.to_string().contains("is no label selector"), "{text}");
        }
    }
}
