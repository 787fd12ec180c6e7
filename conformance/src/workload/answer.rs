//! What a workload answers.

use serde_json::json;

use super::Received;
use crate::case::Behaviour;
use crate::wire::bytes_of;

/// An answer, before it is framed.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, without those that frame the body.
    pub headers: Vec<(String, String)>,
    /// What it received, as JSON; empty where the status forbids a body.
    pub body: Vec<u8>,
    /// What follows the body.
    pub trailers: Vec<(String, String)>,
    /// An answer to HEAD has the length of the body, not the body.
    pub head_only: bool,
    /// Sent in chunks over HTTP/1.1.
    pub chunked: bool,
    /// Breaks off after half of the body.
    pub truncated: bool,
    /// Seconds between headers and body.
    pub body_delay: Option<f64>,
}

// === impl Answer ===

impl Answer {
    /// The answer to the n-th request of a workload, on its m-th connection.
    pub fn new(behaviour: &Behaviour, request: &Received, number: usize, connection: usize) -> Answer {
        let status = behaviour.status_of(number);
        let mut headers = owned(behaviour.headers.lines());
        if !behaviour.headers.names("content-type") {
            headers.push(("content-type".into(), "application/json".into()));
        }
        if let Some(name) = &behaviour.connection_header {
            headers.push((name.clone(), connection.to_string()));
        }
        let echo = json!({
            "workload": request.workload,
            "method": request.method,
            "path": request.path,
            "headers": request.headers,
        });
        let empty = matches!(status, 101 | 204 | 304);
        let trailers = owned(behaviour.trailers.lines());
        Answer {
            status,
            headers,
            body: if empty {
                Vec::new()
            } else {
                echo.to_string().into_bytes()
            },
            head_only: request.method == "HEAD",
            chunked: behaviour.chunked || !trailers.is_empty(),
            trailers,
            truncated: behaviour.truncate,
            body_delay: behaviour.body_delay,
        }
    }

    /// Status line and headers.
    pub fn head(&self) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} Lab\r\n", self.status);
        let framing = match self.body.len() {
            0 => None,
            _ if self.chunked => Some(("transfer-encoding".to_owned(), "chunked".to_owned())),
            length => Some(("content-length".to_owned(), length.to_string())),
        };
        for (name, value) in self.headers.iter().chain(&framing) {
            text += &format!("{name}: {value}\r\n");
        }
        bytes_of(&(text + "\r\n"))
    }

    /// The body in its frame, as far as it is sent.
    pub fn framed_body(&self) -> Vec<u8> {
        if self.head_only || self.body.is_empty() {
            return Vec::new();
        }
        let mut bytes = Vec::new();
        if self.chunked {
            bytes.extend(format!("{:x}\r\n", self.body.len()).into_bytes());
            bytes.extend(&self.body);
            bytes.extend(b"\r\n0\r\n");
            for (name, value) in &self.trailers {
                bytes.extend(bytes_of(&format!("{name}: {value}\r\n")));
            }
            bytes.extend(b"\r\n");
        } else {
            bytes.extend(&self.body);
        }
        if self.truncated {
            bytes.truncate(bytes.len() / 2);
        }
        bytes
    }
}

fn owned<'a>(lines: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
