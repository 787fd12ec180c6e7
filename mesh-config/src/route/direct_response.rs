//! Answers that a route gives by itself.

use bytes::Bytes;

use super::fault::check_status;
use super::headers::HeaderRules;
use crate::check::{schema, warning};
use crate::text::Value;

/// Istio's limit on a body.
const LARGEST: usize = 1 << 20;

/// From here on istiod warns.
const LARGE: usize = 100 << 10;

/// `directResponse` of a route, compiled.
#[derive(Clone, Debug, Default)]
pub struct DirectResponse {
    /// 200 to 599.
    pub status: u16,
    /// Empty: no body.
    pub body: Bytes,
    /// Of the route; only those on responses matter.
    pub headers: HeaderRules,
}

/// Reads `directResponse`.
pub(crate) fn read(value: &Value<'_>) -> Option<DirectResponse> {
    value.fields(|fields| {
        let status = fields
            .required("status")
            .and_then(|v| check_status(&v, v.uint32()?.into()));
        let body = fields.get("body").and_then(|v| read_body(&v));
        DirectResponse {
            status: status.unwrap_or(200),
            body: body.unwrap_or_default(),
            headers: HeaderRules::default(),
        }
    })
}

fn read_body(value: &Value<'_>) -> Option<Bytes> {
    let body = value.fields(|fields| {
        fields.at_most_one(&["string", "bytes"]);
        let text = fields
            .get("string")
            .and_then(|v| v.text())
            .map(String::into_bytes);
        text.or(fields.get("bytes").and_then(|v| {
            let text = v.text()?;
            let bytes = base64(&text).filter(|_| !text.is_empty());
            if bytes.is_none() {
                let advice = "standard base64, with its padding".to_owned();
                v.say(
                    &schema::FORMAT,
                    "this is not base64 of a byte or more",
                    Some(advice),
                );
            }
            bytes
        }))
    })??;
    if body.len() > LARGEST {
        value.problem(format!("a body of {} bytes is larger than 1048576", body.len()));
    }
    if (LARGE + 1..=LARGEST).contains(&body.len()) {
        let message = format!("a body of {} bytes is more than 100 KiB", body.len());
        value.say(&warning::LARGE_BODY, message, None);
    }
    Some(body.into())
}

/// Standard base64 with padding, as the API server takes it for bytes.
fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
