//! Errors as RFC 9457 problem details.

use actix_web::error::{JsonPayloadError, PathError};
use actix_web::http::{StatusCode, header};
use actix_web::web::{JsonConfig, PathConfig};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// Longest body a service reads, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// An error as a client sees it: `application/problem+json` with `type`, `title`, `status` and `detail`. The type is
/// `about:blank`, so the title is that of the status; the detail says what is wrong and what to do.
#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[error("{status}: {detail}")]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "number")]
    status: StatusCode,
    detail: String,
}

fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem with this status; `detail` is one or two sentences that end in what to do.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self {
            kind: "about:blank",
            title,
            status,
            detail: detail.into(),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.content_type("application/problem+json");
        response.body(serde_json::to_vec(self).unwrap_or_default())
    }
}

impl From<JsonPayloadError> for Problem {
    fn from(error: JsonPayloadError) -> Self {
        use JsonPayloadError::{ContentType, Deserialize, Overflow, OverflowKnownLength};
        match error {
            Overflow { .. } | OverflowKnownLength { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The body is longer than {BODY_LIMIT} bytes; send a shorter one."),
            ),
            ContentType => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is not declared as JSON; send the header `content-type: application/json`.",
            ),
            Deserialize(error) => Self::new(
                StatusCode::BAD_REQUEST,
                format!(
                    "The body is not the JSON that is expected here: {error}. Correct it and send it again."
                ),
            ),
            other => Self::new(
                StatusCode::BAD_REQUEST,
                format!("The body could not be read: {other}. Send the request again."),
            ),
        }
    }
}

/// How bodies are read: JSON declared as such, at most [`BODY_LIMIT`] bytes, errors as problems.
pub(crate) fn json_config() -> JsonConfig {
    JsonConfig::default()
        .limit(BODY_LIMIT)
        .error_handler(|error, _| Problem::from(error).into())
}

/// How parts of the path are read: errors as problems.
pub(crate) fn path_config() -> PathConfig {
    PathConfig::default().error_handler(|error: PathError, request| {
        let detail = format!(
            "`{}` has a part of the wrong kind: {error}. Correct the path.",
            request.path()
        );
        Problem::new(StatusCode::BAD_REQUEST, detail).into()
    })
}
