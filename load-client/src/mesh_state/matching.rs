//! Envoy's conditions on a request, as istiod writes them: a reading of its own, so that `mesh-config` is not asked to
//! confirm itself.

use std::collections::BTreeMap;

use mesh_config::RequestHead;
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// `envoy.config.route.v3.RouteMatch`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RouteMatch {
    prefix: Option<String>,
    path: Option<String>,
    path_separated_prefix: Option<String>,
    safe_regex: Option<SafeRegex>,
    #[serde(default = "yes")]
    case_sensitive: bool,
    #[serde(default)]
    headers: Vec<HeaderMatch>,
    #[serde(default)]
    query_parameters: Vec<QueryMatch>,
    /// Conditions that are not understood here.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct SafeRegex {
    regex: String,
}

/// `envoy.config.route.v3.HeaderMatcher`.
#[derive(Clone, Debug, Deserialize)]
struct HeaderMatch {
    name: String,
    string_match: Option<StringMatch>,
    present_match: Option<bool>,
    #[serde(default)]
    invert_match: bool,
    #[serde(default)]
    treat_missing_header_as_empty: bool,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// `envoy.config.route.v3.QueryParameterMatcher`.
#[derive(Clone, Debug, Deserialize)]
struct QueryMatch {
    name: String,
    string_match: Option<StringMatch>,
    present_match: Option<bool>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// `envoy.type.matcher.v3.StringMatcher`.
#[derive(Clone, Debug, Deserialize)]
struct StringMatch {
    exact: Option<String>,
    prefix: Option<String>,
    suffix: Option<String>,
    contains: Option<String>,
    safe_regex: Option<SafeRegex>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// A condition that is not understood here, by its name in Envoy's configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the condition `{0}`")]
pub struct NotUnderstood(String);

fn yes() -> bool {
    true
}

impl RouteMatch {
    /// Whether the request meets every condition. Query and fragment are no part of the path.
    ///
    /// # Errors
    /// There is a condition that is not understood.
    pub fn matches(&self, request: &RequestHead<'_>) -> Result<bool, NotUnderstood> {
        understood(&self.others)?;
        let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
        if !self.path_matches(path.split('#').next().unwrap_or_default())? {
            return Ok(false);
        }
        for header in &self.headers {
            if !header.matches(request)? {
                return Ok(false);
            }
        }
        for parameter in &self.query_parameters {
            if !parameter.matches(query.split('#').next().unwrap_or_default())? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn path_matches(&self, path: &str) -> Result<bool, NotUnderstood> {
        let folded = |text: &str| {
            if self.case_sensitive {
                text.to_owned()
            } else {
                text.to_ascii_lowercase()
            }
        };
        let asked = folded(path);
        if let Some(prefix) = &self.prefix {
            return Ok(asked.starts_with(&folded(prefix)));
        }
        if let Some(whole) = &self.path {
            return Ok(asked == folded(whole));
        }
        if let Some(prefix) = &self.path_separated_prefix {
            let rest = asked.strip_prefix(&folded(prefix));
            return Ok(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        }
        match &self.safe_regex {
            Some(regex) => regex.matches(path),
            None => Err(NotUnderstood("match without a path".to_owned())),
        }
    }
}

impl HeaderMatch {
    fn matches(&self, request: &RequestHead<'_>) -> Result<bool, NotUnderstood> {
        understood(&self.others)?;
        let value = header(request, &self.name);
        let Some(condition) = &self.string_match else {
            let wanted = self.present_match.unwrap_or(true);
            return Ok((value.is_some() == wanted) != self.invert_match);
        };
        let value = value.or_else(|| self.treat_missing_header_as_empty.then(String::new));
        // Envoy: what is absent meets no condition on its value, inverted or not.
        match value {
            Some(value) => Ok(condition.matches(&value)? != self.invert_match),
            None => Ok(false),
        }
    }
}

impl QueryMatch {
    fn matches(&self, query: &str) -> Result<bool, NotUnderstood> {
        understood(&self.others)?;
        let value = query.split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name == self.name).then_some(value)
        });
        match (&self.string_match, value) {
            (Some(condition), Some(value)) => condition.matches(value),
            (Some(_), None) => Ok(false),
            (None, value) => Ok(value.is_some() == self.present_match.unwrap_or(true)),
        }
    }
}

impl StringMatch {
    fn matches(&self, value: &str) -> Result<bool, NotUnderstood> {
        understood(&self.others)?;
        let folded = |text: &str| {
            if self.ignore_case {
                text.to_ascii_lowercase()
            } else {
                text.to_owned()
            }
        };
        let given = folded(value);
        if let Some(wanted) = &self.exact {
            return Ok(given == folded(wanted));
        }
        if let Some(wanted) = &self.prefix {
            return Ok(given.starts_with(&folded(wanted)));
        }
        if let Some(wanted) = &self.suffix {
            return Ok(given.ends_with(&folded(wanted)));
        }
        if let Some(wanted) = &self.contains {
            return Ok(given.contains(&folded(wanted)));
        }
        match &self.safe_regex {
            Some(regex) => regex.matches(value),
            None => Err(NotUnderstood("string_match".to_owned())),
        }
    }
}

impl SafeRegex {
    /// Envoy's regular expressions match the whole text.
    fn matches(&self, text: &str) -> Result<bool, NotUnderstood> {
        let whole = Regex::new(&format!("^(?:{})$", self.regex));
        let whole = whole.map_err(|_| NotUnderstood(format!("safe_regex {}", self.regex)))?;
        Ok(whole.is_match(text))
    }
}

fn understood(others: &BTreeMap<String, Value>) -> Result<(), NotUnderstood> {
    match others.keys().next() {
        Some(name) => Err(NotUnderstood(name.clone())),
        None => Ok(()),
    }
}

/// Lines of one name are one value, joined by commas; the parts of the request line have names with a colon.
fn header(request: &RequestHead<'_>, name: &str) -> Option<String> {
    match name {
        ":method" => Some(request.method.to_owned()),
        ":authority" => Some(request.authority.to_owned()),
        ":path" => Some(request.path.to_owned()),
        ":scheme" => Some(request.scheme.to_owned()),
        _ => {
            let lines = request.headers.get_all(name).iter();
            let lines: Vec<_> = lines
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            (!lines.is_empty()).then(|| lines.join(","))
        }
    }
}
