//! Reading `match` blocks.

use http::HeaderName;

use super::headers;
use super::matching::{HeaderMatch, MatchedName, RequestMatch, StringMatch, UriMatch};
use super::pattern::Pattern;
use crate::object::labels;
use crate::object::read_virtual_service::check_gateways;
use crate::object::virtual_service::HttpMatch;
use crate::text::{Fields, Value};

/// A header by this name stands for a claim of a token.
const CLAIM: &str = "@request.auth.claims";

/// Reads one block of `match` of a VirtualService that is for sidecars (`mesh`), or for gateways only.
pub(crate) fn read_block(value: &Value<'_>, mesh: bool) -> Option<HttpMatch> {
    value.fields(|fields| {
        fields.get("statPrefix").and_then(|v| v.text());
        let ignore_uri_case = ignores_case(fields);
        let gateways = fields.get("gateways");
        if let Some(gateways) = &gateways {
            check_gateways(gateways, None);
        }
        let namespace = fields.get("sourceNamespace");
        HttpMatch {
            mark: fields.value().mark(),
            name: fields.get("name").and_then(|v| v.text()),
            ignore_uri_case,
            names_uri: fields.value().has("uri"),
            port: fields.get("port").and_then(|v| v.optional_port()),
            gateways: gateways.map(|v| v.texts()).unwrap_or_default(),
            source_labels: fields
                .get("sourceLabels")
                .map(|v| labels::read(&v))
                .unwrap_or_default(),
            source_namespace: namespace.and_then(|v| labels::optional_name(&v, "a namespace")),
            request: read_request(fields, ignore_uri_case, mesh),
        }
    })
}

fn ignores_case(fields: &mut Fields<'_>) -> bool {
    fields
        .get("ignoreUriCase")
        .and_then(|v| v.boolean())
        .unwrap_or(false)
}

fn read_request(fields: &mut Fields<'_>, ignore_case: bool, mesh: bool) -> RequestMatch {
    let uri = fields.get("uri").and_then(|v| read_text(&v, true));
    // `{}` is a condition that always holds, but a condition: routes after this one are not left out.
    let always = || StringMatch::Prefix(String::new());
    let mut text = |name| {
        fields
            .get(name)
            .map(|v| read_text(&v, false).unwrap_or_else(always))
    };
    let (method, scheme, authority) = (text("method"), text("scheme"), text("authority"));
    let query = fields.get("queryParams").map(|v| v.entries()).unwrap_or_default();
    RequestMatch {
        uri: uri.map(|text| UriMatch { text, ignore_case }),
        method,
        scheme,
        authority,
        headers: fields
            .get("headers")
            .map(|v| read_headers(&v, false, mesh))
            .unwrap_or_default(),
        without_headers: fields
            .get("withoutHeaders")
            .map(|v| read_headers(&v, true, mesh))
            .unwrap_or_default(),
        query: query
            .into_iter()
            .map(|(key, v)| (key.value, read_text(&v, false)))
            .collect(),
    }
}

/// `exact`, `prefix` or `regex`; `None` if none of them is given (or if there was a problem).
pub(super) fn read_text(value: &Value<'_>, empty_prefix: bool) -> Option<StringMatch> {
    value.fields(|fields| {
        fields.at_most_one(&["exact", "prefix", "regex"]);
        let exact = fields.get("exact").and_then(|v| v.text()).map(StringMatch::Exact);
        let prefix = fields.get("prefix").and_then(|v| {
            let prefix = v.text()?;
            if prefix.is_empty() && !empty_prefix {
                v.problem("an empty prefix matches everything; leave the condition out");
            }
            Some(StringMatch::Prefix(prefix))
        });
        let regex = fields
            .get("regex")
            .and_then(|v| Pattern::read(&v, Pattern::full))
            .map(StringMatch::Regex);
        exact.or(prefix).or(regex)
    })?
}

fn read_headers(value: &Value<'_>, without: bool, mesh: bool) -> Vec<HeaderMatch> {
    let mut conditions = Vec::new();
    for (key, value) in value.entries() {
        let name = if is_claim(&key.value) {
            if mesh {
                value.problem("claims of tokens can be matched at gateways only");
            }
            value.not_supported();
            None
        } else {
            matched_name(&key.value, &value)
        };
        // The one regex that does not compile and is allowed here all the same: present.
        let star = without && value.to_json() == serde_json::json!({"regex": "*"});
        let condition = if star { None } else { read_text(&value, false) };
        conditions.extend(name.map(|name| HeaderMatch {
            name,
            value: condition,
        }));
    }
    conditions
}

/// `@request.auth.claims.group` or `@request.auth.claims[group]`.
pub(crate) fn is_claim(name: &str) -> bool {
    let start = name
        .get(..CLAIM.len())
        .filter(|start| start.eq_ignore_ascii_case(CLAIM));
    let rest = start.map_or("", |_| &name[CLAIM.len()..]);
    rest.starts_with('.') && rest.len() > 1 || rest.starts_with('[') && rest.ends_with(']') && rest.len() > 2
}

/// `None` for a name that is refused, or that no request has: both are said.
fn matched_name(name: &str, at: &Value<'_>) -> Option<MatchedName> {
    Some(match name {
        ":method" => MatchedName::Method,
        ":authority" => MatchedName::Authority,
        ":scheme" => MatchedName::Scheme,
        ":path" => MatchedName::Path,
        name if name.eq_ignore_ascii_case("host") => MatchedName::Authority,
        name => match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => MatchedName::Header(name),
            // istiod takes a comma in a name, too.
            Err(_) if name == ":status" || headers::is_token(name) => {
                at.not_supported();
                return None;
            }
            Err(_) => {
                at.problem(format!("`{name}` is not a header name"));
                return None;
            }
        },
    })
}
