//! Which header values istiod takes. Source: istiod's `header_value_validator.go`, an older reading of Envoy's format.

/// Why istiod refuses a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadValue {
    #[error("a `%` without its partner; a percent sign is written `%%`")]
    Unbalanced,
    #[error("the arguments of a `%COMMAND(...)%` are not well formed")]
    Arguments,
    #[error("a header value must not contain control characters")]
    Control,
}

/// Where in a value the reader is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Literal,
    /// After `%`.
    Name,
    /// After `(`.
    Arguments,
    /// In a list, before a text.
    Element,
    /// In a text, or in plain arguments.
    Text,
    /// In a list, after a text.
    AfterElement,
    /// After a list.
    AfterList,
    /// After `)`.
    End,
}

/// # Errors
/// Why istiod refuses the value.
pub(crate) fn check(value: &str) -> Result<(), BadValue> {
    if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(BadValue::Control);
    }
    let mut place = Place::Literal;
    let mut bytes = value.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let escape = matches!((place, byte), (Place::Literal, b'%') | (Place::Text, b'\\'));
        if !escape {
            place = step(place, byte)?;
            continue;
        }
        match (bytes.peek(), byte) {
            (None, _) => return Err(BadValue::Unbalanced),
            (Some(b'%'), b'%') | (Some(_), b'\\') => {
                bytes.next();
            }
            _ => place = Place::Name,
        }
    }
    if place == Place::Literal {
        Ok(())
    } else {
        Err(BadValue::Unbalanced)
    }
}

fn step(place: Place, byte: u8) -> Result<Place, BadValue> {
    Ok(match (place, byte) {
        (Place::Literal, _) => Place::Literal,
        (Place::Name | Place::End, b'%') => Place::Literal,
        (Place::Name, b'(') => Place::Arguments,
        (Place::Name, _) => Place::Name,
        (Place::Arguments, b'[') | (Place::AfterElement, b',') => Place::Element,
        (Place::Element, b'"') => Place::Text,
        (Place::Text, b')') | (Place::AfterList, b')') => Place::End,
        (Place::Text, b'"') => Place::AfterElement,
        (Place::AfterElement, b']') => Place::AfterList,
        (Place::Arguments | Place::Element | Place::AfterElement | Place::AfterList | Place::End, b' ') => {
            place
        }
        (Place::Arguments | Place::Text, _) => Place::Text,
        (Place::Element | Place::AfterElement | Place::AfterList | Place::End, _) => {
            return Err(BadValue::Arguments);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn values_are_taken_as_istiod_takes_them() {
        for value in [
            "",
            "plain",
            "100%%",
            "%X%",
            "%%%X%",
            "a\tb",
            "%REQ(x)%",
            "%X( a ) %",
            "%X([ \"a\" , \"b\" ] )%",
            "%X(a\\)b)%",
            "%X()a)%",
            "ä",
        ] {
            assert_eq!(check(value), Ok(()), "{value}");
        }
        for value in [
            "%",
            "100%",
            "%X",
            "%X(%",
            "%X(a)b%",
            "%X([a])%",
            "%X([\"a\" \"b\"])%",
            "%X([\"a\"]x)%",
            "%X(a\\",
            "%X([\"a)b\"])%",
            "a\nb",
            "\u{7f}",
            "%X()%",
        ] {
            assert!(check(value).is_err(), "{value}");
        }
    }
}
