//! Findings that somebody has decided to live with.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::object::{Object, ObjectKey};
use crate::problem::Problem;

use super::catalogue::Layer;

/// istioctl's annotation: codes with commas between them, or `*`.
const ANNOTATION: &str = "galley.istio.io/analyze-suppress";

/// `CODE=KIND/NAMESPACE/NAME`, or istioctl's `CODE=KIND NAME.NAMESPACE`; `*` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    code: String,
    kind: String,
    namespace: String,
    name: String,
}

/// Why a text is no suppression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither CODE=KIND/NAMESPACE/NAME nor CODE=KIND NAME.NAMESPACE; `*` stands for any text")]
pub struct BadSuppression(String);

impl FromStr for Suppression {
    type Err = BadSuppression;

    fn from_str(text: &str) -> Result<Self, BadSuppression> {
        let bad = || BadSuppression(text.to_owned());
        let (code, object) = text.split_once('=').ok_or_else(bad)?;
        let parts: Vec<&str> = object.split('/').collect();
        let (kind, namespace, name) = match parts.as_slice() {
            [kind, namespace, name] => (*kind, *namespace, *name),
            [kind, name] => (*kind, "", *name),
            // istioctl's; names of objects may have dots, those of namespaces have none.
            [_] => match object.split_once(' ') {
                Some((kind, name)) => match name.rsplit_once('.') {
                    Some((name, namespace)) => (kind, namespace, name),
                    None => (kind, if name == "*" { "*" } else { "" }, name),
                },
                None if object == "*" => ("*", "*", "*"),
                None => return Err(bad()),
            },
            _ => return Err(bad()),
        };
        if code.is_empty() || kind.is_empty() || name.is_empty() {
            return Err(bad());
        }
        let [code, kind, namespace, name] = [code, kind, namespace, name].map(str::to_owned);
        Ok(Suppression {
            code,
            kind,
            namespace,
            name,
        })
    }
}

impl Suppression {
    /// Whether it is about this finding.
    pub(crate) fn covers(&self, finding: &Problem) -> bool {
        let nothing = ObjectKey {
            kind: String::new(),
            namespace: String::new(),
            name: String::new(),
        };
        let object = finding.object.as_ref().unwrap_or(&nothing);
        is_code(&self.code, finding)
            && matches(&self.kind, &object.kind)
            && matches(&self.namespace, &object.namespace)
            && matches(&self.name, &object.name)
    }
}

/// Whether a code, ours or Istio's, or `*` is that of a finding.
fn is_code(code: &str, finding: &Problem) -> bool {
    code == finding.check.code || matches(code, finding.check.shown_code())
}

/// What the annotations of the objects suppress. What the API server refuses, it refuses all the same.
pub(crate) struct Annotations<'a>(BTreeMap<ObjectKey, Vec<&'a str>>);

impl<'a> Annotations<'a> {
    pub(crate) fn of(objects: impl Iterator<Item = &'a Object>) -> Self {
        let annotated = objects.filter_map(|object| {
            let codes = object.metadata.annotations.get(ANNOTATION)?;
            Some((object.key(), codes.split(',').map(str::trim).collect()))
        });
        Annotations(annotated.collect())
    }

    pub(crate) fn cover(&self, finding: &Problem) -> bool {
        let codes = finding.object.as_ref().and_then(|key| self.0.get(key));
        finding.check.layer != Layer::Schema
            && codes.is_some_and(|codes| codes.iter().any(|code| is_code(code, finding)))
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = text.find(piece) else { return false };
        text = &text[at + piece.len()..];
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_kind_namespace_and_name() {
        for text in [
            "IST0101=VirtualService/shop/auth.v1",
            "IST0101=VirtualService auth.v1.shop",
        ] {
            let read: Suppression = text.parse().unwrap();
            assert_eq!(
                (read.kind.as_str(), read.namespace.as_str(), read.name.as_str()),
                ("VirtualService", "shop", "auth.v1")
            );
        }
        let read: Suppression = "IST0102=Namespace shop".parse().unwrap();
        assert_eq!((read.namespace.as_str(), read.name.as_str()), ("", "shop"));
        for text in [
            "",
            "IST0101",
            "=a/b/c",
            "IST0101=",
            "IST0101=a",
            "IST0101=a/b/c/d",
            "IST0101=/b/c",
        ] {
            assert!(text.parse::<Suppression>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "a", true),
            ("a*", "ab", true),
            ("a*c", "abc", true),
            ("a*c", "acb", false),
            ("*b*", "abc", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
