//! A request, as bytes.

use crate::case::Send;
use crate::wire::bytes_of;

/// A request that is ready to be written.
#[derive(Clone, Debug)]
pub struct Request {
    /// As the case has it: `HEAD` has an answer without a body, `head` does not.
    pub method: String,
    /// The port that is dialled.
    pub port: u16,
    /// Addresses that `x-forwarded-for` has from the start.
    pub hops: usize,
    bytes: Vec<u8>,
}

/// Why a request cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRequest {
    /// Only plain HTTP is spoken.
    #[error("url `{0}`: write it as http://AUTHORITY/PATH")]
    Scheme(String),
}

/// The header by which requests at the workloads are told apart. It is not recorded.
pub const LAB_ID: &str = "x-lab-id";

// === impl Request ===

impl Request {
    /// What `send` says, with this `x-lab-id`.
    pub fn new(send: &Send, lab_id: &str) -> Result<Request, InvalidRequest> {
        let rest = send.url.strip_prefix("http://");
        let rest = rest.ok_or_else(|| InvalidRequest::Scheme(send.url.clone()))?;
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let slash = if target.starts_with('/') { "" } else { "/" };
        let target = send.target.clone().unwrap_or_else(|| format!("{slash}{target}"));

        let mut lines = vec![format!("{} {target} HTTP/{}", send.method, send.version)];
        if !send.headers.names("host") {
            lines.push(format!("Host: {authority}"));
        }
        lines.extend(
            send.headers
                .lines()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        lines.push(format!("{LAB_ID}: {lab_id}"));
        let body = match send.body_size {
            Some(size) => vec![b'x'; size],
            None => send.body.0.clone().into_bytes(),
        };
        let framed = ["content-length", "transfer-encoding"]
            .into_iter()
            .any(|name| has_line(send, name));
        if !body.is_empty() && !framed {
            lines.push(format!("content-length: {}", body.len()));
        }
        let mut bytes = bytes_of(&(lines.join("\r\n") + "\r\n\r\n"));
        bytes.extend_from_slice(&body);
        Ok(Request {
            method: send.method.clone(),
            port: port_of(authority),
            hops: hops(send.headers.lines()),
            bytes,
        })
    }

    /// What is written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// How many addresses `x-forwarded-for` has.
pub fn hops<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> usize {
    let forwarded = headers.filter(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-for"));
    forwarded
        .flat_map(|(_, value)| value.split(','))
        .filter(|one| !one.trim().is_empty())
        .count()
}

fn has_line(send: &Send, name: &str) -> bool {
    send.headers
        .lines()
        .any(|(one, _)| one.eq_ignore_ascii_case(name))
}

fn port_of(authority: &str) -> u16 {
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    port.and_then(|port| port.parse().ok()).unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(yaml: &str) -> (u16, String) {
        let send: Send = serde_saphyr::from_str(yaml).unwrap();
        let request = Request::new(&send, "a-1").unwrap();
        (request.port, String::from_utf8(request.bytes().to_vec()).unwrap())
    }

    #[test]
    fn host_is_the_authority_and_the_path_goes_out_as_written() {
        let (port, text) = written("{url: 'http://auth:8080/A%2f/../b?c=%zz'}");
        assert_eq!(port, 8080);
        assert_eq!(
            text,
            "GET /A%2f/../b?c=%zz HTTP/1.1\r\nHost: auth:8080\r\nx-lab-id: a-1\r\n\r\n"
        );
    }

    #[test]
    fn headers_keep_spelling_order_and_repetition() {
        let (port, text) = written("{url: 'http://auth', headers: {X-B: '1', x-a: [p, q], X-b: '2'}}");
        assert_eq!(port, 80);
        let expected =
            "GET / HTTP/1.1\r\nHost: auth\r\nX-B: 1\r\nx-a: p\r\nx-a: q\r\nX-b: 2\r\nx-lab-id: a-1\r\n\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_empty_list_sends_no_host_and_target_replaces_the_path() {
        let yaml =
            "{method: OPTIONS, url: 'http://auth:85/x', target: '*', version: '1.0', headers: {host: []}}";
        assert_eq!(
            written(yaml),
            (85, "OPTIONS * HTTP/1.0\r\nx-lab-id: a-1\r\n\r\n".into())
        );
    }

    #[test]
    fn a_body_gets_a_length_unless_the_case_frames_it() {
        let (_, text) = written("{method: POST, url: 'http://a/?q', body_size: 3}");
        assert!(text.starts_with("POST /?q HTTP"), "{text}");
        assert!(text.ends_with("content-length: 3\r\n\r\nxxx"), "{text}");
        let (_, text) =
            written(r#"{url: 'http://a/', headers: {Transfer-Encoding: chunked}, body: "0\r\n\r\n"}"#);
        assert!(!text.contains("content-length"), "{text}");
    }

    #[test]
    fn addresses_are_counted_over_all_lines() {
        let lines = [
            ("X-Forwarded-For", "1.1.1.1, 2.2.2.2,"),
            ("x-forwarded-for", "3.3.3.3"),
            ("via", "a,b"),
        ];
        assert_eq!(hops(lines.into_iter()), 3);
    }
}
