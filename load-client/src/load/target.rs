//! Where requests go: the address that is dialled, the URI of the request line, the Host.

use std::net::SocketAddr;

use http::{HeaderValue, Uri};

/// A URL that load cannot be sent to.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTarget {
    /// Not a URL, or one without scheme or host.
    #[error("`{url}` is not a URL of the form http://HOST[:PORT]/PATH: {reason}")]
    NotAUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS is not spoken.
    #[error(
        "`{url}`: only http:// is supported; use the plain HTTP port, or a proxy that adds TLS (--proxy)"
    )]
    Https {
        /// As given.
        url: String,
    },
    /// `user:password@host`.
    #[error("`{url}`: credentials in a URL are not sent; use -H 'authorization: ...'")]
    Credentials {
        /// As given.
        url: String,
    },
}

/// The host has no address.
#[derive(Debug, thiserror::Error)]
#[error("cannot find the address of `{host}` ({reason}); correct the URL, or send through --proxy")]
pub struct Unresolved {
    host: String,
    reason: std::io::Error,
}

/// What a URL, and perhaps a proxy, mean for a connection.
#[derive(Clone, Debug)]
pub struct Target {
    host: String,
    port: u16,
    uri: Uri,
    host_header: HeaderValue,
}

impl Target {
    /// `url` is what is asked for. With `proxy` the connection goes there and the request line carries the whole
    /// URL (absolute-form, RFC 9112 section 3.2.2); without it the request line is the path (origin-form).
    ///
    /// # Errors
    /// Either is not an `http://` URL with a host.
    pub fn new(url: &str, proxy: Option<&str>) -> Result<Self, InvalidTarget> {
        let uri = parse(url)?;
        let dialled = proxy.map(parse).transpose()?;
        let (host, port) = host_and_port(dialled.as_ref().unwrap_or(&uri));
        let (name, asked) = host_and_port(&uri);
        let bracketed = if name.contains(':') {
            format!("[{name}]")
        } else {
            name
        };
        let host_header = if asked == 80 {
            bracketed
        } else {
            format!("{bracketed}:{asked}")
        };
        let host_header =
            HeaderValue::try_from(host_header).map_err(|error| not_a_url(url, &error.to_string()))?;
        let uri = if proxy.is_some() { uri } else { origin_form(&uri) };
        Ok(Target {
            host,
            port,
            uri,
            host_header,
        })
    }

    /// `host:port` of what is dialled, for messages.
    #[must_use]
    pub fn address(&self) -> String {
        let bracketed = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!("{bracketed}:{}", self.port)
    }

    /// The URI of the request line.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The Host of the URL, without the port if it is 80.
    pub(super) fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// Every address of the host. Asked once per run: a lookup per connection would measure the resolver.
    pub(super) async fn resolve(&self) -> Result<Vec<SocketAddr>, Unresolved> {
        let unresolved = |reason| Unresolved {
            host: self.host.clone(),
            reason,
        };
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        Ok(found.map_err(unresolved)?.collect())
    }
}

fn parse(url: &str) -> Result<Uri, InvalidTarget> {
    let uri: Uri = url
        .parse()
        .map_err(|error: http::uri::InvalidUri| not_a_url(url, &error.to_string()))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(InvalidTarget::Https { url: url.to_owned() }),
        Some(other) => return Err(not_a_url(url, &format!("the scheme is `{other}`"))),
        None => return Err(not_a_url(url, "it has no scheme")),
    }
    let authority = uri
        .authority()
        .map(http::uri::Authority::as_str)
        .unwrap_or_default();
    if authority.contains('@') {
        return Err(InvalidTarget::Credentials { url: url.to_owned() });
    }
    Ok(uri)
}

fn not_a_url(url: &str, reason: &str) -> InvalidTarget {
    InvalidTarget::NotAUrl {
        url: url.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The host without the brackets of an IPv6 address, and the port, 80 if none is written.
fn host_and_port(uri: &Uri) -> (String, u16) {
    let host = uri.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    (bare.unwrap_or(host).to_owned(), uri.port_u16().unwrap_or(80))
}

fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query()
        .cloned()
        .map_or_else(|| Uri::from_static("/"), Uri::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direct_request_line_is_the_path() {
        let target = Target::new("http://shop.example:8080/a?b=c", None).unwrap();
        assert_eq!(target.uri(), "/a?b=c");
        assert_eq!(target.host_header(), "shop.example:8080");
        assert_eq!(target.address(), "shop.example:8080");
    }

    #[test]
    fn a_proxied_request_line_is_the_whole_url_and_the_proxy_is_dialled() {
        let target = Target::new("http://shop.example/a", Some("http://127.0.0.1:15001")).unwrap();
        assert_eq!(target.uri(), "http://shop.example/a");
        assert_eq!(target.host_header(), "shop.example");
        assert_eq!(target.address(), "127.0.0.1:15001");
    }

    #[test]
    fn the_default_port_is_not_named_and_no_path_is_the_root() {
        let target = Target::new("http://[::1]:80", None).unwrap();
        assert_eq!(target.uri(), "/");
        assert_eq!(target.host_header(), "[::1]");
        assert_eq!(target.address(), "[::1]:80");
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused_with_advice() {
        let message = |url| Target::new(url, None).unwrap_err().to_string();
        assert!(message("https://shop.example/").contains("only http:// is supported"));
        assert!(message("shop.example").contains("it has no scheme"));
        assert!(message("ftp://shop.example/").contains("the scheme is `ftp`"));
        assert!(message("http://me:secret@shop.example/").contains("-H 'authorization"));
        assert!(message("http://").contains("http://HOST[:PORT]/PATH"));
    }
}
