//! Regular expressions as Envoy runs them: RE2 on bytes, classes such as `\d` in ASCII. See [`super::re2`].

use regex::bytes::{Regex, RegexBuilder};

use super::re2::{self, BadExpression};
use crate::text::Value;

/// More than an expression of 1024 bytes can have.
const NESTING: u32 = 2048;

/// A regular expression together with the text it was written as.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

/// Why a text is not a regular expression that Istio takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadPattern {
    #[error("the regular expression is empty")]
    Empty,
    #[error("the regular expression is longer than 1024 bytes")]
    TooLong,
    #[error("this regular expression does not compile: {0}")]
    Syntax(#[from] BadExpression),
    #[error("this regular expression is too large: {0}")]
    TooLarge(String),
}

impl Pattern {
    /// An expression that must match the whole text.
    pub(crate) fn full(source: &str) -> Result<Self, BadPattern> {
        Self::compile(source, |expression| format!(r"\A(?:{expression})\z"))
    }

    /// An expression that may match anywhere.
    pub(crate) fn anywhere(source: &str) -> Result<Self, BadPattern> {
        Self::compile(source, |expression| expression)
    }

    fn compile(source: &str, anchor: fn(String) -> String) -> Result<Self, BadPattern> {
        if source.is_empty() {
            return Err(BadPattern::Empty);
        }
        if source.len() > 1024 {
            return Err(BadPattern::TooLong);
        }
        // What the crate refuses from here on is not the syntax.
        let regex = RegexBuilder::new(&anchor(re2::translate(source)?))
            .unicode(false)
            .nest_limit(NESTING)
            .build()
            .map_err(|error| BadPattern::TooLarge(error.to_string()))?;
        Ok(Pattern {
            source: source.to_owned(),
            regex,
        })
    }

    /// As written in the manifest.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn regex(&self) -> &Regex {
        &self.regex
    }

    /// Reads one from a manifest.
    pub(crate) fn read(
        value: &Value<'_>,
        compile: impl FnOnce(&str) -> Result<Self, BadPattern>,
    ) -> Option<Self> {
        let text = value.text()?;
        let error = match compile(&text) {
            Ok(pattern) => return Some(pattern),
            Err(error) => error,
        };
        match error {
            BadPattern::Syntax(BadExpression::NotLatin1(_)) => value.envoy_refuses(&error.to_string()),
            BadPattern::TooLarge(_) => value.not_supported(),
            _ => value.problem(error.to_string()),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_must_match_the_whole_text() {
        for (pattern, text, expected) in [
            ("/a|/b", "/a", true),
            ("/a|/b", "/ab", false),
            ("a.c", "a\nc", false),
            (r"\d+", "12", true),
            (r"\d+", "١٢", false), // digits, but not ASCII
            (".*", "", true),
            ("(?i)abc", "ABC", true),
            (r"(?i)[^a]", "A", false),
            ("[a[b]]", "[]", true),
            ("[a-z&&[^b]]", "&]", true),
            ("[a-z--b]", "c", true),
            (r"\s", "\u{b}", false),
            (r"\x{e4}", "ä", false), // a byte, not a character
            ("ü+", "üü", false),     // the last byte is repeated
            (r"\p{L}\P{L}", "\u{c3}", true),
            (r"\101\Q.*\E", "A.*", true),
            ("a{,2}", "a{,2}", true),
            (r"[\d\-x]+", "1-x", true),
            ("[]a]+", "]a", true),
            ("a||b", "", true),
            ("(?s-i:a.)", "a\n", true),
        ] {
            let compiled = Pattern::full(pattern).unwrap();
            assert_eq!(
                compiled.regex().is_match(text.as_bytes()),
                expected,
                "{pattern} on {text:?}"
            );
        }
    }

    #[test]
    fn bad_expressions_are_refused() {
        for pattern in [
            "",
            "*",
            "a(",
            "a)(b",
            "(?=a)",
            r"(a)\1",
            &"a".repeat(1025),
            "(?i)*",
            "a|+",
            r"\E",
        ] {
            assert!(Pattern::full(pattern).is_err(), "{pattern}");
        }
    }

    /// Verdicts of Go's `regexp` (the webhook) and of Envoy, recorded. Whatever one of them refuses is refused here;
    /// only the empty text is Istio's own business.
    #[test]
    fn what_go_or_envoy_refuses_is_refused_and_everything_else_taken() {
        let table: Vec<serde_json::Value> =
            serde_saphyr::from_str(include_str!("../../tests/data/regex-engines.yaml")).unwrap();
        assert_eq!(table.len(), 91);
        for row in table {
            let regex = row["regex"].as_str().unwrap();
            let expected = row["webhook"] == true && row["envoy"]["accepted"] == true;
            let compiled = Pattern::full(regex);
            assert_eq!(compiled.is_ok(), expected, "{regex}: {compiled:?}");
        }
    }
}
