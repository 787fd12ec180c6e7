//! Fetches a bearer token once, before the load.

use std::time::Duration;

use http::Method;

/// Where a token comes from.
#[derive(Clone, Debug)]
pub struct TokenSource {
    /// Asked with POST if there is a body, else with GET.
    pub url: String,
    /// JSON.
    pub body: Option<String>,
    /// Where the token is in the JSON answer (RFC 6901).
    pub pointer: String,
    /// The proxy of the load, if any: the address of the token may only be known behind it.
    pub proxy: Option<String>,
}

/// There is no token; nothing was sent yet.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No answer.
    #[error("cannot fetch a token from {url}: {reason}")]
    Unreachable {
        /// As given.
        url: String,
        /// With its causes.
        reason: String,
    },
    /// An answer, but not a good one.
    #[error("no token: {method} {url} was answered {status}: {body}")]
    Refused {
        /// POST or GET.
        method: Method,
        /// As given.
        url: String,
        /// HTTP status.
        status: u16,
        /// Its first characters.
        body: String,
    },
    /// A good answer without a token in it.
    #[error("no token: the answer of {url} has no text at `{pointer}` (--token-pointer): {body}")]
    Missing {
        /// As given.
        url: String,
        /// As given.
        pointer: String,
        /// Its first characters.
        body: String,
    },
}

impl TokenSource {
    /// One request, no redirects, no proxy but the load's.
    ///
    /// # Errors
    /// No answer within `timeout`, an answer that is not 2xx, or no text at the pointer.
    pub async fn fetch(&self, timeout: Duration) -> Result<String, TokenError> {
        let (status, body) = self.ask(timeout).await.map_err(|error| TokenError::Unreachable {
            url: self.url.clone(),
            reason: with_causes(&error),
        })?;
        let shown = || body.chars().take(300).collect::<String>();
        if !status.is_success() {
            return Err(TokenError::Refused {
                method: self.method(),
                url: self.url.clone(),
                status: status.as_u16(),
                body: shown(),
            });
        }
        let document: Option<serde_json::Value> = serde_json::from_str(&body).ok();
        let token = document
            .as_ref()
            .and_then(|document| document.pointer(&self.pointer)?.as_str());
        token.map(str::to_owned).ok_or_else(|| TokenError::Missing {
            url: self.url.clone(),
            pointer: self.pointer.clone(),
            body: shown(),
        })
    }

    async fn ask(&self, timeout: Duration) -> reqwest::Result<(http::StatusCode, String)> {
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout);
        let builder = match &self.proxy {
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy)?),
            None => builder,
        };
        let mut request = builder.build()?.request(self.method(), &self.url);
        if let Some(body) = &self.body {
            request = request
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let response = request.send().await?;
        Ok((response.status(), response.text().await?))
    }

    fn method(&self) -> Method {
        if self.body.is_some() {
            Method::POST
        } else {
            Method::GET
        }
    }
}

/// reqwest's own text leaves out why ("error sending request").
pub(crate) fn with_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
