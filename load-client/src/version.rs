//! Reads from an answer which version served it.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

use http::{HeaderMap, HeaderName};
use regex::bytes::Regex;

use crate::outcome::Hop;

/// The header that names every hop, the service that answered the client first.
const SERVED_BY: &str = "x-served-by";

/// More different values than a mesh has instances mean that the source is not a version (a request id, say);
/// remembering them all would only use memory.
const MOST_REMEMBERED: usize = 10_000;

/// Where an answer says which version it is from (`--version-from`).
#[derive(Clone, Debug)]
pub enum VersionSource {
    /// `header:x-served-by`: `service/version/instance, service/version/instance, ...`.
    Hops(HeaderName),
    /// `header:NAME`: the whole value is the version.
    Header(HeaderName),
    /// `json:/POINTER` into the body (RFC 6901): a string, number or boolean.
    Json(String),
    /// `regex:RE`: the first capture group, searched in the body.
    Regex(Regex),
}

/// The text is not a version source.
#[derive(Debug, thiserror::Error)]
pub enum InvalidVersionSource {
    /// Neither of the three.
    #[error("`{0}`: expected header:NAME, json:/POINTER or regex:RE")]
    Kind(String),
    /// No such header can exist.
    #[error("`{0}` is not the name of a header")]
    Header(String),
    /// A JSON pointer begins with a slash.
    #[error("`{0}` is not a JSON pointer: it begins with a slash, such as /version")]
    Pointer(String),
    /// Does not compile.
    #[error("the expression does not compile: {0}")]
    Regex(#[from] regex::Error),
    /// Nothing says which part is the version.
    #[error(
        "`{0}` has no capture group: put parentheses around the version, such as regex:version (v[0-9]+)"
    )]
    NoGroup(String),
}

impl FromStr for VersionSource {
    type Err = InvalidVersionSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || InvalidVersionSource::Kind(text.to_owned());
        let (kind, value) = text.split_once(':').ok_or_else(unknown)?;
        match kind {
            "header" => {
                let invalid = |_error| InvalidVersionSource::Header(value.to_owned());
                let name = HeaderName::try_from(value).map_err(invalid)?;
                Ok(if name == SERVED_BY {
                    VersionSource::Hops(name)
                } else {
                    VersionSource::Header(name)
                })
            }
            "json" if value.starts_with('/') => Ok(VersionSource::Json(value.to_owned())),
            "json" => Err(InvalidVersionSource::Pointer(value.to_owned())),
            "regex" => {
                let regex = Regex::new(value)?;
                match regex.captures_len() {
                    0 | 1 => Err(InvalidVersionSource::NoGroup(value.to_owned())),
                    _ => Ok(VersionSource::Regex(regex)),
                }
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for VersionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VersionSource::Hops(name) | VersionSource::Header(name) => write!(f, "header:{name}"),
            VersionSource::Json(pointer) => write!(f, "json:{pointer}"),
            VersionSource::Regex(regex) => write!(f, "regex:{regex}"),
        }
    }
}

/// Reads versions, each different value once: equal values share one list of hops.
#[derive(Debug)]
pub struct VersionReader {
    source: VersionSource,
    seen: HashMap<Box<[u8]>, Option<Rc<[Hop]>>>,
}

impl VersionReader {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(source: VersionSource) -> Self {
        VersionReader {
            source,
            seen: HashMap::new(),
        }
    }

    /// Is the body needed? Otherwise it need not be kept.
    #[must_use]
    pub fn reads_body(&self) -> bool {
        matches!(self.source, VersionSource::Json(_) | VersionSource::Regex(_))
    }

    /// Who served the answer; `None` if it does not say.
    pub fn read(&mut self, headers: &HeaderMap, body: &[u8]) -> Option<Rc<[Hop]>> {
        match &self.source {
            VersionSource::Hops(name) => {
                let value = headers.get(name)?.as_bytes();
                remembered(&mut self.seen, value, parse_hops)
            }
            VersionSource::Header(name) => {
                let value = headers.get(name)?.as_bytes();
                remembered(&mut self.seen, value, one_hop)
            }
            VersionSource::Json(pointer) => {
                let document: serde_json::Value = serde_json::from_slice(body).ok()?;
                let value = match document.pointer(pointer)? {
                    serde_json::Value::String(text) => text.clone(),
                    value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => value.to_string(),
                    _ => return None,
                };
                remembered(&mut self.seen, value.as_bytes(), one_hop)
            }
            VersionSource::Regex(regex) => {
                let value = regex.captures(body)?.get(1)?.as_bytes();
                remembered(&mut self.seen, value, one_hop)
            }
        }
    }
}

fn remembered(
    seen: &mut HashMap<Box<[u8]>, Option<Rc<[Hop]>>>,
    value: &[u8],
    parse: impl FnOnce(&str) -> Option<Rc<[Hop]>>,
) -> Option<Rc<[Hop]>> {
    if let Some(known) = seen.get(value) {
        return known.clone();
    }
    let hops = std::str::from_utf8(value).ok().and_then(parse);
    if seen.len() < MOST_REMEMBERED {
        seen.insert(value.into(), hops.clone());
    }
    hops
}

/// All elements are `service/version/instance`, or it is not this header's format.
fn parse_hops(text: &str) -> Option<Rc<[Hop]>> {
    let hop = |element: &str| {
        let mut parts = element.trim().splitn(3, '/').map(str::to_owned);
        let hop = Hop {
            service: parts.next()?,
            version: parts.next()?,
            instance: parts.next()?,
        };
        (!hop.service.is_empty() && !hop.version.is_empty()).then_some(hop)
    };
    text.split(',').map(hop).collect()
}

fn one_hop(text: &str) -> Option<Rc<[Hop]>> {
    let version = text.trim();
    let hop = Hop {
        service: String::new(),
        version: version.to_owned(),
        instance: String::new(),
    };
    (!version.is_empty()).then(|| Rc::from([hop]))
}
