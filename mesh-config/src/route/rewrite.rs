//! Rewriting of path and authority.

use http::HeaderValue;

use super::matching::{RequestMatch, StringMatch};
use super::pattern::Pattern;
use crate::text::Value;

/// `rewrite` of a route, compiled.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {
    path: Option<PathRewrite>,
    /// Replaces the Host literally.
    pub(crate) authority: Option<HeaderValue>,
}

#[derive(Clone, Debug)]
enum PathRewrite {
    /// Replaces what the match found: the prefix, or the whole path for exact and regex.
    Matched(String),
    /// Every match of the pattern; `\1` is the first group.
    Regex(Pattern, String),
}

impl Rewrite {
    /// The path and query to send, `None` when nothing is rewritten.
    pub(crate) fn path(&self, matcher: &RequestMatch, path_and_query: &str) -> Option<String> {
        let split = path_and_query.find('?').unwrap_or(path_and_query.len());
        let (path, query) = path_and_query.split_at(split);
        let new = match self.path.as_ref()? {
            PathRewrite::Matched(uri) => {
                return Some(replace_matched(uri, matcher, path_and_query)).filter(|new| !new.is_empty());
            }
            PathRewrite::Regex(pattern, replacement) => replace_all(pattern, replacement, path),
        };
        (!new.is_empty()).then(|| new + query)
    }
}

/// Replaces what the match found. Textual, without repairing slashes, as in Envoy: the prefix, the whole path for exact
/// and regex, and without a condition on the path its leading slash only. The query stays.
pub(crate) fn replace_matched(text: &str, matcher: &RequestMatch, path_and_query: &str) -> String {
    let split = path_and_query.find('?').unwrap_or(path_and_query.len());
    let (path, query) = path_and_query.split_at(split);
    let matched = match matcher.uri.as_ref().map(|uri| &uri.text) {
        Some(StringMatch::Prefix(prefix)) => prefix.len(),
        Some(StringMatch::Exact(_) | StringMatch::Regex(_)) => path.len(),
        None => 1,
    };
    format!("{text}{}{query}", path.get(matched..).unwrap_or_default())
}

/// Replaces every match. A replacement that names a group the pattern lacks leaves the path as it is (RE2's
/// `GlobalReplace`).
fn replace_all(pattern: &Pattern, replacement: &str, path: &str) -> String {
    let groups = pattern.regex().captures_len();
    let (pieces, largest) = pieces(replacement);
    if largest >= groups {
        return path.to_owned();
    }
    let replaced = pattern
        .regex()
        .replace_all(path.as_bytes(), |found: &regex::bytes::Captures<'_>| {
            let mut text = Vec::new();
            for (literal, group) in &pieces {
                text.extend_from_slice(literal.as_bytes());
                if let Some(found) = group.and_then(|group| found.get(group)) {
                    text.extend_from_slice(found.as_bytes());
                }
            }
            text
        });
    String::from_utf8_lossy(&replaced).into_owned()
}

/// Literal texts, each followed by a group, and the largest group; `\\` is a backslash. As in RE2 a stray backslash ends
/// the text, though groups after it count as named.
fn pieces(replacement: &str) -> (Vec<(String, Option<usize>)>, usize) {
    let mut pieces = Vec::new();
    let (mut literal, mut largest, mut ended) = (String::new(), 0, false);
    let mut characters = replacement.chars();
    while let Some(character) = characters.next() {
        let escaped = (character == '\\').then(|| characters.next());
        let group = escaped
            .flatten()
            .and_then(|escaped| escaped.to_digit(10))
            .map(|digit| digit as usize);
        largest = largest.max(group.unwrap_or(0));
        match (escaped, group) {
            _ if ended => {}
            (None, _) => literal.push(character),
            (_, Some(group)) => pieces.push((std::mem::take(&mut literal), Some(group))),
            (Some(Some('\\')), _) => literal.push('\\'),
            _ => ended = true,
        }
    }
    pieces.push((literal, None));
    (pieces, largest)
}

/// Reads `rewrite`.
pub(crate) fn read(value: &Value<'_>) -> Option<Rewrite> {
    value.fields(|fields| {
        let uri = fields
            .get("uri")
            .and_then(|v| v.text())
            .filter(|uri| !uri.is_empty());
        let regex = fields.get("uriRegexRewrite").map(|v| (read_regex(&v), v));
        let authority = fields.get("authority").and_then(|v| {
            let text = v.text().filter(|text| !text.is_empty())?;
            HeaderValue::from_bytes(text.as_bytes())
                .map_err(|_| v.envoy_refuses("control characters cannot be part of a host"))
                .ok()
        });
        if uri.is_some() && regex.is_some() {
            fields
                .value()
                .problem("only one of uri, uriRegexRewrite may be given");
        }
        let host = fields
            .value()
            .field("authority")
            .is_some_and(|v| v.to_json() != "");
        if uri.is_none() && regex.is_none() && !host {
            fields
                .value()
                .problem("needs one of uri, uriRegexRewrite and authority");
        }
        let path = uri
            .map(PathRewrite::Matched)
            .or_else(|| regex.and_then(|(regex, _)| regex));
        Rewrite { path, authority }
    })
}

fn read_regex(value: &Value<'_>) -> Option<PathRewrite> {
    value.fields(|fields| {
        let pattern = fields
            .needed("match")
            .and_then(|v| Pattern::read(&v, Pattern::anywhere));
        let replacement = fields.needed("rewrite").and_then(|v| {
            let text = v.text()?;
            if text.is_empty() {
                v.problem("an empty text counts as missing");
            }
            Some(text)
        });
        Some(PathRewrite::Regex(pattern?, replacement?))
    })?
}
