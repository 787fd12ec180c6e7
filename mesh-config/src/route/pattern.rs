//! Regular expressions as Envoy runs them: RE2 on bytes, classes such as `\d` in ASCII.

use regex::bytes::{Regex, RegexBuilder};

use crate::text::Value;

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
    Syntax(String),
}

impl Pattern {
    /// An expression that must match the whole text.
    pub(crate) fn full(source: &str) -> Result<Self, BadPattern> {
        // Checked alone first: `a)(b` must not become valid by being wrapped.
        Self::compile(source, source)?;
        Self::compile(source, &format!("^(?:{source})$"))
    }

    /// An expression that may match anywhere.
    pub(crate) fn anywhere(source: &str) -> Result<Self, BadPattern> {
        Self::compile(source, source)
    }

    fn compile(source: &str, expression: &str) -> Result<Self, BadPattern> {
        if source.is_empty() {
            return Err(BadPattern::Empty);
        }
        if source.len() > 1024 {
            return Err(BadPattern::TooLong);
        }
        let regex = RegexBuilder::new(expression)
            .unicode(false)
            .build()
            .map_err(|error| {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                BadPattern::Syntax(last.trim_start_matches("error: ").to_owned())
            })?;
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
        compile(&text)
            .map_err(|error| value.problem(error.to_string()))
            .ok()
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
        for pattern in ["", "*", "a(", "a)(b", "(?=a)", r"(a)\1", &"a".repeat(1025)] {
            assert!(Pattern::full(pattern).is_err(), "{pattern}");
        }
    }
}
