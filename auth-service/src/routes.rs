//! `POST /tokens` and `POST /verify`.

use std::time::SystemTime;

use actix_web::http::{StatusCode, header::CONTENT_TYPE};
use actix_web::web::{self, Data, Json, ServiceConfig};
use actix_web::{Error, HttpRequest};
use serde::{Deserialize, Serialize};
use service_kit::{Instance, Problem, Version, bearer, resource};

use crate::token::{Claims, LIFETIME, Signer};

/// Longest name of a user, in bytes.
const LONGEST_USER: usize = 128;

/// What a token allows. Everybody may do the same here; v2 says so, v1 does not.
const SCOPES: &[&str] = &["payments:read", "payments:write"];

pub(crate) fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/tokens", "POST").route(web::post().to(issue)))
        .service(resource("/verify", "POST").route(web::post().to(verify)));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    user: String,
}

#[derive(Serialize)]
struct Token {
    token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    #[serde(flatten)]
    grant: Grant,
}

/// Whose token it is, until when, and (v2) what for.
#[derive(Serialize)]
struct Grant {
    user: String,
    /// Seconds since 1970.
    expires_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'static [&'static str]>,
}

impl Grant {
    fn new(claims: Claims, version: Version) -> Self {
        let scopes = match version {
            Version::V1 => None,
            Version::V2 => Some(SCOPES),
        };
        Self {
            user: claims.user,
            expires_at: claims.expires_at,
            scopes,
        }
    }
}

/// `POST /tokens {"user": ".."}`: 201 with a token; 422 without a usable name. This is a lab: it believes the name.
async fn issue(
    instance: Data<Instance>,
    signer: Data<Signer>,
    request: Json<TokenRequest>,
) -> Result<(Json<Token>, StatusCode), Problem> {
    let user = request.user.trim();
    if user.is_empty() || user.len() > LONGEST_USER || user.chars().any(char::is_control) {
        let detail =
            format!("`user` is not a name; send 1 to {LONGEST_USER} bytes without control characters.");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let (token, claims) = signer.sign(user, SystemTime::now());
    let grant = Grant::new(claims, instance.version());
    let token = Token {
        token,
        token_type: "Bearer",
        expires_in: LIFETIME.as_secs(),
        grant,
    };
    Ok((Json(token), StatusCode::CREATED))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    token: String,
}

/// `POST /verify` with `Authorization: Bearer TOKEN`, or without it `{"token": ".."}`: 200 with whose token it is; 401.
async fn verify(
    instance: Data<Instance>,
    signer: Data<Signer>,
    request: HttpRequest,
    body: Result<Json<VerifyRequest>, Error>,
) -> Result<Json<Grant>, Error> {
    let verified = match (bearer(request.headers()), body) {
        (Some(token), _) => signer.verify(token, SystemTime::now()),
        (None, Ok(body)) => signer.verify(&body.token, SystemTime::now()),
        (None, Err(error)) if request.headers().contains_key(CONTENT_TYPE) => return Err(error),
        (None, Err(_)) => {
            let detail =
                "There is no token; send `Authorization: Bearer TOKEN`, or `{\"token\": \"TOKEN\"}` as JSON.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, detail).into());
        }
    };
    let claims = verified.map_err(|error| Problem::new(StatusCode::UNAUTHORIZED, error.to_string()))?;
    Ok(Json(Grant::new(claims, instance.version())))
}
