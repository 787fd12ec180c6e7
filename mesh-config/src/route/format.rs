//! Header values with commands such as `%REQ(x-user)%`, as Envoy's formatter takes them.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::command::{self, Command, Fact, PathForm, PathVersion};

/// What is known of a request where operations are applied.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// `GET`, ...
    pub method: &'a str,
    /// Path and query: on the request before a rewrite, on the response after it.
    pub path: &'a str,
    /// `http` or what `x-forwarded-proto` said.
    pub scheme: &'a str,
    /// The request's headers with its `host`; while they are being changed themselves, none are needed.
    pub request: Option<&'a HeaderMap>,
    /// Everything else.
    pub facts: &'a dyn Facts,
}

/// What a proxy can tell beside headers.
pub trait Facts {
    /// Appends what is known of a fact; nothing if it is not known (yet).
    fn tell(&self, fact: &Fact, into: &mut Vec<u8>);
}

/// A value of `set` or `add`, compiled.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    /// Without commands. The empty text is none: it changes nothing.
    Fixed(Option<HeaderValue>),
    Pieces(Vec<Piece>),
}

#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Literal(Vec<u8>),
    Command(Command),
}

/// Why a value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFormat {
    #[error("a `%` without its partner; a percent sign is written `%%`")]
    Unbalanced,
    #[error("the arguments of a `%COMMAND(...)%` are not well formed")]
    Arguments,
    #[error("a header value must not contain control characters")]
    NotAValue,
    /// Passes the API server and istiod.
    #[error("{0}")]
    RefusedByEnvoy(String),
}

impl Format {
    pub(crate) fn parse(text: &str) -> Result<Self, BadFormat> {
        if text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            return Err(BadFormat::NotAValue);
        }
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            literal.extend_from_slice(&rest.as_bytes()[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                literal.push(b'%');
                rest = after;
                continue;
            }
            let end = command_end(rest)?;
            let command = command::parse(&rest[..end]).map_err(BadFormat::RefusedByEnvoy)?;
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            pieces.push(Piece::Command(command));
            rest = &rest[end + 1..];
        }
        literal.extend_from_slice(rest.as_bytes());
        if pieces.is_empty() {
            let value = HeaderValue::from_bytes(&literal).map_err(|_| BadFormat::NotAValue)?;
            return Ok(Format::Fixed(Some(value).filter(|value| !value.is_empty())));
        }
        pieces.push(Piece::Literal(literal));
        Ok(Format::Pieces(pieces))
    }

    /// `None` when the value is empty: the header is then left as it is. `headers` are those being changed.
    pub(crate) fn value(&self, known: &Known<'_>, headers: &HeaderMap) -> Option<HeaderValue> {
        let pieces = match self {
            Format::Fixed(value) => return value.clone(),
            Format::Pieces(pieces) => pieces,
        };
        let mut value = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Literal(text) => value.extend_from_slice(text),
                Piece::Command(command) => tell(command, known, headers, &mut value),
            }
        }
        let value = HeaderValue::from_bytes(&value).ok()?;
        (!value.is_empty()).then_some(value)
    }
}

/// Where a command ends: at the next `%` that is not among its arguments. istiod reads arguments as plain text up to
/// `)`, or as a list of texts in JSON; only blanks may follow them.
fn command_end(text: &str) -> Result<usize, BadFormat> {
    let open = text.find(['%', '(']).ok_or(BadFormat::Unbalanced)?;
    if text.as_bytes()[open] == b'%' {
        return Ok(open);
    }
    let arguments = &text[open + 1..];
    let list = arguments.trim_start().starts_with('[');
    let close = if list {
        let begin = arguments.find('[').unwrap_or_default();
        begin + list_end(&arguments[begin..])?
    } else {
        text_end(arguments)?
    };
    let after = &arguments[close + 1..];
    let blanks = after.len() - after.trim_start().len();
    match after.trim_start().as_bytes().first() {
        Some(b'%') => Ok(open + 1 + close + 1 + blanks),
        Some(_) => Err(BadFormat::Arguments),
        None => Err(BadFormat::Unbalanced),
    }
}

/// The `)` of plain arguments; istiod looks for at least one character.
fn text_end(arguments: &str) -> Result<usize, BadFormat> {
    let first = arguments.len() - arguments.trim_start().len();
    let from = first + arguments[first..].chars().next().map_or(0, char::len_utf8);
    let close = arguments[from..].find(')').ok_or(BadFormat::Unbalanced)?;
    Ok(from + close)
}

/// The `)` after a list of texts in JSON.
fn list_end(arguments: &str) -> Result<usize, BadFormat> {
    let mut values = serde_json::Deserializer::from_str(arguments).into_iter::<Vec<String>>();
    values.next().and_then(Result::ok).ok_or(BadFormat::Arguments)?;
    let at = values.byte_offset();
    let blanks = arguments[at..].len() - arguments[at..].trim_start().len();
    if arguments[at + blanks..].starts_with(')') {
        Ok(at + blanks)
    } else {
        Err(BadFormat::Arguments)
    }
}

fn tell(command: &Command, known: &Known<'_>, headers: &HeaderMap, into: &mut Vec<u8>) {
    match command {
        Command::Request(names) => {
            let request = known.request.unwrap_or(headers);
            let found = names.iter().find_map(|name| match name.as_str() {
                ":method" => Some(known.method.as_bytes()),
                ":path" => Some(known.path.as_bytes()),
                ":scheme" => Some(known.scheme.as_bytes()),
                ":authority" => first(request, "host"),
                name => first(request, name),
            });
            into.extend_from_slice(found.unwrap_or_default());
        }
        // There is no response yet where requests are changed.
        Command::Response(names) if known.request.is_some() => {
            for name in names {
                if name == ":status" {
                    return known.facts.tell(&Fact::Status, into);
                }
                if let Some(value) = first(headers, name) {
                    return into.extend_from_slice(value);
                }
            }
        }
        Command::Response(_) | Command::Unknown => {}
        Command::Query(name) => {
            let query = known.path.split_once('?').map_or("", |(_, query)| query);
            let mut pairs = query
                .split('&')
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            let found = pairs.find(|(key, _)| key == name);
            into.extend_from_slice(found.map_or("", |(_, value)| value).as_bytes());
        }
        Command::WholeQuery => {
            let query = known.path.split_once('?').map_or("", |(_, query)| query);
            into.extend_from_slice(query.as_bytes());
        }
        Command::Path(form) => into.extend_from_slice(path(*form, known, headers)),
        Command::Fixed(text) => into.extend_from_slice(text.as_bytes()),
        Command::Fact(fact) => known.facts.tell(fact, into),
    }
}

fn path<'k>(form: PathForm, known: &Known<'k>, headers: &'k HeaderMap) -> &'k [u8] {
    let original = || first(known.request.unwrap_or(headers), "x-envoy-original-path");
    let current = known.path.as_bytes();
    let path = match form.version {
        PathVersion::Original => original().unwrap_or_default(),
        PathVersion::Current => current,
        PathVersion::Either => original().unwrap_or(current),
    };
    let end = path.iter().position(|byte| *byte == b'?' && !form.query);
    &path[..end.unwrap_or(path.len())]
}

/// The first line of a header.
fn first<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    headers.get(name).map(HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says the fact's name.
    struct Names;

    impl Facts for Names {
        fn tell(&self, fact: &Fact, into: &mut Vec<u8>) {
            into.extend_from_slice(format!("{fact:?}").as_bytes());
        }
    }

    fn value(format: &str) -> Option<String> {
        let mut request = HeaderMap::new();
        for (name, value) in [("host", "auth:8080"), ("x-user", "alice"), ("x-user", "bob")] {
            request.append(name, HeaderValue::from_static(value));
        }
        let known = Known {
            method: "GET",
            path: "/a?user=%20&x",
            scheme: "http",
            request: None,
            facts: &Names,
        };
        let value = Format::parse(format).unwrap().value(&known, &request)?;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn commands_tell_what_is_known() {
        for (format, expected) in [
            ("plain", Some("plain")),
            ("100%%", Some("100%")),
            ("%REQ(x-user)%", Some("alice")),
            ("<%REQ(x-none)%>", Some("<>")),
            ("%REQ(x-none)%", None),
            ("%REQ(x-none?X-User)%", Some("alice")),
            (
                "%REQ(:method)% %REQ(:authority)%%REQ(:path)%",
                Some("GET auth:8080/a?user=%20&x"),
            ),
            ("%PATH(NQ)%|%PATH%|%PATH(WQ:ORIG)%", Some("/a|/a?user=%20&x|")),
            ("%QUERY_PARAMS%", Some("user=%20&x")),
            ("%ENVIRONMENT(HOME)%", Some("-")),
            ("%ACCESS_LOG_TYPE%", Some("NotSet")),
            ("%QUERY_PARAM(user)%", Some("%20")),
            ("%QUERY_PARAM(x)%", None),
            ("%RESP(x-user)%", None),
            ("%REQUESTED_SERVER_NAME%", None),
            ("%ROUTE_NAME%", Some("RouteName")),
            ("", None),
        ] {
            assert_eq!(value(format).as_deref(), expected, "{format}");
        }
    }

    #[test]
    fn what_istiod_refuses_is_told_from_what_envoy_refuses() {
        for format in [
            "100%",
            "%REQ(:path)",
            "%()%",
            "%REQ(x):3%",
            "a\nb",
            "%X([\"a\" \"b\"])%",
        ] {
            let error = Format::parse(format).unwrap_err();
            assert!(
                !matches!(error, BadFormat::RefusedByEnvoy(_)),
                "{format}: {error}"
            );
        }
        for format in [
            "%UNKNOWN%",
            "%REQ%",
            "% %",
            "%req(x)%",
            "%ROUTE_NAME(x)%",
            "%REQ(a?b?c)%",
        ] {
            let error = Format::parse(format).unwrap_err();
            assert!(matches!(error, BadFormat::RefusedByEnvoy(_)), "{format}: {error}");
        }
    }
}
