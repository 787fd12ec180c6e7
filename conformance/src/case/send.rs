//! What is sent.

use serde::Deserialize;

use super::text::{Fields, Text};

/// One request, as the case has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// Any token, in any case.
    #[serde(default = "default_method")]
    pub method: String,
    /// `http://AUTHORITY/PATH`; path and query go out byte for byte.
    pub url: String,
    /// The request target where it is not what the URL says: `*`, absolute form.
    #[serde(default)]
    pub target: Option<String>,
    /// In their own spelling; a list is several lines. `host: []` sends no Host.
    #[serde(default)]
    pub headers: Fields,
    /// The body.
    #[serde(default)]
    pub body: Text,
    /// A body of that many times `x` instead.
    #[serde(default)]
    pub body_size: Option<usize>,
    /// The version in the request line.
    #[serde(default = "default_version")]
    pub version: Text,
}

fn default_method() -> String {
    "GET".into()
}

fn default_version() -> Text {
    "1.1".into()
}
