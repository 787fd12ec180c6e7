//! Reading `match` blocks.

use http::HeaderName;

use super::matching::{HeaderMatch, MatchedName, RequestMatch, StringMatch, UriMatch};
use super::pattern::Pattern;
use crate::object::virtual_service::HttpMatch;
use crate::text::{Fields, Value};

/// Reads one block of `match`.
pub(crate) fn read_block(value: &Value<'_>) -> Option<HttpMatch> {
    value.fields(|fields| {
        fields.accept(&["statPrefix"]);
        let ignore_uri_case = ignores_case(fields);
        HttpMatch {
            mark: fields.value().mark(),
            name: fields.get("name").and_then(|v| v.text()),
            ignore_uri_case,
            port: fields.get("port").and_then(|v| v.port()),
            gateways: fields.get("gateways").map(|v| v.texts()).unwrap_or_default(),
            source_labels: fields
                .get("sourceLabels")
                .map(|v| v.text_map())
                .unwrap_or_default(),
            source_namespace: fields.get("sourceNamespace").and_then(|v| v.text()),
            request: read_request(fields, ignore_uri_case),
        }
    })
}

fn ignores_case(fields: &mut Fields<'_>) -> bool {
    fields
        .get("ignoreUriCase")
        .and_then(|v| v.boolean())
        .unwrap_or(false)
}

fn read_request(fields: &mut Fields<'_>, ignore_case: bool) -> RequestMatch {
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
            .map(|v| read_headers(&v, false))
            .unwrap_or_default(),
        without_headers: fields
            .get("withoutHeaders")
            .map(|v| read_headers(&v, true))
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

fn read_headers(value: &Value<'_>, without: bool) -> Vec<HeaderMatch> {
    let mut conditions = Vec::new();
    for (key, value) in value.entries() {
        let Some(name) = matched_name(&key.value) else {
            value.problem(format!("`{}` is not a header name", key.value));
            continue;
        };
        // The one regex that does not compile and is allowed here all the same: present.
        let star = without && value.to_json() == serde_json::json!({"regex": "*"});
        let condition = if star { None } else { read_text(&value, false) };
        conditions.push(HeaderMatch {
            name,
            value: condition,
        });
    }
    conditions
}

fn matched_name(name: &str) -> Option<MatchedName> {
    Some(match name {
        ":method" => MatchedName::Method,
        ":authority" => MatchedName::Authority,
        ":scheme" => MatchedName::Scheme,
        ":path" => MatchedName::Path,
        name if name.eq_ignore_ascii_case("host") => MatchedName::Authority,
        name => MatchedName::Header(HeaderName::from_bytes(name.as_bytes()).ok()?),
    })
}
