//! Redirects: answers that name another URL.

use super::headers::HeaderRules;
use super::matching::{RequestHead, RequestMatch};
use super::rewrite;
use crate::text::Value;

/// `redirect` of a route, compiled for the port that the client dialled. Source: istiod's `ApplyRedirect`, Envoy's
/// `newUri`.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    scheme: Option<String>,
    authority: Option<String>,
    /// `None`: that of the Host header stays.
    port: Option<u16>,
    path: NewPath,
    /// The Host header stays as it is, `:80` included.
    keeps_host: bool,
    /// Of the route; only those on responses matter.
    pub headers: HeaderRules,
}

#[derive(Clone, Debug)]
enum NewPath {
    Same,
    /// Replaces the path; the query stays unless this has one.
    Whole(String),
    /// Replaces the text that the match found.
    Prefix(String),
}

/// `redirect` as written.
#[derive(Clone, Debug)]
pub struct WrittenRedirect {
    status: u16,
    scheme: Option<String>,
    authority: Option<String>,
    port: Option<WrittenPort>,
    path: NewPath,
}

#[derive(Clone, Copy, Debug)]
enum WrittenPort {
    Number(u16),
    /// `FROM_REQUEST_PORT`: the port of the listener.
    OfRequest,
}

impl WrittenRedirect {
    /// For a listener's port. A port that the scheme implies is left out, and then that of the Host header stays.
    pub(crate) fn compile(&self, listener: u16, headers: HeaderRules) -> Redirect {
        let port = self.port.map(|port| match port {
            WrittenPort::Number(port) => port,
            WrittenPort::OfRequest => listener,
        });
        let implied = if self.scheme.as_deref() == Some("https") {
            443
        } else {
            80
        };
        Redirect {
            status: self.status,
            scheme: self.scheme.clone(),
            authority: self.authority.clone(),
            port: port.filter(|port| *port != implied && *port != 0),
            path: self.path.clone(),
            keeps_host: false,
            headers,
        }
    }
}

impl Redirect {
    /// The same URL with `https`: what a virtual host that requires TLS answers. The Host stays, as recorded.
    pub(crate) fn to_https() -> Self {
        Redirect {
            status: 301,
            scheme: Some("https".to_owned()),
            authority: None,
            port: None,
            path: NewPath::Same,
            keeps_host: true,
            headers: HeaderRules::default(),
        }
    }

    /// The `location` for a request.
    #[must_use]
    pub fn location(&self, matcher: &RequestMatch, request: &RequestHead<'_>) -> String {
        let scheme = self.scheme.as_deref().unwrap_or(request.scheme);
        let host = match &self.authority {
            Some(authority) => authority,
            None if self.keeps_host => request.authority,
            None => host_of(request, scheme, self.port.is_some()),
        };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let path = self.path(matcher, request.path);
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("{scheme}://{host}{port}{slash}{path}")
    }

    fn path(&self, matcher: &RequestMatch, path: &str) -> String {
        match &self.path {
            NewPath::Same => path.to_owned(),
            NewPath::Whole(uri) if uri.contains('?') => uri.clone(),
            NewPath::Whole(uri) => {
                let query = path.find('?').map_or("", |at| &path[at..]);
                format!("{uri}{query}")
            }
            NewPath::Prefix(prefix) => rewrite::replace_matched(prefix, matcher, path),
        }
    }
}

/// The Host header. Its port goes when another one is set, and when it is the one that the scheme implied which the
/// redirect leaves.
fn host_of<'r>(request: &RequestHead<'r>, scheme: &str, other_port: bool) -> &'r str {
    let host = request.authority;
    let colon = if host.starts_with('[') {
        host.rfind("]:").map(|at| at + 1)
    } else {
        host.rfind(':')
    };
    let Some(colon) = colon else { return host };
    let left = scheme != request.scheme
        && matches!(
            (request.scheme, &host[colon..]),
            ("http", ":80") | ("https", ":443")
        );
    if other_port || left { &host[..colon] } else { host }
}

/// The URL of a request, as a direct response with 201 or a 3xx names it.
#[must_use]
pub fn own_location(request: &RequestHead<'_>) -> String {
    format!("{}://{}{}", request.scheme, request.authority, request.path)
}

/// Reads `redirect`.
pub(crate) fn read(value: &Value<'_>) -> Option<WrittenRedirect> {
    value.fields(|fields| {
        fields.at_most_one(&["port", "derivePort"]);
        let mut text = |name| {
            fields
                .get(name)
                .and_then(|v| v.text())
                .filter(|text| !text.is_empty())
        };
        let (uri, prefix) = (text("uri"), text("prefixRewrite"));
        let authority = text("authority");
        let scheme = fields.get("scheme").and_then(|v| read_scheme(&v));
        let number = fields.get("port").map(|v| (v.uint32(), v));
        let derived = fields.get("derivePort").map(|v| read_derived(&v));
        let port_given = number.is_some() || derived.is_some();
        let status = fields.get("redirectCode").map_or(301, |v| read_code(&v));
        if uri.is_some() && prefix.is_some() {
            fields
                .value()
                .problem("only one of uri, prefixRewrite may be given");
        }
        if uri.is_none() && prefix.is_none() && authority.is_none() && scheme.is_none() && !port_given {
            fields.value().problem(
                "changes nothing: needs one of uri, prefixRewrite, authority, port, derivePort, scheme",
            );
        }
        let port = number.and_then(|(number, at)| {
            let port = u16::try_from(number?);
            if port.is_err() {
                at.problem("a port is at most 65535");
            }
            port.ok().map(WrittenPort::Number)
        });
        WrittenRedirect {
            status,
            scheme,
            authority,
            port: port.or(derived.flatten()),
            path: uri
                .map(NewPath::Whole)
                .or(prefix.map(NewPath::Prefix))
                .unwrap_or(NewPath::Same),
        }
    })
}

fn read_scheme(value: &Value<'_>) -> Option<String> {
    let scheme = value.text()?;
    if !matches!(scheme.as_str(), "" | "http" | "https") {
        value.problem(format!("the scheme `{scheme}` is neither http nor https"));
    }
    Some(scheme).filter(|scheme| !scheme.is_empty())
}

/// `None` for the protocol's default, which sets no port.
fn read_derived(value: &Value<'_>) -> Option<WrittenPort> {
    value.choice(&[
        ("FROM_PROTOCOL_DEFAULT", None),
        ("FROM_REQUEST_PORT", Some(WrittenPort::OfRequest)),
    ])?
}

fn read_code(value: &Value<'_>) -> u16 {
    let Some(code) = value.uint32() else {
        return 301;
    };
    match code {
        0 => 301,
        301 | 302 | 303 | 307 | 308 => u16::try_from(code).unwrap_or(301),
        300..=399 => {
            value.envoy_refuses(&format!(
                "Envoy has no redirect with {code}; it takes 301, 302, 303, 307, 308"
            ));
            301
        }
        _ => {
            value.problem(format!("{code} is not a redirect code, which are 3xx"));
            301
        }
    }
}

impl WrittenRedirect {
    /// Whether it needs all matches to be on a prefix of the path.
    pub(crate) fn rewrites_prefix(&self) -> bool {
        matches!(self.path, NewPath::Prefix(_))
    }
}
