//! Header operations.

use http::{HeaderMap, HeaderName, HeaderValue};

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
}

/// A value with commands such as `%REQ(x-user)%`.
#[derive(Clone, Debug)]
enum Format {
    /// Without commands. The empty text is none: it changes nothing.
    Fixed(Option<HeaderValue>),
    Pieces(Vec<Piece>),
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(Vec<u8>),
    Request(HeaderName),
}

/// Why a value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum BadFormat {
    #[error("a `%` without its partner; a percent sign is written `%%`")]
    Unbalanced,
    #[error("not supported yet: the variable `%{0}%`")]
    Command(String),
    #[error("a header value must not contain control characters")]
    NotAValue,
}

impl HeaderRules {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.request.is_empty() && self.response.is_empty() && self.authority.is_none()
    }
}

impl Operations {
    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }
}

/// Applies several lists of operations as one: all removals, then all overwriting (the last of a name wins), then all
/// additions. Values are computed after the removals. Without operations nothing is done.
pub(crate) fn apply(operations: &[&Operations], headers: &mut HeaderMap) {
    for name in operations.iter().flat_map(|o| &o.remove) {
        headers.remove(name);
    }
    let values = |list: fn(&Operations) -> &[(HeaderName, Format)], headers: &HeaderMap| -> Vec<_> {
        let list = operations.iter().flat_map(|operations| list(operations));
        list.filter_map(|(name, format)| Some((name.clone(), format.value(headers)?)))
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

impl Format {
    fn parse(text: &str, request: bool) -> Result<Self, BadFormat> {
        let mut pieces = Vec::new();
        let mut parts = text.split('%');
        let mut literal = parts.next().unwrap_or_default().as_bytes().to_vec();
        while let Some(command) = parts.next() {
            // Between two signs is a command, nothing stands for the sign itself; then literal text goes on.
            let after = parts.next().ok_or(BadFormat::Unbalanced)?;
            if command.is_empty() {
                literal.push(b'%');
            } else {
                HeaderValue::from_bytes(&literal).map_err(|_| BadFormat::NotAValue)?;
                let piece =
                    Piece::command(command, request).ok_or_else(|| BadFormat::Command(command.to_owned()))?;
                pieces.extend([Piece::Literal(std::mem::take(&mut literal)), piece]);
            }
            literal.extend_from_slice(after.as_bytes());
        }
        let last = HeaderValue::from_bytes(&literal).map_err(|_| BadFormat::NotAValue)?;
        if pieces.is_empty() {
            return Ok(Format::Fixed(Some(last).filter(|value| !value.is_empty())));
        }
        pieces.push(Piece::Literal(literal));
        Ok(Format::Pieces(pieces))
    }

    /// `None` when the value is empty: the header is then left as it is.
    fn value(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let pieces = match self {
            Format::Fixed(value) => return value.clone(),
            Format::Pieces(pieces) => pieces,
        };
        let mut value = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Literal(text) => value.extend_from_slice(text),
                Piece::Request(name) => {
                    value.extend_from_slice(headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default());
                }
            }
        }
        let value = HeaderValue::from_bytes(&value).ok()?;
        (!value.is_empty()).then_some(value)
    }
}

impl Piece {
    fn command(command: &str, request: bool) -> Option<Self> {
        let name = command.strip_prefix("REQ(")?.strip_suffix(')')?;
        // Pseudo headers and, in responses, the request are not at hand where operations are applied.
        (request && !name.starts_with(':'))
            .then(|| HeaderName::from_bytes(name.as_bytes()).ok())?
            .map(Piece::Request)
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
        let set = fields
            .get("set")
            .map(|v| named_values(&v, request, authority))
            .unwrap_or_default();
        let add = fields
            .get("add")
            .map(|v| named_values(&v, request, authority))
            .unwrap_or_default();
        let removed = fields.get("remove").map(|v| v.list()).unwrap_or_default();
        let remove = removed
            .iter()
            .filter_map(|v| header_name(&v.placed_text()?, v))
            .collect();
        Operations { remove, set, add }
    });
    read.unwrap_or_default()
}

fn named_values(
    value: &Value<'_>,
    request: bool,
    authority: &mut Option<HeaderValue>,
) -> Vec<(HeaderName, Format)> {
    let mut entries = value.entries();
    entries.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    let mut values = Vec::new();
    for (key, value) in entries {
        let Some(text) = value.text() else { continue };
        let is_host = key.value.eq_ignore_ascii_case("host") || key.value == ":authority";
        if request && is_host {
            match HeaderValue::from_str(&text) {
                Ok(_) if authority.is_some() => value.problem("the authority is set more than once"),
                Ok(host) => *authority = Some(host),
                Err(_) => value.problem("this is not a host"),
            }
            continue;
        }
        match (header_name(&key, &value), Format::parse(&text, request)) {
            (Some(name), Ok(format)) => values.push((name, format)),
            (_, Err(error)) => value.problem(error.to_string()),
            (None, _) => {}
        }
    }
    values
}

fn header_name(name: &Placed<String>, value: &Value<'_>) -> Option<HeaderName> {
    if name.value.starts_with(':') || name.value.eq_ignore_ascii_case("host") {
        value.problem(format!("`{}` cannot be changed here", name.value));
        return None;
    }
    HeaderName::from_bytes(name.value.as_bytes())
        .map_err(|_| value.problem(format!("`{}` is not a header name", name.value)))
        .ok()
}
