//! Path and query of a request on its way through, in whatever signs they are written.

use std::sync::Arc;

use http::Uri;
use http::uri::PathAndQuery;

/// Path and query. Envoy sends a path as it was rewritten, also without a leading slash or with a blank in it; HTTP
/// libraries have no such type.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// The usual kind.
    Usual(PathAndQuery),
    /// What cannot be a [`PathAndQuery`].
    Odd(OddTarget),
}

/// A target that the library writes as `/`. As an extension of a request it tells the connection what to write instead.
#[derive(Clone, Debug)]
pub(super) struct OddTarget(pub(super) Arc<str>);

impl Target {
    /// Any text.
    pub(super) fn of(text: &str) -> Self {
        // One that the library takes but would write in another way is odd, too.
        match PathAndQuery::try_from(text) {
            Ok(usual) if text.starts_with('/') && usual.as_str() == text => Self::Usual(usual),
            _ => Self::Odd(OddTarget(text.into())),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Usual(usual) => usual.as_str(),
            Self::Odd(OddTarget(text)) => text,
        }
    }

    /// The target for the library. In HTTP/2 it writes paths into compressed headers, where nothing can be exchanged: an
    /// odd one gets a slash in front there, and is `/` if that is not enough.
    pub(super) fn uri(&self, http2: bool) -> Uri {
        let path = match self {
            Self::Usual(usual) => usual.clone(),
            Self::Odd(OddTarget(text)) if http2 => {
                let usual = PathAndQuery::try_from(&**text);
                usual
                    .or_else(|_| PathAndQuery::try_from(format!("/{text}")))
                    .unwrap_or_else(|_| PathAndQuery::from_static("/"))
            }
            Self::Odd(_) => PathAndQuery::from_static("/"),
        };
        Uri::from(path)
    }

    /// What the connection has to write instead of the library's target.
    pub(super) fn odd(&self) -> Option<&OddTarget> {
        match self {
            Self::Usual(_) => None,
            Self::Odd(odd) => Some(odd),
        }
    }
}

impl From<PathAndQuery> for Target {
    fn from(usual: PathAndQuery) -> Self {
        Self::Usual(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_odd_when_the_library_would_write_another_one() {
        for (text, http2) in [
            ("v2/login", "/v2/login"),
            ("?x=1", "?x=1"),
            ("/a b", "/"),
            ("/a#b", "/a"),
        ] {
            let target = Target::of(text);
            assert_eq!((target.as_str(), target.uri(false).path()), (text, "/"));
            assert!(target.odd().is_some(), "{text}");
            assert_eq!(target.uri(true).path_and_query().unwrap().as_str(), http2);
        }
        let usual = Target::of("/a?b=c");
        assert!(usual.odd().is_none());
        assert_eq!(usual.uri(false), "/a?b=c");
    }
}
