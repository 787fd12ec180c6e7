//! Conditions on a request: `match` blocks, in the form in which they are evaluated.

use std::fmt;

use http::{HeaderMap, HeaderName};

use super::pattern::Pattern;

/// The head of a request, as the conditions of a route see it.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// `GET`, ...
    pub method: &'a str,
    /// Path and query, already normalised.
    pub path: &'a str,
    /// The Host header, raw.
    pub authority: &'a str,
    /// `http`, unless the client's `x-forwarded-proto` says otherwise.
    pub scheme: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
}

impl<'a> RequestHead<'a> {
    /// Path without query and fragment.
    fn path_alone(&self) -> &'a str {
        self.path.split(['?', '#']).next().unwrap_or_default()
    }

    /// Raw value of the first parameter of this name: nothing is decoded, `?k` has the empty value.
    fn query(&self, name: &str) -> Option<&'a str> {
        let query = self.path.split_once('?')?.1;
        let query = query.split('#').next().unwrap_or_default();
        let mut pairs = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// Conditions of one match block, all of which must hold.
#[derive(Clone, Debug, Default)]
pub struct RequestMatch {
    /// On the path without query.
    pub uri: Option<UriMatch>,
    /// Case-sensitive.
    pub method: Option<StringMatch>,
    /// Case-sensitive.
    pub scheme: Option<StringMatch>,
    /// On the raw Host header, case-sensitive, port included.
    pub authority: Option<StringMatch>,
    /// All must hold.
    pub headers: Vec<HeaderMatch>,
    /// None may hold.
    pub without_headers: Vec<HeaderMatch>,
    /// On the first parameter of a name; `None`: present.
    pub query: Vec<(String, Option<StringMatch>)>,
}

/// `uri` with `ignoreUriCase`.
#[derive(Clone, Debug)]
pub struct UriMatch {
    /// What the path must be like.
    pub text: StringMatch,
    /// No effect on regular expressions, as in Envoy.
    pub ignore_case: bool,
}

/// A condition on a text.
#[derive(Clone, Debug)]
pub enum StringMatch {
    /// Equal.
    Exact(String),
    /// Begins with.
    Prefix(String),
    /// The whole text matches.
    Regex(Pattern),
}

/// A condition on a header.
#[derive(Clone, Debug)]
pub struct HeaderMatch {
    /// Which.
    pub name: MatchedName,
    /// `None`: the header is present.
    pub value: Option<StringMatch>,
}

/// What a header condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchedName {
    /// All lines of a header.
    Header(HeaderName),
    /// `:method`.
    Method,
    /// `:authority` and `host`.
    Authority,
    /// `:scheme`.
    Scheme,
    /// `:path`, with its query.
    Path,
}

impl fmt::Display for MatchedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MatchedName::Header(name) => name.as_str(),
            MatchedName::Method => ":method",
            MatchedName::Authority => ":authority",
            MatchedName::Scheme => ":scheme",
            MatchedName::Path => ":path",
        })
    }
}

impl StringMatch {
    /// Whether the text fulfils it.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        match self {
            StringMatch::Exact(exact) => text == exact.as_bytes(),
            StringMatch::Prefix(prefix) => text.starts_with(prefix.as_bytes()),
            StringMatch::Regex(pattern) => pattern.regex().is_match(text),
        }
    }
}

impl fmt::Display for StringMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StringMatch::Exact(text) => write!(f, "exact `{text}`"),
            StringMatch::Prefix(text) => write!(f, "prefix `{text}`"),
            StringMatch::Regex(pattern) => write!(f, "regex `{}`", pattern.source()),
        }
    }
}

impl UriMatch {
    fn matches(&self, path: &str) -> bool {
        if !self.ignore_case {
            return self.text.matches(path.as_bytes());
        }
        match &self.text {
            StringMatch::Exact(exact) => path.eq_ignore_ascii_case(exact),
            StringMatch::Prefix(prefix) => path
                .as_bytes()
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes())),
            StringMatch::Regex(_) => self.text.matches(path.as_bytes()),
        }
    }
}

impl HeaderMatch {
    /// Whether any line of the header fulfils it.
    fn matches(&self, request: &RequestHead<'_>) -> bool {
        let fits = |text: &[u8]| {
            self.value
                .as_ref()
                .is_none_or(|value| value.matches(text.trim_ascii()))
        };
        match &self.name {
            MatchedName::Header(name) => request
                .headers
                .get_all(name)
                .iter()
                .any(|value| fits(value.as_bytes())),
            MatchedName::Method => fits(request.method.as_bytes()),
            MatchedName::Authority => fits(request.authority.as_bytes()),
            MatchedName::Scheme => fits(request.scheme.as_bytes()),
            MatchedName::Path => fits(request.path.as_bytes()),
        }
    }

    /// As a `withoutHeaders` condition: a missing header counts as the empty text when a value is asked for.
    fn excludes(&self, request: &RequestHead<'_>) -> bool {
        let missing = matches!(&self.name, MatchedName::Header(name) if !request.headers.contains_key(name));
        match &self.value {
            Some(value) if missing => !value.matches(b""),
            _ => !self.matches(request),
        }
    }

    /// What is there, for people.
    fn seen(&self, request: &RequestHead<'_>) -> String {
        let name = match &self.name {
            MatchedName::Header(name) => name,
            MatchedName::Method => return format!("is `{}`", request.method),
            MatchedName::Authority => return format!("is `{}`", request.authority),
            MatchedName::Scheme => return format!("is `{}`", request.scheme),
            MatchedName::Path => return format!("is `{}`", request.path),
        };
        let lines = request.headers.get_all(name).iter();
        let lines: Vec<_> = lines
            .map(|line| String::from_utf8_lossy(line.as_bytes()))
            .collect();
        if lines.is_empty() {
            return "is missing".to_owned();
        }
        format!("is `{}`", lines.join("`, `"))
    }
}

impl RequestMatch {
    /// Whether all conditions hold.
    #[must_use]
    pub fn matches(&self, request: &RequestHead<'_>) -> bool {
        let text = |condition: &Option<StringMatch>, text: &str| {
            condition
                .as_ref()
                .is_none_or(|condition| condition.matches(text.as_bytes()))
        };
        self.uri
            .as_ref()
            .is_none_or(|uri| uri.matches(request.path_alone()))
            && text(&self.method, request.method)
            && text(&self.scheme, request.scheme)
            && text(&self.authority, request.authority)
            && self.headers.iter().all(|header| header.matches(request))
            && self.without_headers.iter().all(|header| header.excludes(request))
            && self
                .query
                .iter()
                .all(|(name, value)| query_matches(request, name, value.as_ref()))
    }

    /// As [`RequestMatch::matches`], with the condition that failed.
    ///
    /// # Errors
    /// A sentence that names the first condition that does not hold.
    pub fn check(&self, request: &RequestHead<'_>) -> Result<(), String> {
        if let Some(uri) = self.uri.as_ref().filter(|uri| !uri.matches(request.path_alone())) {
            return Err(format!("path is `{}`; needs {}", request.path_alone(), uri.text));
        }
        let texts = [
            ("method", &self.method, request.method),
            ("scheme", &self.scheme, request.scheme),
            ("authority", &self.authority, request.authority),
        ];
        for (what, condition, text) in texts {
            if let Some(condition) = condition.as_ref().filter(|c| !c.matches(text.as_bytes())) {
                return Err(format!("{what} is `{text}`; needs {condition}"));
            }
        }
        if let Some(header) = self.headers.iter().find(|header| !header.matches(request)) {
            let needs = header
                .value
                .as_ref()
                .map(|value| format!("; needs {value}"))
                .unwrap_or_default();
            return Err(format!(
                "header `{}` {}{needs}",
                header.name,
                header.seen(request)
            ));
        }
        if let Some(header) = self
            .without_headers
            .iter()
            .find(|header| !header.excludes(request))
        {
            let not = header
                .value
                .as_ref()
                .map_or("be there".to_owned(), |value| format!("match {value}"));
            return Err(format!(
                "header `{}` {}; must not {not}",
                header.name,
                header.seen(request)
            ));
        }
        for (name, value) in &self.query {
            if !query_matches(request, name, value.as_ref()) {
                let seen = request
                    .query(name)
                    .map_or("is missing".to_owned(), |v| format!("is `{v}`"));
                let needs = value
                    .as_ref()
                    .map(|value| format!("; needs {value}"))
                    .unwrap_or_default();
                return Err(format!("query parameter `{name}` {seen}{needs}"));
            }
        }
        Ok(())
    }

    /// Whether routes after this one are left out: path prefix `/` or regex `.*` (or no condition on the path), and
    /// no other condition on the request.
    pub(crate) fn is_catch_all(&self) -> bool {
        let path = match self.uri.as_ref().map(|uri| &uri.text) {
            None => true,
            Some(StringMatch::Prefix(prefix)) => prefix == "/",
            Some(StringMatch::Regex(pattern)) => pattern.source() == ".*",
            Some(StringMatch::Exact(_)) => false,
        };
        path && self.method.is_none()
            && self.scheme.is_none()
            && self.authority.is_none()
            && self.headers.is_empty()
            && self.without_headers.is_empty()
            && self.query.is_empty()
    }
}

fn query_matches(request: &RequestHead<'_>, name: &str, value: Option<&StringMatch>) -> bool {
    let Some(found) = request.query(name) else {
        return false;
    };
    value.is_none_or(|value| value.matches(found.as_bytes()))
}
