//! The second hop: whose token is it?

use std::error::Error as _;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Response};
use serde::Deserialize;
use service_kit::{Problem, SERVED_BY, forwarded, record_called};

use crate::AuthUrl;

/// A second over the ten of the routes, so that the mesh's 504 comes first and says what happened.
const TIMEOUT: Duration = Duration::from_secs(11);

/// Most of a body that is quoted in an error, in characters.
const QUOTED: usize = 200;

/// A client for the second hop: connections are kept, `HTTP_PROXY` is honoured (on a laptop it is how the mesh gets the
/// request), and nothing is followed or sent twice, which would hide what the mesh does.
pub fn http_client() -> ClientBuilder {
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
}

/// Asks auth-service.
#[derive(Debug, Clone)]
pub struct AuthClient {
    http: Client,
    verify: String,
}

#[derive(Deserialize)]
struct Verified {
    user: String,
}

impl AuthClient {
    /// A client of the auth-service at `url`.
    pub fn new(http: Client, url: &AuthUrl) -> Self {
        Self {
            http,
            verify: url.verify(),
        }
    }

    /// The user whose token `request` carries, and a record of who said so for its `x-served-by`.
    ///
    /// # Errors
    /// 401 and 403 as answered; 503 and 504 as answered, by auth-service or by the mesh in its place, or when there is
    /// no answer at all; 502 for an answer that makes no sense.
    pub async fn user_of(&self, request: &HttpRequest) -> Result<String, Problem> {
        let sent = self
            .http
            .post(&self.verify)
            .headers(headers_for(request))
            .send()
            .await;
        let response = sent.map_err(|error| unanswered(&error))?;
        let served_by = response.headers().get(SERVED_BY.as_str()).cloned();
        if let Some(served_by) = &served_by {
            record_called(request, served_by.as_bytes());
        }
        if response.status().as_u16() != 200 {
            return Err(refused(response, served_by.as_ref()).await);
        }
        let verified: Result<Verified, _> = response.json().await;
        verified.map(|verified| verified.user).map_err(|error| {
            let detail =
                format!("auth-service answered 200 without saying who the user is ({error}). {AGAIN}");
            Problem::new(StatusCode::BAD_GATEWAY, detail)
        })
    }
}

const AGAIN: &str = "Nothing was charged; send the payment again with the same Idempotency-Key.";

/// actix-web and reqwest stand on two versions of the http crate, hence bytes in between.
fn headers_for(request: &HttpRequest) -> HeaderMap {
    let lines = forwarded(request.headers()).filter_map(|(name, value)| {
        Some((
            HeaderName::from_bytes(name.as_bytes()).ok()?,
            HeaderValue::from_bytes(value).ok()?,
        ))
    });
    let mut headers = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("0"))]);
    for (name, value) in lines {
        headers.append(name, value); // not insert: a repeated header keeps all its lines
    }
    headers
}

async fn refused(response: Response, served_by: Option<&HeaderValue>) -> Problem {
    let status = response.status();
    let body = response.text().await.unwrap_or_default();
    let told = detail_of(&body);
    let passed_on = match status.as_u16() {
        401 | 403 | 503 | 504 => StatusCode::from_u16(status.as_u16()).unwrap_or_default(),
        _ => StatusCode::BAD_GATEWAY,
    };
    if let (StatusCode::UNAUTHORIZED, Some(detail)) = (passed_on, &told) {
        return Problem::new(passed_on, detail.clone());
    }
    let who = match served_by {
        Some(name) => format!("auth-service ({})", String::from_utf8_lossy(name.as_bytes())),
        None => "The mesh, in place of auth-service,".to_owned(),
    };
    let quoted: String = told
        .as_deref()
        .unwrap_or(&body)
        .trim()
        .chars()
        .take(QUOTED)
        .collect();
    Problem::new(
        passed_on,
        format!("{who} answered {}: {quoted:?}. {AGAIN}", status.as_u16()),
    )
}

/// The detail, if the body is problem details.
fn detail_of(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Told {
        detail: String,
    }
    serde_json::from_str(body).ok().map(|told: Told| told.detail)
}

fn unanswered(error: &reqwest::Error) -> Problem {
    let mut causes = error.to_string(); // without its sources, where the reason is
    let mut source = error.source();
    while let Some(cause) = source {
        causes = format!("{causes}: {cause}");
        source = cause.source();
    }
    if error.is_timeout() {
        let detail = format!(
            "auth-service did not answer within {} seconds. {AGAIN}",
            TIMEOUT.as_secs()
        );
        return Problem::new(StatusCode::GATEWAY_TIMEOUT, detail);
    }
    let detail =
        format!("auth-service cannot be reached, check APP_AUTH_URL and HTTP_PROXY: {causes}. {AGAIN}");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}
