//! Header operations.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::format::{Format, Known};
use super::header_value;
use crate::problem::Placed;
use crate::text::Value;

/// `headers` of a route or of a destination, compiled.
#[derive(Clone, Debug, Default)]
pub struct HeaderRules {
    /// On the request.
    pub(crate) request: Operations,
    /// On the response.
    pub(crate) response: Operations,
    /// `host` or `:authority` among the request's `set` (before `add`): a host rewrite, taken literally.
    pub(crate) authority: Option<HeaderValue>,
}

/// Removals, then overwriting, then additions; names in alphabetical order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations {
    remove: Vec<HeaderName>,
    set: Vec<(HeaderName, Format)>,
    add: Vec<(HeaderName, Format)>,
    /// A name with a sign that no header can have, which Istio lets pass: no such request can be sent.
    bad_name: Option<String>,
}

impl HeaderRules {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.request.is_empty() && self.response.is_empty() && self.authority.is_none()
    }

    /// Changes the headers of an answer that a route gives without a destination.
    pub fn respond(&self, known: &Known<'_>, headers: &mut HeaderMap) {
        apply(&[&self.response], known, headers);
    }
}

impl Operations {
    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }

    /// A header name that cannot be sent: such requests fail with 503, flag DPE.
    pub(crate) fn bad_name(&self) -> Option<&str> {
        self.bad_name.as_deref()
    }
}

/// Applies several lists of operations as one: all removals, then all overwriting (the last of a name wins), then all
/// additions. Values are computed after the removals. Without operations nothing is done.
pub(crate) fn apply(operations: &[&Operations], known: &Known<'_>, headers: &mut HeaderMap) {
    if operations.iter().all(|operations| operations.is_empty()) {
        return;
    }
    for name in operations.iter().flat_map(|o| &o.remove) {
        headers.remove(name);
    }
    let values = |list: fn(&Operations) -> &[(HeaderName, Format)], headers: &HeaderMap| -> Vec<_> {
        let list = operations.iter().flat_map(|operations| list(operations));
        list.filter_map(|(name, format)| Some((name.clone(), format.value(known, headers)?)))
            .collect()
    };
    let (set, add) = (values(|o| &o.set, headers), values(|o| &o.add, headers));
    for (name, value) in set {
        headers.insert(name, value);
    }
    for (name, value) in add {
        headers.append(name, value);
    }
}

/// Reads `headers`.
pub(crate) fn read(value: &Value<'_>) -> Option<HeaderRules> {
    value.fields(|fields| {
        let mut authority = None;
        let request = fields
            .get("request")
            .map(|v| operations(&v, true, &mut authority));
        let response = fields.get("response").map(|v| operations(&v, false, &mut None));
        HeaderRules {
            request: request.unwrap_or_default(),
            response: response.unwrap_or_default(),
            authority,
        }
    })
}

fn operations(value: &Value<'_>, request: bool, authority: &mut Option<HeaderValue>) -> Operations {
    let read = value.fields(|fields| {
        let mut bad_name = None;
        let mut values = |name| {
            let values = fields
                .get(name)
                .map(|v| named_values(&v, request, authority, &mut bad_name));
            values.unwrap_or_default()
        };
        let (set, add) = (values("set"), values("add"));
        let removed = fields.get("remove").map(|v| v.list()).unwrap_or_default();
        let remove = removed.iter().filter_map(|v| {
            let name = v.placed_text()?;
            check_name(&name, v, false).then(|| HeaderName::from_bytes(name.value.as_bytes()).ok())?
        });
        Operations {
            remove: remove.collect(),
            set,
            add,
            bad_name,
        }
    });
    read.unwrap_or_default()
}

fn named_values(
    value: &Value<'_>,
    request: bool,
    authority: &mut Option<HeaderValue>,
    bad_name: &mut Option<String>,
) -> Vec<(HeaderName, Format)> {
    let mut entries = value.entries();
    entries.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    let mut values = Vec::new();
    for (key, value) in entries {
        let Some(text) = value.text() else { continue };
        let checked = header_value::check(&text);
        if let Err(error) = checked {
            value.problem(error.to_string());
        }
        if !check_name(&key, &value, request) || checked.is_err() {
            continue;
        }
        if request && is_authority(&key.value) {
            let host = HeaderValue::from_bytes(text.as_bytes()).ok();
            *authority = authority.take().or(host);
            continue;
        }
        match (HeaderName::from_bytes(key.value.as_bytes()), Format::parse(&text)) {
            (_, Err(error)) => value.envoy_refuses(&error.to_string()),
            (Ok(name), Ok(format)) => values.push((name, format)),
            (Err(_), Ok(_)) if request => *bad_name = Some(key.value.to_ascii_lowercase()),
            (Err(_), Ok(_)) => value.not_supported(),
        }
    }
    values
}

fn is_authority(name: &str) -> bool {
    name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case(":authority")
}

/// The signs that istiod takes in the name of a header: those of a token, and the comma.
pub(crate) fn is_token(name: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+,-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(sign)
}

/// Of `headers` of a rule: the authority of requests may be set once, also counting that of its `rewrite`.
pub(crate) fn check_authority(value: &Value<'_>, rewritten: bool) {
    let mut set = rewritten;
    let request = value.field("request");
    for name in ["set", "add"] {
        let entries = request.as_ref().and_then(|request| request.field(name));
        for (key, value) in entries.map(|v| v.entries()).unwrap_or_default() {
            if !is_authority(&key.value) {
                continue;
            }
            if set {
                value.problem("the authority is set more than once, here and in `rewrite` or another header");
            }
            set = set || value.to_json() != "";
        }
    }
}

/// `authority`: whether the authority may be changed here.
fn check_name(name: &Placed<String>, value: &Value<'_>, authority: bool) -> bool {
    if name.value.is_empty() {
        value.problem("the name of a header is empty");
        return false;
    }
    if authority && is_authority(&name.value) {
        return true;
    }
    if name.value.starts_with(':') || name.value.eq_ignore_ascii_case("host") {
        value.problem(format!("`{}` cannot be changed here", name.value));
        return false;
    }
    true
}
