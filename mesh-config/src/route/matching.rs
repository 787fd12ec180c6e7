//! Conditions on a request.

use http::HeaderMap;

/// The head of a request, as the conditions of a route see it.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// `GET`, ...
    pub method: &'a str,
    /// Path and query, already normalised.
    pub path: &'a str,
    /// The Host header, raw.
    pub authority: &'a str,
    /// `http`, unless the client's `x-forwarded-proto` says otherwise.
    pub scheme: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
}

/// Conditions of one match block, all of which must hold.
#[derive(Clone, Debug, Default)]
pub struct RequestMatch {}

/// A condition on a text.
#[derive(Clone, Debug)]
pub enum StringMatch {
    /// Equal.
    Exact(String),
    /// Begins with.
    Prefix(String),
    /// The whole text matches.
    Regex(regex::bytes::Regex),
}
