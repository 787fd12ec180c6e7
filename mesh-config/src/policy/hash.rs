//! Consistent hashing: what of a request is hashed, and to which number.
//!
//! Source: Envoy's `hash_policy.cc`: xxHash64 of the value, several keys combined by `rotate(hash, 1) ^ next`.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use http::header::COOKIE;
use http::{HeaderMap, HeaderName};
use twox_hash::XxHash64;

use crate::text::Value;

/// What of a request decides its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// The values of a header. `None`: a name that no request can carry.
    Header(Option<HeaderName>),
    /// The value of a cookie, which the proxy makes if it has a `ttl`.
    Cookie(HashCookie),
    /// The client's address.
    SourceIp,
    /// The first value of a query parameter, as written.
    Query(String),
}

/// `httpCookie`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashCookie {
    /// Name of the cookie.
    pub name: String,
    /// `Path` of a cookie that is made.
    pub path: Option<String>,
    /// Seconds that a cookie that is made lives; 0: as long as the client's session. `None`: none is made.
    pub ttl: Option<i64>,
    /// Further attributes of a cookie that is made; those without a value are `None`.
    pub attributes: Vec<(String, Option<String>)>,
}

/// The parts of a request that can be hashed.
#[derive(Clone, Copy, Debug)]
pub struct HashInput<'a> {
    /// As they arrived.
    pub headers: &'a HeaderMap,
    /// With query.
    pub path: &'a str,
    /// The client.
    pub source: IpAddr,
}

/// The hash of a text, as Envoy computes it.
#[must_use]
pub fn hash_of(text: &[u8]) -> u64 {
    XxHash64::oneshot(0, text)
}

impl HashKey {
    /// The hash of a request; `None` when it lacks what is hashed.
    #[must_use]
    pub fn hash(&self, input: &HashInput<'_>) -> Option<u64> {
        match self {
            HashKey::Header(name) => of_header(input.headers, name.as_ref()?),
            HashKey::Cookie(cookie) => cookie.value(input.headers).map(|value| hash_of(value.as_bytes())),
            HashKey::SourceIp => Some(hash_of(input.source.to_string().as_bytes())),
            HashKey::Query(name) => of_query(input.path, name),
        }
    }

    /// Adds the hash of one more key to that of those before.
    #[must_use]
    pub fn combine(before: Option<u64>, next: u64) -> u64 {
        before.map_or(0, |before| before.rotate_left(1)) ^ next
    }
}

/// Of several values each is hashed with the hash of those before as its seed, in the order of their texts.
fn of_header(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    let mut values: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(|value| value.as_bytes())
        .collect();
    values.sort_unstable();
    values.iter().fold(None, |seed: Option<u64>, value| {
        Some(XxHash64::oneshot(seed.unwrap_or(0), value))
    })
}

fn of_query(path: &str, name: &str) -> Option<u64> {
    let (_, query) = path.split_once('?')?;
    let mut pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(hash_of(value.as_bytes()))
}

impl HashCookie {
    /// The value of this cookie in a request, without quotes; `None` if it is not there or empty.
    #[must_use]
    pub fn value<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let lines = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok());
        let mut cookies = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|one| one.trim().split_once('='));
        let (_, value) = cookies.find(|(name, _)| *name == self.name)?;
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        Some(unquoted.unwrap_or(value)).filter(|value| !value.is_empty())
    }

    /// The `set-cookie` header for a value that was made.
    #[must_use]
    pub fn set_cookie(&self, value: &str) -> String {
        use fmt::Write as _;
        let mut text = format!("{}=\"{value}\"", self.name);
        // Writing to a String cannot fail.
        if let Some(seconds) = self.ttl.filter(|seconds| *seconds != 0) {
            let _ = write!(text, "; Max-Age={seconds}");
        }
        if let Some(path) = &self.path {
            let _ = write!(text, "; Path={path}");
        }
        for (name, value) in &self.attributes {
            let _ = match value {
                Some(value) => write!(text, "; {name}={value}"),
                None => write!(text, "; {name}"),
            };
        }
        text.push_str("; HttpOnly");
        text
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HashKey::Header(Some(name)) => write!(f, "header {name}"),
            HashKey::Header(None) => f.write_str("a header that no request can carry"),
            HashKey::Cookie(cookie) => write!(f, "cookie {}", cookie.name),
            HashKey::SourceIp => f.write_str("source IP"),
            HashKey::Query(name) => write!(f, "query parameter {name}"),
        }
    }
}

/// Reads the key of a `consistentHash` block; `None` if it names none.
pub(crate) fn read(fields: &mut crate::text::Fields<'_>) -> Option<HashKey> {
    fields.at_most_one(&[
        "httpHeaderName",
        "httpCookie",
        "useSourceIp",
        "httpQueryParameterName",
    ]);
    let header = fields.get("httpHeaderName").and_then(|v| v.text());
    let cookie = fields.get("httpCookie").and_then(|v| read_cookie(&v));
    let source = fields.get("useSourceIp").and_then(|v| v.boolean());
    let query = fields.get("httpQueryParameterName").and_then(|v| v.text());
    let header = header.map(|name| HashKey::Header(HeaderName::from_bytes(name.as_bytes()).ok()));
    header
        .or(cookie.map(HashKey::Cookie))
        .or(query.map(HashKey::Query))
        .or((source == Some(true)).then_some(HashKey::SourceIp))
}

fn read_cookie(value: &Value<'_>) -> Option<HashCookie> {
    value.fields(|fields| {
        let name = fields.required("name").and_then(|v| {
            let name = v.text()?;
            if name.is_empty() {
                v.problem("a cookie needs a name");
            }
            Some(name)
        });
        let attributes = fields.get("attributes").map(|v| v.list()).unwrap_or_default();
        HashCookie {
            name: name.unwrap_or_default(),
            path: fields
                .get("path")
                .and_then(|v| v.text())
                .filter(|path| !path.is_empty()),
            // Unlike other durations it may be nothing, or less.
            ttl: fields
                .get("ttl")
                .and_then(|v| v.any_duration())
                .map(|nanoseconds| nanoseconds / 1_000_000_000),
            attributes: read_attributes(&attributes),
        }
    })
}

fn read_attributes(list: &[Value<'_>]) -> Vec<(String, Option<String>)> {
    let mut names = BTreeSet::new();
    let mut attributes = Vec::new();
    for entry in list {
        let read = entry.fields(|fields| {
            let name = fields.required("name").map_or(Some(String::new()), |v| v.text());
            let value = fields.get("value").and_then(|v| v.text());
            (name, value.filter(|value| !value.is_empty()))
        });
        let Some((Some(name), value)) = read else { continue };
        if name.is_empty() {
            entry.problem("an attribute of a cookie needs a name");
        } else if !names.insert(name.clone()) {
            entry.problem(format!("the attribute `{name}` was given before"));
        }
        attributes.push((name, value));
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in list {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn hash(key: &HashKey, list: &[(&'static str, &'static str)], path: &str) -> Option<u64> {
        key.hash(&HashInput {
            headers: &headers(list),
            path,
            source: IpAddr::from([127, 0, 0, 1]),
        })
    }

    #[test]
    fn a_header_is_hashed_as_envoy_does_and_its_absence_is_no_hash() {
        let key = HashKey::Header(Some(HeaderName::from_static("x-user")));
        // The test vector of xxHash64 for the empty input.
        assert_eq!(hash(&key, &[("x-user", "")], "/"), Some(0xef46_db37_51d8_e999));
        assert_eq!(hash(&key, &[("x-user", "ana")], "/"), Some(hash_of(b"ana")));
        assert_eq!(hash(&key, &[], "/"), None);
    }

    #[test]
    fn the_order_of_several_header_lines_does_not_count() {
        let key = HashKey::Header(Some(HeaderName::from_static("x-user")));
        let one = hash(&key, &[("x-user", "ana"), ("x-user", "cleo")], "/");
        let other = hash(&key, &[("x-user", "cleo"), ("x-user", "ana")], "/");
        assert_eq!(one, other);
        assert_ne!(one, hash(&key, &[("x-user", "anacleo")], "/"));
    }

    #[test]
    fn quotes_of_a_cookie_and_later_query_values_do_not_count() {
        let cookie = HashKey::Cookie(HashCookie {
            name: "session".to_owned(),
            ..HashCookie::default()
        });
        let quoted = hash(&cookie, &[("cookie", "a=b; session=\"x\"")], "/");
        assert_eq!(quoted, Some(hash_of(b"x")));
        let query = HashKey::Query("user".to_owned());
        assert_eq!(hash(&query, &[], "/?user=ana&user=bob"), Some(hash_of(b"ana")));
        assert_eq!(hash(&query, &[], "/?other=ana"), None);
    }

    #[test]
    fn equal_keys_do_not_cancel_each_other_out() {
        assert_eq!(HashKey::combine(None, 5), 5);
        assert_eq!(HashKey::combine(Some(5), 5), 15);
    }

    #[test]
    fn a_made_cookie_has_its_attributes_in_envoys_order() {
        let cookie = HashCookie {
            name: "session".to_owned(),
            path: Some("/pay".to_owned()),
            ttl: Some(60),
            attributes: vec![
                ("SameSite".to_owned(), Some("Strict".to_owned())),
                ("Secure".to_owned(), None),
            ],
        };
        assert_eq!(
            cookie.set_cookie("00ff"),
            "session=\"00ff\"; Max-Age=60; Path=/pay; SameSite=Strict; Secure; HttpOnly"
        );
        let session = HashCookie {
            ttl: Some(0),
            path: None,
            attributes: Vec::new(),
            ..cookie
        };
        assert_eq!(session.set_cookie("1"), "session=\"1\"; HttpOnly");
    }
}
