//! Character classes: sets of bytes.

use std::fmt::Write;

use regex_syntax::hir::{Class as Known, HirKind};

use super::{BadExpression, Reader};

/// A set of bytes, or all the others.
#[derive(Clone, Copy)]
pub(super) struct Class {
    bytes: [bool; 256],
    /// Kept apart, so that letters in both cases are added before the set is turned round.
    negated: bool,
}

/// First and last byte of each.
type Ranges = &'static [(u8, u8)];

/// Classes that a backslash, or `[:name:]` inside of a class, stands for. `\s` has no vertical tab, `[:space:]` does.
const NAMED: &[(&str, &str, Ranges)] = &[
    (r"\d", "[:digit:]", &[(b'0', b'9')]),
    (
        r"\w",
        "[:word:]",
        &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
    ),
    (r"\s", "", &[(9, 10), (12, 13), (b' ', b' ')]),
    ("", "[:alnum:]", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
    ("", "[:alpha:]", &[(b'A', b'Z'), (b'a', b'z')]),
    ("", "[:ascii:]", &[(0, 0x7f)]),
    ("", "[:blank:]", &[(b'\t', b'\t'), (b' ', b' ')]),
    ("", "[:cntrl:]", &[(0, 0x1f), (0x7f, 0x7f)]),
    ("", "[:graph:]", &[(b'!', b'~')]),
    ("", "[:lower:]", &[(b'a', b'z')]),
    ("", "[:print:]", &[(b' ', b'~')]),
    (
        "",
        "[:punct:]",
        &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
    ),
    ("", "[:space:]", &[(9, 13), (b' ', b' ')]),
    ("", "[:upper:]", &[(b'A', b'Z')]),
    ("", "[:xdigit:]", &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
];

/// Names of four letters that are no abbreviations, which RE2 does not know.
const SHORT_SCRIPTS: &[&str] = &["Cham", "Kawi", "Lisu", "Thai", "Toto"];

/// One byte as the crate takes it.
pub(super) fn byte(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() {
        char::from(byte).to_string()
    } else {
        format!("\\x{byte:02X}")
    }
}

impl Class {
    fn empty() -> Self {
        Class {
            bytes: [false; 256],
            negated: false,
        }
    }

    fn add(&mut self, low: u8, high: u8) {
        self.bytes[usize::from(low)..=usize::from(high)].fill(true);
    }

    fn add_all(&mut self, other: &Class) {
        for (own, new) in self.bytes.iter_mut().zip(other.bytes) {
            *own |= new != other.negated;
        }
    }

    /// As the crate takes it.
    pub(super) fn text(&self) -> String {
        let mut text = String::from(if self.negated { "[^" } else { "[" });
        let mut low = 0;
        while let Some(found) = (low..256).find(|&byte| self.bytes[byte]) {
            let end = (found..256).find(|&byte| !self.bytes[byte]).unwrap_or(256);
            // Writing to a String does not fail.
            let _ = write!(text, "\\x{found:02X}-\\x{:02X}", end - 1);
            low = end;
        }
        if low == 0 {
            // The crate has no empty class, but it has one that nothing is in.
            return if self.negated {
                r"[\x00-\xFF]"
            } else {
                r"[^\x00-\xFF]"
            }
            .to_owned();
        }
        text.push(']');
        text
    }
}

impl Reader<'_> {
    /// The inside of a class, up to its bracket.
    pub(super) fn class(&mut self) -> Result<Class, BadExpression> {
        let mut class = Class::empty();
        class.negated = self.eat(b"^");
        let mut first = true;
        loop {
            match self.rest() {
                [] => return Err(BadExpression::OpenClass),
                [b']', ..] if !first => break,
                [b'[', b':', ..] => self.posix(&mut class)?,
                [b'\\', ..] => match self.named_class()? {
                    Some(named) => class.add_all(&named),
                    None => self.range(&mut class)?,
                },
                _ => self.range(&mut class)?,
            }
            first = false;
        }
        self.at += 1;
        Ok(class)
    }

    /// One character, or two with a dash between them.
    fn range(&mut self, class: &mut Class) -> Result<(), BadExpression> {
        let start = self.at;
        self.wide_range()?;
        let low = self.character()?;
        let mut high = low;
        if self.rest().first() == Some(&b'-') && self.rest().get(1).is_some_and(|next| *next != b']') {
            self.at += 1;
            high = self.character()?;
        }
        if high < low {
            return Err(BadExpression::Range(self.since(start)));
        }
        class.add(low, high);
        Ok(())
    }

    /// Go reads characters where Envoy reads bytes: two characters of several bytes each are in order for both, or wrong.
    fn wide_range(&self) -> Result<(), BadExpression> {
        let mut rest = std::str::from_utf8(self.rest()).unwrap_or_default().chars();
        let (low, dash, high) = (rest.next(), rest.next(), rest.next());
        match (low, dash, high) {
            (Some(low), Some('-'), Some(high)) if !low.is_ascii() && !high.is_ascii() && high < low => {
                Err(BadExpression::Range(format!("{low}-{high}")))
            }
            _ => Ok(()),
        }
    }

    fn character(&mut self) -> Result<u8, BadExpression> {
        match self.rest().first() {
            None => Err(BadExpression::OpenClass),
            Some(b'\\') => self.escape(),
            Some(&byte) => {
                self.at += 1;
                Ok(byte)
            }
        }
    }

    /// `[:alpha:]`, `[:^alpha:]`; without a `:]` behind it, it is a bracket and a colon.
    fn posix(&mut self, class: &mut Class) -> Result<(), BadExpression> {
        let Some(end) = self.rest().windows(2).position(|two| two == b":]") else {
            return self.range(class);
        };
        let start = self.at;
        self.at += end + 2;
        let text = self.since(start);
        let plain = text.replacen("[:^", "[:", 1);
        let (.., ranges) = NAMED
            .iter()
            .find(|(_, posix, _)| *posix == plain)
            .ok_or_else(|| BadExpression::Class(text.clone()))?;
        let mut named = Class::empty();
        ranges.iter().for_each(|&(low, high)| named.add(low, high));
        named.negated = plain != text;
        class.add_all(&named);
        Ok(())
    }

    /// `\d`, `\S`, `\pL`, `\p{Greek}`; `None` if what follows is another escape.
    pub(super) fn named_class(&mut self) -> Result<Option<Class>, BadExpression> {
        let Some(&letter) = self.rest().get(1) else {
            return Ok(None);
        };
        if letter == b'p' || letter == b'P' {
            return self.unicode_class().map(Some);
        }
        let small = format!("\\{}", char::from(letter.to_ascii_lowercase()));
        let Some((.., ranges)) = NAMED.iter().find(|(perl, ..)| *perl == small) else {
            return Ok(None);
        };
        self.at += 2;
        let mut class = Class::empty();
        ranges.iter().for_each(|&(low, high)| class.add(low, high));
        class.negated = letter.is_ascii_uppercase();
        Ok(Some(class))
    }

    /// What a general category or a script has in Latin-1.
    fn unicode_class(&mut self) -> Result<Class, BadExpression> {
        let start = self.at;
        let mut negated = self.rest()[1] == b'P';
        self.at += 2;
        let name = match self.rest() {
            [b'{', rest @ ..] => {
                let length = rest.iter().position(|byte| *byte == b'}');
                let name = length.map(|length| String::from_utf8_lossy(&rest[..length]).into_owned());
                self.at += length.map_or(self.rest().len(), |length| length + 2);
                name
            }
            [letter, ..] => {
                let name = char::from(*letter).to_string();
                self.at += 1;
                Some(name)
            }
            [] => None,
        };
        let unknown = || BadExpression::Class(self.since(start));
        let name = name.ok_or_else(unknown)?;
        let plain = name.strip_prefix('^').unwrap_or(&name);
        negated ^= plain != name;
        let mut class = latin1(plain).ok_or_else(unknown)?;
        class.negated = negated;
        Ok(class)
    }
}

/// The first 256 characters of a class that RE2 knows by this name: categories of one or two letters, scripts in full.
fn latin1(name: &str) -> Option<Class> {
    let letters = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) || !name.chars().all(letters) {
        return None;
    }
    let expression = match name.len() {
        _ if name == "Any" => return Some(all()),
        1 | 2 if name != "Yi" => format!(r"\p{{gc={name}}}"),
        4 if !SHORT_SCRIPTS.contains(&name) => return None,
        _ => format!(r"\p{{sc={name}}}"),
    };
    let hir = regex_syntax::parse(&expression).ok()?;
    let HirKind::Class(Known::Unicode(known)) = hir.kind() else {
        return None;
    };
    let mut class = Class::empty();
    for range in known.iter() {
        let end = u8::try_from(u32::from(range.end())).unwrap_or(u8::MAX);
        if let Ok(start) = u8::try_from(u32::from(range.start())) {
            class.add(start, end);
        }
    }
    Some(class)
}

fn all() -> Class {
    let mut class = Class::empty();
    class.add(0, u8::MAX);
    class
}
