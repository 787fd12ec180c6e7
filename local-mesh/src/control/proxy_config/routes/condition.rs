//! What a request must be like.

use mesh_config::{HeaderMatch, RequestMatch, StringMatch};
use serde_json::{Map, Value, json};

/// Columns that it may take.
const WIDTH: usize = 20;

/// The path as istioctl writes it (`/api*`), and what else is looked at: `/* +x-canary`.
pub(super) fn summary(matcher: &RequestMatch) -> String {
    let mut text = match matcher.uri.as_ref().map(|uri| &uri.text) {
        None => "/*".to_owned(),
        Some(StringMatch::Exact(path)) => path.clone(),
        Some(StringMatch::Prefix(path)) => format!("{path}*"),
        Some(StringMatch::Regex(pattern)) => format!("~{}", pattern.source()),
    };
    let named = [
        ("method", &matcher.method),
        ("scheme", &matcher.scheme),
        ("authority", &matcher.authority),
    ];
    let named = named.into_iter().filter(|(_, condition)| condition.is_some());
    let headers = matcher.headers.iter().map(|header| header.name.to_string());
    let without = matcher
        .without_headers
        .iter()
        .map(|header| format!("!{}", header.name));
    let query = matcher.query.iter().map(|(name, _)| format!("?{name}"));
    for other in named
        .map(|(name, _)| name.to_owned())
        .chain(headers)
        .chain(without)
        .chain(query)
    {
        text.push_str(" +");
        text.push_str(&other);
    }
    if text.chars().count() > WIDTH {
        text = text.chars().take(WIDTH - 1).chain(['…']).collect();
    }
    text
}

/// All conditions, in the words of a VirtualService; those that are not there are `null` or empty.
pub(super) fn full(matcher: &RequestMatch) -> Value {
    let text = |condition: &Option<StringMatch>| condition.as_ref().map(|text| Value::from(words(text)));
    let headers = |list: &[HeaderMatch]| {
        let each = list
            .iter()
            .map(|header| named(&header.name.to_string(), header.value.as_ref()));
        each.collect::<Vec<_>>()
    };
    let query = matcher
        .query
        .iter()
        .map(|(name, value)| named(name, value.as_ref()));
    json!({
        "uri": matcher.uri.as_ref().map(|uri| Value::from(words(&uri.text))),
        "ignoreUriCase": matcher.uri.as_ref().is_some_and(|uri| uri.ignore_case),
        "method": text(&matcher.method),
        "scheme": text(&matcher.scheme),
        "authority": text(&matcher.authority),
        "headers": headers(&matcher.headers),
        "withoutHeaders": headers(&matcher.without_headers),
        "queryParams": query.collect::<Vec<_>>(),
    })
}

/// Without a value it is enough that the thing is there.
fn named(name: &str, value: Option<&StringMatch>) -> Value {
    let mut fields = value.map_or_else(|| Map::from_iter([("present".to_owned(), true.into())]), words);
    fields.insert("name".to_owned(), name.into());
    Value::Object(fields)
}

fn words(condition: &StringMatch) -> Map<String, Value> {
    let (word, text) = match condition {
        StringMatch::Exact(text) => ("exact", text.as_str()),
        StringMatch::Prefix(text) => ("prefix", text.as_str()),
        StringMatch::Regex(pattern) => ("regex", pattern.source()),
    };
    Map::from_iter([(word.to_owned(), text.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_what_is_looked_at_and_fits() {
        let header = |name| HeaderMatch {
            name: mesh_config::MatchedName::Header(http::HeaderName::from_static(name)),
            value: None,
        };
        let mut matcher = RequestMatch::default();
        assert_eq!(summary(&matcher), "/*");
        matcher.headers.push(header("x-canary"));
        assert_eq!(summary(&matcher), "/* +x-canary");
        matcher.query.push(("version".to_owned(), None));
        assert_eq!(summary(&matcher), "/* +x-canary +?vers…");
        let conditions = full(&matcher);
        assert_eq!(
            conditions["headers"][0],
            json!({"name": "x-canary", "present": true})
        );
        assert_eq!(conditions["queryParams"][0]["name"], "version");
        assert_eq!(conditions["uri"], Value::Null);
    }
}
