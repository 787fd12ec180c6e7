//! What a client asks for: host, port and path of a request, or why it cannot be taken.

use std::borrow::Cow;

use http::header::{CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Version};
use mesh_config::normalise_path;

use super::Dialled;
use super::codec::{Seen, Understood};
use super::refusal::{self, LARGEST_HEAD};
use super::reply::LocalReply;
use super::target::Target;

/// The parts of a request that routing looks at besides its headers.
pub(super) struct Asked {
    /// The port that the client wants to reach.
    pub(super) port: u16,
    /// Whether the port is known by the socket alone: then nothing tells the address that the client meant.
    pub(super) by_port: bool,
    /// The Host, as written; of an absolute-form target its authority.
    pub(super) authority: HeaderValue,
    /// Normalised path with query.
    pub(super) path: Target,
}

/// What the socket showed of the head of the request that hyper has just understood.
pub(super) fn understood(seen: &Seen, parts: &Parts, has_body: bool) -> Understood {
    let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    seen.understood(target, has_body)
}

/// Whether the headers are more than Envoy takes.
fn is_too_large(head: &Understood, parts: &Parts) -> bool {
    let of_headers = || {
        let sizes = parts
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len());
        sizes.sum::<usize>() + parts.uri.path_and_query().map_or(0, |path| path.as_str().len())
    };
    head.size > LARGEST_HEAD && of_headers() > LARGEST_HEAD
}

/// How long a body is must be said once: by a length, or by chunks.
fn check_length(headers: &HeaderMap, lengths: usize) -> Result<(), LocalReply> {
    if lengths > 1 {
        return Err(LocalReply::malformed("http1.codec_error"));
    }
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(first) = encodings.next() else {
        return Ok(());
    };
    if encodings.next().is_some() || !first.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return Err(LocalReply::unknown_transfer_encoding());
    }
    if lengths > 0 {
        return Err(LocalReply::malformed(
            "http1.content_length_and_chunked_not_allowed",
        ));
    }
    Ok(())
}

impl Asked {
    /// Reads the head of a request; its `host` header is the authority afterwards.
    ///
    /// # Errors
    /// The answer to a request that Envoy refuses before it looks for a route.
    pub(super) fn read(parts: &mut Parts, head: Understood, dialled: Dialled) -> Result<Asked, LocalReply> {
        if is_too_large(&head, parts) {
            return Err(LocalReply::headers_too_large());
        }
        if !refusal::knows_method(&parts.method) {
            return Err(LocalReply::malformed("http1.codec_error"));
        }
        check_length(&parts.headers, head.lengths)?;
        if refusal::names_forbidden(&parts.headers) {
            return Err(LocalReply::malformed("http1.connection_header_rejected"));
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
        if parts.method.as_str() == "QUERY" && !parts.headers.contains_key(CONTENT_TYPE) {
            return Err(LocalReply::query_without_type());
        }
        parts.headers.insert(HOST, authority.clone());
        Ok(Asked {
            port,
            by_port: matches!(dialled, Dialled::Port(_)),
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
        let written = authority.as_str();
        let host = written.rsplit_once('@').map_or(written, |(_, host)| host);
        if parts.method != Method::CONNECT {
            check_url(parts.uri.scheme(), host)?;
        } else if parts.uri.port_u16().is_none() {
            return Err(LocalReply::malformed("http1.invalid_url"));
        }
        return HeaderValue::from_str(host).map_err(|_| LocalReply::bad_authority());
    }
    if parts.method == Method::CONNECT {
        return Err(LocalReply::malformed("http1.invalid_url"));
    }
    if refusal::names_host(&parts.headers) {
        return Err(LocalReply::missing_host());
    }
    let mut hosts = parts.headers.get_all(HOST).iter();
    let first = hosts.next().ok_or_else(LocalReply::missing_host)?;
    let mut host = first.clone();
    for other in hosts {
        let joined = [host.as_bytes(), b",", other.as_bytes()].concat();
        host = HeaderValue::from_bytes(&joined).map_err(|_| LocalReply::bad_authority())?;
    }
    if !host.as_bytes().iter().all(|byte| refusal::is_of_authority(*byte)) {
        return Err(LocalReply::bad_authority());
    }
    Ok(host)
}

/// Whether a target in absolute form is one that Envoy takes: http or https, a name or address, and perhaps a port.
fn check_url(scheme: Option<&Scheme>, host: &str) -> Result<(), LocalReply> {
    let Some(scheme) = scheme else {
        // A word without a slash.
        return Err(LocalReply::malformed("http1.codec_error"));
    };
    if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
        return Err(LocalReply::malformed("http1.invalid_scheme"));
    }
    let (name, port) = match host.rfind(':').filter(|at| !host[*at..].contains(']')) {
        Some(at) => (&host[..at], host[at + 1..].parse::<u16>().is_ok()),
        None => (host, true),
    };
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let named = !name.is_empty() && (name.starts_with('[') || name.bytes().all(letters));
    if named && port {
        Ok(())
    } else {
        Err(LocalReply::malformed("http1.invalid_url"))
    }
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
    if path.as_str() == "*" && parts.method != Method::OPTIONS {
        return Err(LocalReply::malformed("http1.invalid_url"));
    }
    let bare = parts.uri.authority().is_some() && path.as_str().starts_with('?');
    if path.as_str() == "*" || bare {
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
        let asked = Asked::read(&mut parts, Understood::default(), dialled).map_err(|reply| reply.status)?;
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
