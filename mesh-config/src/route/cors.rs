//! Cross-origin requests: which browsers' pages may read answers.

use http::HeaderValue;

use super::headers;
use super::matching::StringMatch;
use super::read_match;
use crate::text::Value;

/// `corsPolicy` of a route, compiled. Source: istiod's `TranslateCORSPolicy`, Envoy's `cors_filter.cc`.
#[derive(Clone, Debug, Default)]
pub struct CorsPolicy {
    origins: Vec<StringMatch>,
    /// `access-control-allow-methods`, joined; `*` stands for what the preflight asks for.
    pub methods: Option<HeaderValue>,
    /// `access-control-allow-headers`, likewise.
    pub headers: Option<HeaderValue>,
    /// `access-control-expose-headers`.
    pub exposed: Option<HeaderValue>,
    /// `access-control-max-age` in seconds.
    pub max_age: Option<HeaderValue>,
    /// `access-control-allow-credentials: true`.
    pub credentials: bool,
    /// A preflight from an origin that is not allowed goes on to the workload instead of being answered.
    pub forwards_unmatched: bool,
}

impl CorsPolicy {
    /// Whether pages of this origin may. Case-sensitive; a condition that takes `*` takes everything.
    #[must_use]
    pub fn allows(&self, origin: &[u8]) -> bool {
        self.origins
            .iter()
            .any(|allowed| allowed.matches(b"*") || allowed.matches(origin))
    }
}

impl std::fmt::Display for CorsPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let origins: Vec<String> = self.origins.iter().map(StringMatch::to_string).collect();
        match origins.is_empty() {
            true => f.write_str("no origin is allowed"),
            false => write!(f, "allows origins: {}", origins.join(", ")),
        }
    }
}

/// The methods that Istio takes.
const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*",
];

/// Reads `corsPolicy`.
pub(crate) fn read(value: &Value<'_>) -> Option<CorsPolicy> {
    value.fields(|fields| {
        // The old field counts only without the new one.
        let old = fields.get("allowOrigin").map(|v| v.texts()).unwrap_or_default();
        let origins = fields.get("allowOrigins").map(|v| v.list()).unwrap_or_default();
        let mut origins: Vec<StringMatch> = origins.iter().filter_map(read_origin).collect();
        if origins.is_empty() {
            origins = old.into_iter().map(StringMatch::Exact).collect();
        }
        let unmatched = fields.get("unmatchedPreflights");
        let unmatched =
            unmatched.and_then(|v| v.choice(&[("UNSPECIFIED", true), ("FORWARD", true), ("IGNORE", false)]));
        CorsPolicy {
            origins,
            methods: fields.get("allowMethods").and_then(|v| joined(&v, read_method)),
            headers: fields.get("allowHeaders").and_then(|v| joined(&v, read_header)),
            exposed: fields.get("exposeHeaders").and_then(|v| joined(&v, read_header)),
            max_age: fields.get("maxAge").and_then(|v| read_age(&v)),
            credentials: fields
                .get("allowCredentials")
                .and_then(|v| v.boolean())
                .unwrap_or(false),
            forwards_unmatched: unmatched.unwrap_or(true),
        }
    })
}

fn read_origin(value: &Value<'_>) -> Option<StringMatch> {
    let origin = read_match::read_text(value, false);
    let empty = matches!(&origin, Some(StringMatch::Exact(text)) if text.is_empty());
    if value.is_empty() || empty {
        value.problem("needs one of exact, prefix and regex");
    }
    origin
}

fn joined(value: &Value<'_>, read: fn(&Value<'_>) -> Option<String>) -> Option<HeaderValue> {
    let entries: Vec<String> = value.list().iter().filter_map(read).collect();
    let text = entries.join(",");
    HeaderValue::from_str(&text).ok().filter(|text| !text.is_empty())
}

fn read_method(value: &Value<'_>) -> Option<String> {
    let words: Vec<(&'static str, &'static str)> = METHODS.iter().map(|method| (*method, *method)).collect();
    value.word(&words).map(str::to_owned)
}

fn read_header(value: &Value<'_>) -> Option<String> {
    let name = value.text()?;
    if !headers::is_token(&name) {
        value.problem(format!("`{name}` is not a header name"));
    }
    Some(name)
}

fn read_age(value: &Value<'_>) -> Option<HeaderValue> {
    let age = value.duration()?;
    if age.subsec_nanos() != 0 {
        value.problem("the age is in whole seconds");
    }
    Some(HeaderValue::from(age.as_secs()))
}
