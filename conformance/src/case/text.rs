//! Values that YAML may have written without quotes.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// A scalar as text: `1` and `true` need no quotes. A float does, as `1.10` would not come back as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub String);

/// The values of a header that may be repeated: a scalar is one line, a list several, an empty list none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(pub Vec<String>);

/// Headers to be sent: in document order and in their own spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, Lines)>);

// === impl Fields ===

impl Fields {
    /// Every header line.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.0.iter();
        fields.flat_map(|(name, lines)| lines.0.iter().map(move |line| (name.as_str(), line.as_str())))
    }

    /// Whether it is named, be it with no value at all. Case does not matter.
    pub fn names(&self, name: &str) -> bool {
        self.0.iter().any(|(one, _)| one.eq_ignore_ascii_case(name))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(text.to_owned())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, lines)| (name, &lines.0)))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Lines(mut lines) = Lines::deserialize(from)?;
        match lines.pop() {
            Some(only) if lines.is_empty() => Ok(Text(only)),
            _ => Err(de::Error::custom("expected one value, not a list")),
        }
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Scalars)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Pairs)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Fields;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("headers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some((Text(name), lines)) = map.next_entry()? {
            fields.push((name, lines));
        }
        Ok(Fields(fields))
    }
}

struct Scalars;

impl<'de> Visitor<'de> for Scalars {
    type Value = Lines;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text (a number with a point needs quotes) or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Lines, E> {
        Ok(Lines(vec![text.to_owned()]))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Lines, E> {
        Ok(Lines(vec![value.to_string()]))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Lines, E> {
        Ok(Lines(vec![value.to_string()]))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Lines, E> {
        Ok(Lines(vec![value.to_string()]))
    }

    fn visit_unit<E>(self) -> Result<Lines, E> {
        Ok(Lines(vec![String::new()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lines, A::Error> {
        let mut lines = Vec::new();
        while let Some(Text(line)) = list.next_element()? {
            lines.push(line);
        }
        Ok(Lines(lines))
    }
}
