//! Requests and answers over connections that retry nothing.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;

use crate::way::Way;

/// A request, before it is known where to.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Call {
    /// `GET path`.
    pub fn get(path: &str) -> Self {
        Call {
            method: Method::GET,
            path: path.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// `POST path` with this JSON.
    pub fn post(path: &str, json: &serde_json::Value) -> Self {
        let call = Call {
            method: Method::POST,
            body: json.to_string(),
            ..Call::get(path)
        };
        call.header("content-type", "application/json")
    }

    /// `PUT path` with this JSON.
    pub fn put(path: &str, json: &serde_json::Value) -> Self {
        Call {
            method: Method::PUT,
            ..Call::post(path, json)
        }
    }

    /// `DELETE path`.
    pub fn delete(path: &str) -> Self {
        Call {
            method: Method::DELETE,
            ..Call::get(path)
        }
    }

    /// With `id` in the query: services do not look at it, routes do not match on it, access logs show it.
    #[must_use]
    pub fn tagged(mut self, id: &str) -> Self {
        self.path = format!("{}?id={id}", self.path);
        self
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn request(&self, authority: &str) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .header("host", authority);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        Ok(request.body(Full::from(self.body.clone()))?)
    }
}

/// One of those who served a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// `payment-service`.
    pub service: String,
    /// `v1`.
    pub version: String,
    /// Name of the pod.
    pub instance: String,
}

/// An answer that arrived whole.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// As received.
    pub headers: HeaderMap,
    /// As received.
    pub body: Bytes,
}

impl Answer {
    /// Who served it, from `x-served-by`: the service that answered first, then what it called.
    pub fn hops(&self) -> Vec<Hop> {
        let header = self
            .headers
            .get("x-served-by")
            .and_then(|value| value.to_str().ok());
        header.unwrap_or_default().split(',').filter_map(hop).collect()
    }

    /// The versions of [`hops`](Self::hops), such as `v1 v2`.
    pub fn versions(&self) -> String {
        let versions: Vec<String> = self.hops().into_iter().map(|hop| hop.version).collect();
        versions.join(" ")
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn hop(text: &str) -> Option<Hop> {
    let mut words = text.trim().splitn(3, '/').map(str::to_owned);
    Some(Hop {
        service: words.next()?,
        version: words.next()?,
        instance: words.next()?,
    })
}

/// One connection with one request at a time. It is opened anew when it has been closed, but a request that was sent
/// is never sent again: whatever goes wrong is seen.
#[derive(Debug)]
pub struct Connection {
    way: Way,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Opened with the first request. `ADDRESS:PORT` is a way, too.
    pub fn new(way: impl Into<Way>) -> Self {
        Connection {
            way: way.into(),
            sender: None,
        }
    }

    /// Sends a request and reads the answer to its end.
    ///
    /// # Errors
    /// No connection, or no whole answer. Any status is an answer.
    pub async fn send(&mut self, call: &Call) -> Result<Answer> {
        let request = call.request(self.way.authority())?;
        let mut sender = self.sender().await?;
        let response = sender.send_request(request).await.context("no answer")?;
        let (head, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .context("the answer is not whole")?
            .to_bytes();
        self.sender = Some(sender);
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    async fn sender(&mut self) -> Result<SendRequest<Full<Bytes>>> {
        if let Some(mut sender) = self.sender.take()
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let stream = self.way.open().await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        sender.ready().await?;
        Ok(sender)
    }
}
