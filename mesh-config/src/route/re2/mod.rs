//! RE2's expressions in the words of the `regex` crate.
//!
//! The webhook compiles expressions with Go's `regexp`, Envoy compiles them with RE2 in Latin-1 (every byte is a
//! character). The crate is of the same family, but refuses and accepts other things, and some mean something else in
//! it: sets in classes, `\s`, `\d` and `\w` beyond ASCII. So an expression is read here by the rules that both of them
//! follow, and written anew in a form in which the crate has nothing to decide: bytes, explicit classes, no names.

mod class;

/// Repetitions within each other count this often at most, in Go as in RE2.
const MOST_REPEATS: u32 = 1000;

/// Groups within each other, at most (Go's limit on the height of an expression).
const DEEPEST: usize = 1000;

/// Why Go or Envoy refuses an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadExpression {
    #[error("missing argument to repetition operator `{0}`")]
    NothingToRepeat(String),
    #[error("invalid nested repetition operator `{0}`")]
    RepeatedRepeat(String),
    #[error("invalid repeat count `{0}`: at most 1000, nested ones multiplied")]
    RepeatCount(String),
    #[error("missing closing `)`")]
    OpenGroup,
    #[error("unexpected `)`")]
    ClosedGroup,
    #[error("invalid group `{0}`: look-around, conditions and comments are not part of RE2")]
    Group(String),
    #[error("missing closing `]`")]
    OpenClass,
    #[error("invalid character class range `{0}`")]
    Range(String),
    #[error("there is no character class `{0}`")]
    Class(String),
    #[error("invalid escape sequence `{0}`")]
    Escape(String),
    #[error("Envoy refuses `{0}`: it compiles expressions in Latin-1, up to \\x{{ff}}")]
    NotLatin1(String),
    #[error("it is nested too deeply")]
    TooDeep,
}

/// Reads an expression of RE2 and writes it for `regex::bytes` without Unicode.
///
/// # Errors
/// What Go's `regexp` or Envoy refuses.
pub(crate) fn translate(source: &str) -> Result<String, BadExpression> {
    let mut reader = Reader {
        text: source.as_bytes(),
        at: 0,
        out: String::new(),
        groups: Vec::new(),
        last: Last::Nothing,
    };
    reader.run()?;
    Ok(reader.out)
}

/// What was written last, for a repetition that follows.
#[derive(Clone, Copy)]
enum Last {
    /// Nothing that can be repeated.
    Nothing,
    /// The repetitions inside of it multiply to this.
    Atom(u32),
    /// A repetition; the product with it.
    Repeat(u32),
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    out: String,
    /// Groups that are open: the greatest product of repetitions inside so far.
    groups: Vec<u32>,
    last: Last,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    /// What is read from a place on, for messages.
    fn since(&self, start: usize) -> String {
        String::from_utf8_lossy(&self.text[start..self.at.min(self.text.len())]).into_owned()
    }

    fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn run(&mut self) -> Result<(), BadExpression> {
        while let Some(&byte) = self.rest().first() {
            match byte {
                b'(' => self.open()?,
                b')' => self.close()?,
                b'|' => {
                    self.at += 1;
                    self.settle();
                    self.out.push('|');
                }
                b'*' | b'+' | b'?' => self.repeat(self.at + 1, 1)?,
                b'{' => self.counted()?,
                b'[' => {
                    self.at += 1;
                    let class = self.class()?;
                    self.atom(&class.text());
                }
                b'.' | b'^' | b'$' => {
                    self.at += 1;
                    self.atom(&char::from(byte).to_string());
                }
                b'\\' => self.escaped()?,
                _ => {
                    self.at += 1;
                    self.literal(byte);
                }
            }
        }
        if self.groups.is_empty() {
            Ok(())
        } else {
            Err(BadExpression::OpenGroup)
        }
    }

    /// The last atom is complete: it counts for the group around it, and nothing repeats it any more.
    fn settle(&mut self) {
        let (Last::Atom(product) | Last::Repeat(product)) = self.last else {
            return;
        };
        if let Some(group) = self.groups.last_mut() {
            *group = product.max(*group);
        }
        self.last = Last::Nothing;
    }

    fn atom(&mut self, text: &str) {
        self.settle();
        self.last = Last::Atom(1);
        self.out.push_str(text);
    }

    fn literal(&mut self, byte: u8) {
        self.atom(&class::byte(byte));
    }

    /// A repetition operator that ends at `end` and counts `times`.
    fn repeat(&mut self, end: usize, times: u32) -> Result<(), BadExpression> {
        let start = self.at;
        self.at = end;
        let operator = self.since(start);
        let product = match self.last {
            Last::Nothing => return Err(BadExpression::NothingToRepeat(operator)),
            Last::Repeat(_) => return Err(BadExpression::RepeatedRepeat(operator)),
            Last::Atom(product) => product.saturating_mul(times),
        };
        if product > MOST_REPEATS {
            return Err(BadExpression::RepeatCount(operator));
        }
        self.out.push_str(&operator);
        if self.eat(b"?") {
            self.out.push('?');
        }
        self.last = Last::Repeat(product);
        Ok(())
    }

    /// `{n}`, `{n,}`, `{n,m}`; anything else in braces is text.
    fn counted(&mut self) -> Result<(), BadExpression> {
        let Some((low, high, length)) = braces(self.rest()) else {
            self.at += 1;
            self.literal(b'{');
            return Ok(());
        };
        let end = self.at + length;
        if low > MOST_REPEATS || high.is_some_and(|high| high > MOST_REPEATS || high < low) {
            let start = std::mem::replace(&mut self.at, end);
            return Err(BadExpression::RepeatCount(self.since(start)));
        }
        self.repeat(end, high.unwrap_or(low).max(1))
    }

    /// A group: plain, named, or with flags.
    fn open(&mut self) -> Result<(), BadExpression> {
        let start = self.at;
        self.at += 1;
        self.settle();
        if self.groups.len() >= DEEPEST {
            return Err(BadExpression::TooDeep);
        }
        if self.eat(b"?P<") || self.eat(b"?<") {
            let name = self
                .rest()
                .iter()
                .take_while(|b| **b == b'_' || b.is_ascii_alphanumeric());
            let length = name.count();
            self.at += length;
            if length == 0 || !self.eat(b">") {
                self.at += 1;
                return Err(BadExpression::Group(self.since(start)));
            }
        } else if self.eat(b"?") {
            return self.flags(start);
        }
        self.enter("(");
        Ok(())
    }

    fn enter(&mut self, text: &str) {
        self.groups.push(1);
        self.out.push_str(text);
    }

    /// `(?i)`, `(?s-m:`: flags for the rest of the group, or for a group of their own.
    fn flags(&mut self, start: usize) -> Result<(), BadExpression> {
        let (mut minus, mut flags) = (false, String::new());
        loop {
            let byte = self.rest().first().copied();
            self.at += 1;
            match byte {
                Some(flag @ (b'i' | b'm' | b's' | b'U')) => flags.push(char::from(flag)),
                Some(b'-') if !minus => {
                    minus = true;
                    flags.push('-');
                }
                Some(b':' | b')') if flags.ends_with('-') => break,
                Some(b':') => {
                    self.enter(&format!("(?{flags}:"));
                    return Ok(());
                }
                Some(b')') => {
                    if !flags.is_empty() {
                        self.out.push_str(&format!("(?{flags})"));
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(BadExpression::Group(self.since(start)))
    }

    fn close(&mut self) -> Result<(), BadExpression> {
        self.at += 1;
        self.settle();
        let product = self.groups.pop().ok_or(BadExpression::ClosedGroup)?;
        self.out.push(')');
        self.last = Last::Atom(product);
        Ok(())
    }

    /// What follows a backslash outside of a class.
    fn escaped(&mut self) -> Result<(), BadExpression> {
        if self.eat(br"\Q") {
            let rest = self.rest();
            let end = rest.windows(2).position(|two| two == br"\E");
            let quoted = rest[..end.unwrap_or(rest.len())].to_vec();
            self.at += quoted.len() + if end.is_some() { 2 } else { 0 };
            quoted.into_iter().for_each(|byte| self.literal(byte));
            return Ok(());
        }
        if let [_, anchor @ (b'A' | b'z' | b'b' | b'B'), ..] = self.rest() {
            let text = format!("\\{}", char::from(*anchor));
            self.at += 2;
            self.atom(&text);
            return Ok(());
        }
        match self.named_class()? {
            Some(class) => self.atom(&class.text()),
            None => {
                let byte = self.escape()?;
                self.literal(byte);
            }
        }
        Ok(())
    }

    /// An escape that stands for one character; the backslash is next.
    fn escape(&mut self) -> Result<u8, BadExpression> {
        let start = self.at;
        let digits = |text: &[u8], most: usize| {
            text.iter()
                .take(most)
                .take_while(|b| (b'0'..=b'7').contains(b))
                .count()
        };
        let (value, length) = match self.rest().get(1..).unwrap_or_default() {
            [b'1'..=b'7', b'0'..=b'7', ..] | [b'0', ..] => {
                let length = digits(&self.rest()[1..], 3);
                (number(&self.rest()[1..=length], 8), 1 + length)
            }
            [b'x', b'{', rest @ ..] => {
                let length = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
                let closed = length > 0 && rest.get(length) == Some(&b'}');
                (closed.then(|| number(&rest[..length], 16)).flatten(), 4 + length)
            }
            [b'x', a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => (number(&[*a, *b], 16), 4),
            [letter, ..] => (simple(*letter).map(u32::from), 2),
            [] => (None, 1),
        };
        self.at += length;
        match value {
            Some(value @ 0..=0xff) => Ok(u8::try_from(value).unwrap_or_default()),
            Some(0x100..=0x0010_ffff) => Err(BadExpression::NotLatin1(self.since(start))),
            _ => Err(BadExpression::Escape(self.since(start))),
        }
    }
}

/// Escapes of one letter, and punctuation that stands for itself.
fn simple(letter: u8) -> Option<u8> {
    match letter {
        b'a' => Some(7),
        b'f' => Some(12),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'v' => Some(11),
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => Some(other),
        _ => None,
    }
}

fn number(digits: &[u8], base: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, base).ok()
}

/// Lower and upper bound, and the length with the braces. Counts beyond all limits are `u32::MAX`.
fn braces(text: &[u8]) -> Option<(u32, Option<u32>, usize)> {
    let end = text.iter().position(|byte| *byte == b'}')?;
    let inner = std::str::from_utf8(&text[1..end]).ok()?;
    let count = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let plain = plain && (digits.len() == 1 || !digits.starts_with('0'));
        plain.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let (low, high) = match inner.split_once(',') {
        None => (count(inner)?, Some(count(inner)?)),
        Some((low, "")) => (count(low)?, None),
        Some((low, high)) => (count(low)?, Some(count(high)?)),
    };
    Some((low, high, end + 1))
}
