//! A request as far as routing looks at it.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use mesh_config::RequestHead;

/// Method, URL and headers of a request.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    authority: String,
    port: u16,
    path: String,
    headers: HeaderMap,
}

/// A request that routing cannot look at.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCall {
    /// No host to route by.
    #[error("`{0}` is not a URL of the form http://HOST[:PORT]/PATH")]
    Url(String),
    /// Such as `PO ST`.
    #[error("`{0}` is not a method; use GET, POST, ...")]
    Method(String),
    /// Characters that HTTP does not allow.
    #[error("header `{0}`: HTTP does not allow this value")]
    Header(HeaderName),
    /// Neither `URL` nor `METHOD URL`.
    #[error("`{0}`: expected METHOD and URL, such as 'POST http://auth-service:8080/verify'")]
    Words(String),
    /// What a proxy answers 400 to.
    #[error("`{0}`: a proxy refuses this path with 400; write it without encoded or broken parts")]
    Path(String),
}

impl fmt::Display for Call {
    /// As it is parsed by [`Call::from_words`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} http://{}{}", self.method, self.authority, self.path)
    }
}

impl Call {
    /// `headers` are all lines in order. A `host` among them replaces the host of the URL.
    ///
    /// # Errors
    /// The URL has no host; its path is one that Envoy refuses; a value is not allowed in HTTP.
    pub fn new(method: Method, url: &str, headers: &[(HeaderName, String)]) -> Result<Self, InvalidCall> {
        let uri: Uri = url.parse().map_err(|_| InvalidCall::Url(url.to_owned()))?;
        let authority = uri
            .authority()
            .ok_or_else(|| InvalidCall::Url(url.to_owned()))?
            .as_str()
            .to_owned();
        let written = uri.path_and_query().map_or("/", |path| path.as_str());
        let path =
            mesh_config::normalise_path(written).ok_or_else(|| InvalidCall::Path(written.to_owned()))?;
        let mut call = Self {
            method,
            port: uri.port_u16().unwrap_or(80),
            path: path.into_owned(),
            authority,
            headers: HeaderMap::new(),
        };
        call.set(headers)?;
        if let Some(host) = call.headers.get(http::header::HOST) {
            call.authority = String::from_utf8_lossy(host.as_bytes()).into_owned();
        }
        Ok(call)
    }

    /// From `METHOD URL`; a URL alone is a GET.
    ///
    /// # Errors
    /// As [`Call::new`]; more than two words.
    pub fn from_words(text: &str) -> Result<Self, InvalidCall> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (method, url) = match words.as_slice() {
            [url] => ("GET", *url),
            [method, url] => (*method, *url),
            _ => return Err(InvalidCall::Words(text.to_owned())),
        };
        let method = method
            .parse()
            .map_err(|_| InvalidCall::Method(method.to_owned()))?;
        Self::new(method, url, &[])
    }

    /// The same request with these headers instead of any of the same names.
    ///
    /// # Errors
    /// A value is not allowed in HTTP.
    pub fn with(&self, headers: &[(HeaderName, String)]) -> Result<Self, InvalidCall> {
        let mut call = self.clone();
        for (name, _) in headers {
            call.headers.remove(name);
        }
        call.set(headers)?;
        Ok(call)
    }

    /// The same request to another host and port.
    pub(super) fn to(&self, host: &str, port: u16) -> Self {
        Self {
            authority: host.to_owned(),
            port,
            ..self.clone()
        }
    }

    /// The same request with exactly these headers.
    pub(super) fn with_only(&self, headers: HeaderMap) -> Self {
        Self {
            headers,
            ..self.clone()
        }
    }

    fn set(&mut self, headers: &[(HeaderName, String)]) -> Result<(), InvalidCall> {
        for (name, text) in headers {
            let value = HeaderValue::from_bytes(text.as_bytes());
            self.headers
                .append(name, value.map_err(|_| InvalidCall::Header(name.clone()))?);
        }
        Ok(())
    }

    /// Host and port as sent.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Port of the URL, 80 if none is written.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What rules look at.
    pub(crate) fn head(&self) -> RequestHead<'_> {
        let forwarded = self
            .headers
            .get("x-forwarded-proto")
            .and_then(|value| value.to_str().ok());
        RequestHead {
            method: self.method.as_str(),
            path: &self.path,
            authority: &self.authority,
            scheme: forwarded.unwrap_or("http"),
            headers: &self.headers,
        }
    }
}
