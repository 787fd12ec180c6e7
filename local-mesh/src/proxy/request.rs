//! What a client asks for: host, port and path of a request, or why it cannot be taken.

use std::borrow::Cow;

use http::header::HOST;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Version};
use mesh_config::normalise_path;

use super::Dialled;
use super::codec::Seen;
use super::refusal::{self, LARGEST_HEAD};
use super::reply::LocalReply;
use super::target::Target;

/// The parts of a request that routing looks at besides its headers.
pub(super) struct Asked {
    /// The port that the client wants to reach.
    pub(super) port: u16,
    /// The Host, as written; of an absolute-form target its authority.
    pub(super) authority: HeaderValue,
    /// Normalised path with query.
    pub(super) path: Target,
}

/// What the socket showed of a request's head, besides what hyper made of it.
#[derive(Default)]
pub(super) struct Head {
    /// In bytes, about.
    size: usize,
    /// The target, where hyper was given another one.
    target: Option<String>,
}

impl Head {
    /// Of the request that hyper has just understood.
    pub(super) fn of(seen: &Seen, parts: &Parts, has_body: bool) -> Self {
        let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let (size, target) = seen.understood(target, has_body);
        Head { size, target }
    }

    /// Whether the headers are more than Envoy takes.
    fn is_too_large(&self, parts: &Parts) -> bool {
        let of_headers = || {
            let sizes = parts
                .headers
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len());
            sizes.sum::<usize>() + parts.uri.path_and_query().map_or(0, |path| path.as_str().len())
        };
        self.size > LARGEST_HEAD && of_headers() > LARGEST_HEAD
    }
}

impl Asked {
    /// Reads the head of a request; its `host` header is the authority afterwards.
    ///
    /// # Errors
    /// The answer to a request that Envoy refuses before it looks for a route.
    pub(super) fn read(parts: &mut Parts, head: Head, dialled: Dialled) -> Result<Asked, LocalReply> {
        if head.is_too_large(parts) {
            return Err(LocalReply::headers_too_large());
        }
        if !refusal::knows_method(&parts.method) {
            return Err(LocalReply::malformed("http1.codec_error"));
        }
        if parts.version != Version::HTTP_11 {
            return Err(LocalReply::upgrade_required());
        }
        let authority = authority(parts)?;
        let text = authority.to_str().map_err(|_| LocalReply::bad_authority())?;
        let port = match dialled {
            Dialled::Port(port) => port,
            Dialled::OfRequest => port_of(text),
        };
        if parts.method == Method::CONNECT {
            return Err(LocalReply::connect());
        }
        let path = path(parts, head.target)?;
        parts.headers.insert(HOST, authority.clone());
        Ok(Asked {
            port,
            authority,
            path,
        })
    }

    /// The authority as text.
    pub(super) fn host(&self) -> &str {
        // It was read as text already.
        self.authority.to_str().unwrap_or_default()
    }
}

/// The authority of an absolute-form target (without user information) replaces the Host header. Two Host headers
/// are one with a comma, as in Envoy.
fn authority(parts: &Parts) -> Result<HeaderValue, LocalReply> {
    if let Some(authority) = parts.uri.authority() {
        let host = authority
            .as_str()
            .rsplit_once('@')
            .map_or(authority.as_str(), |(_, host)| host);
        return HeaderValue::from_str(host).map_err(|_| LocalReply::bad_authority());
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    let first = hosts.next().ok_or_else(LocalReply::missing_host)?;
    let mut host = first.clone();
    for other in hosts {
        let joined = [host.as_bytes(), b",", other.as_bytes()].concat();
        host = HeaderValue::from_bytes(&joined).map_err(|_| LocalReply::bad_authority())?;
    }
    let bad = |byte: &u8| *byte == b' ' || *byte == b'/' || !byte.is_ascii_graphic();
    if host.as_bytes().iter().any(bad) {
        return Err(LocalReply::bad_authority());
    }
    Ok(host)
}

/// The port of an authority, 80 if it has none.
fn port_of(authority: &str) -> u16 {
    let (_, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    port.parse().unwrap_or(80)
}

/// `raw` is the target with signs that hyper did not get to see.
fn path(parts: &Parts, raw: Option<String>) -> Result<Target, LocalReply> {
    if let Some(raw) = raw {
        let normalised = normalise_path(&raw).ok_or_else(LocalReply::bad_path)?;
        return Ok(Target::of(&normalised));
    }
    let Some(path) = parts.uri.path_and_query() else {
        return Ok(PathAndQuery::from_static("/").into());
    };
    if path.as_str() == "*" {
        return Err(LocalReply::no_path());
    }
    match normalise_path(path.as_str()) {
        Some(Cow::Borrowed(same)) if same.len() == path.as_str().len() => Ok(path.clone().into()),
        Some(normalised) => Ok(Target::of(&normalised)),
        None => Err(LocalReply::bad_path()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn read(target: &str, hosts: &[&str], dialled: Dialled) -> Result<(u16, String, String), u16> {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let asked = Asked::read(&mut parts, Head::default(), dialled).map_err(|reply| reply.status)?;
        Ok((
            asked.port,
            asked.host().to_owned(),
            asked.path.as_str().to_owned(),
        ))
    }

    fn ok(port: u16, host: &str, path: &str) -> Result<(u16, String, String), u16> {
        Ok((port, host.to_owned(), path.to_owned()))
    }

    #[test]
    fn the_port_is_the_dialled_one_or_that_of_the_request() {
        let request = Dialled::OfRequest;
        assert_eq!(
            read("http://auth:8080/x?y", &[], request),
            ok(8080, "auth:8080", "/x?y")
        );
        assert_eq!(read("http://auth", &[], request), ok(80, "auth", "/"));
        assert_eq!(read("/x", &["auth:81"], request), ok(81, "auth:81", "/x"));
        assert_eq!(
            read("/x", &["auth:81"], Dialled::Port(8080)),
            ok(8080, "auth:81", "/x")
        );
    }

    #[test]
    fn an_absolute_target_wins_over_the_host_header() {
        let asked = read("http://me@auth/x", &["other"], Dialled::OfRequest);
        assert_eq!(asked, ok(80, "auth", "/x"));
    }

    #[test]
    fn requests_without_a_usable_host_or_path_are_refused() {
        let request = Dialled::OfRequest;
        assert_eq!(read("/x", &[], request), Err(400));
        assert_eq!(read("/x", &["a b"], request), Err(400));
        assert_eq!(read("/a%00", &["auth"], request), Err(400));
        assert_eq!(read("/x", &["a", "b"], request), ok(80, "a,b", "/x"));
    }

    #[test]
    fn the_path_is_normalised() {
        assert_eq!(
            read("/a/../b?c", &["auth"], Dialled::OfRequest),
            ok(80, "auth", "/b?c")
        );
    }
}
