//! `--connections-per-unit` and `--sticky`: what is drawn once, and what must stay.

use std::num::NonZeroU64;
use std::str::FromStr;

use clap::Args;
use http::HeaderName;
use load_client::judge::Terms;
use load_client::load::{Load, RequestSpec};

/// Requests with one key, unless told otherwise.
const PER_KEY: u64 = 4;

/// What counts as one draw.
#[derive(Args, Debug)]
pub(super) struct UnitArgs {
    /// Open a new connection for each request, and count the first answer of every N: 1 makes a draw of each request
    /// where connections stay with a version; with --sticky a key is used for N requests
    /// [default: connections are kept; 4 with --sticky]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1", help_heading = "Verdict")]
    connections_per_unit: Option<NonZeroU64>,
    /// Also judge whether the version stays the same for the same key, sent in a cookie or a header:
    /// cookie:NAME or header:NAME
    #[arg(long, value_name = "KEY", help_heading = "Verdict")]
    sticky: Option<Key>,
}

/// Where the key of a session is.
#[derive(Clone, Debug)]
enum Key {
    Cookie(String),
    Header(HeaderName),
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected cookie:NAME or header:NAME, such as cookie:session".to_owned();
        match text.split_once(':').ok_or_else(wrong)? {
            ("cookie", name) if !name.is_empty() && !name.contains(['=', ';', ' ', ',']) => {
                Ok(Key::Cookie(name.to_owned()))
            }
            ("header", name) => Ok(Key::Header(name.parse().map_err(|_invalid| wrong())?)),
            _ => Err(wrong()),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Cookie(name) => write!(f, "cookie:{name}"),
            Key::Header(name) => write!(f, "header:{name}"),
        }
    }
}

impl UnitArgs {
    /// Sends the key, and opens connections, as asked.
    ///
    /// # Errors
    /// A key of which each request is the only one.
    pub(super) fn apply(&self, load: &mut Load, terms: &mut Terms) -> anyhow::Result<()> {
        let default = self.sticky.as_ref().and(NonZeroU64::new(PER_KEY));
        load.per_unit = self.connections_per_unit.or(default);
        terms.per_unit = load.per_unit.map_or(1, NonZeroU64::get);
        terms.sticky = self.sticky.as_ref().map(ToString::to_string);
        let Some(key) = &self.sticky else { return Ok(()) };
        anyhow::ensure!(
            terms.per_unit > 1,
            "--connections-per-unit 1 uses each key once, so that --sticky sees no key twice; give 2 or more"
        );
        for request in &mut load.requests {
            *request = with(request, key);
        }
        Ok(())
    }
}

/// The request with the key of its unit; cookies that it has stay.
fn with(request: &RequestSpec, key: &Key) -> RequestSpec {
    match key {
        Key::Header(name) => request.overlaid(&[(name.clone(), "{unit}".to_owned())]),
        Key::Cookie(name) => {
            let cookies = request
                .headers
                .iter()
                .filter(|(name, _)| *name == http::header::COOKIE);
            let cookies: String = cookies.map(|(_, value)| format!("{value}; ")).collect();
            request.overlaid(&[(http::header::COOKIE, format!("{cookies}{name}={{unit}}"))])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_cookie_or_a_header() {
        assert_eq!(
            "cookie:session".parse::<Key>().unwrap().to_string(),
            "cookie:session"
        );
        assert_eq!(
            "header:X-User".parse::<Key>().unwrap().to_string(),
            "header:x-user"
        );
        for wrong in ["session", "cookie:", "cookie:a=b", "header:a b", "ip:x"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_cookie_joins_those_of_the_request() {
        let request = RequestSpec {
            method: http::Method::GET,
            headers: vec![(http::header::COOKIE, "a=b".to_owned())],
            body: Vec::new(),
        };
        let sent = with(&request, &Key::Cookie("session".to_owned()));
        assert_eq!(
            sent.headers,
            [(http::header::COOKIE, "a=b; session={unit}".to_owned())]
        );
    }
}
