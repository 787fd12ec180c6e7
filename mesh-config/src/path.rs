//! Path normalisation.

use std::borrow::Cow;

/// Normalises path and query as Envoy does for Istio's default (BASE): dot segments are resolved, a backslash is a
/// slash, encoded unreserved characters are decoded, some raw signs are encoded, a fragment is cut off. Slashes are
/// not merged, `%2F` stays, the query is untouched. `None`: refuse with 400.
#[must_use]
pub fn normalise_path(path_and_query: &str) -> Option<Cow<'_, str>> {
    let without_fragment = path_and_query.split('#').next().unwrap_or_default();
    let split = without_fragment.find('?').unwrap_or(without_fragment.len());
    let (path, query) = without_fragment.split_at(split);
    if !path.starts_with('/') {
        return None;
    }
    if is_plain(path) {
        return Some(Cow::Borrowed(without_fragment));
    }
    let decoded = recode(path)?;
    Some(Cow::Owned(resolve(&decoded) + query))
}

/// Nothing to do: no encoded or to be encoded sign, no dot segment.
fn is_plain(path: &str) -> bool {
    let plain = |b: u8| !matches!(b, b'%' | b'\\') && !must_be_encoded(b);
    path.bytes().all(plain) && !path.contains("/.")
}

fn must_be_encoded(byte: u8) -> bool {
    !byte.is_ascii_graphic() || matches!(byte, b'|' | b'{' | b'}' | b'"' | b'^' | b'`' | b'<' | b'>')
}

/// Decodes unreserved characters, encodes what must be; `None` for an encoded NUL.
fn recode(path: &str) -> Option<String> {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(path.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        index += 1;
        let encoded = (byte == b'%')
            .then(|| hex(bytes.get(index), bytes.get(index + 1)))
            .flatten();
        match encoded {
            Some(0) => return None,
            Some(value) if value.is_ascii_alphanumeric() || b"-._~".contains(&value) => {
                out.push(char::from(value));
                index += 2;
            }
            // The digits keep their case.
            Some(_) => {
                out.push_str(&path[index - 1..index + 2]);
                index += 2;
            }
            None if byte == b'\\' => out.push('/'),
            None if must_be_encoded(byte) => out.push_str(&format!("%{byte:02X}")),
            None => out.push(char::from(byte)),
        }
    }
    Some(out)
}

fn hex(high: Option<&u8>, low: Option<&u8>) -> Option<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? * 16 + digit(low)?)
}

/// Resolves dot segments. `..` takes back one segment, also an empty one, and stays below the root.
fn resolve(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut rest = path[1..].split('/').peekable();
    while let Some(segment) = rest.next() {
        let last = rest.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    segments.pop();
                }
                // `/a/..` and `/a/.` end in a slash.
                if last {
                    segments.push("");
                }
            }
            other => segments.push(other),
        }
    }
    format!("/{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_as_envoy_does() {
        for (path, expected) in [
            ("/path/a/../b", "/path/b"),
            ("/path/./z", "/path/z"),
            ("/path/%2e%2e/exact", "/exact"),
            ("/path//b///c", "/path//b///c"),
            ("/path/%2Fb", "/path/%2Fb"),
            ("/path/%2fb", "/path/%2fb"),
            ("/path/%41b", "/path/Ab"),
            ("/path\\b", "/path/b"),
            ("/path/a;b=c", "/path/a;b=c"),
            ("/a?x=/../y", "/a?x=/../y"),
            ("/a#frag", "/a"),
            ("/a|b", "/a%7Cb"),
            ("/a%zz", "/a%zz"),
            ("/a%", "/a%"),
            ("/p//../x", "/p/x"),
            ("/a/b/..", "/a/"),
            ("/a/.", "/a/"),
            ("/../../x", "/x"),
            ("/%5C", "/%5C"),
            ("/a/..?q", "/?q"),
            ("/.well-known", "/.well-known"),
        ] {
            assert_eq!(normalise_path(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn an_encoded_nul_and_a_relative_path_are_refused() {
        assert_eq!(normalise_path("/a%00"), None);
        assert_eq!(normalise_path("a"), None);
    }

    #[test]
    fn a_plain_path_is_not_copied() {
        assert!(matches!(
            normalise_path("/payments/1?x=%20"),
            Some(Cow::Borrowed(_))
        ));
    }
}
