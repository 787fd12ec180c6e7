//! Tabs that kubectl's YAML does not take: before the first word of a line and behind `- `, outside of brackets and quotes.
//! YAML 1.2, which the parser here follows, takes some of them. Source: `yaml_parser_scan_to_next_token`,
//! `yaml_parser_scan_plain_scalar` and `yaml_parser_scan_block_scalar` of goyaml v2.

/// Line and column, from 0, of the first wrong tab of a document that is YAML otherwise.
pub(super) fn misplaced(text: &str) -> Option<(usize, usize)> {
    if !text.contains('\t') {
        return None;
    }
    let mut scanner = Scanner::default();
    let mut lines = super::lines(text).enumerate();
    lines.find_map(|(number, line)| {
        let line: Vec<char> = line.chars().collect();
        scanner.line(&line).err().map(|Tab(column)| (number, column))
    })
}

/// The column of a wrong tab.
struct Tab(usize);

#[derive(Default)]
struct Scanner {
    /// How far what belongs to the innermost key or dash is indented at least.
    indent: usize,
    /// How many brackets are open.
    flow: usize,
    quote: Option<char>,
    /// Inside of a `|` or `>`, with its indentation as soon as that is known.
    block: Option<Option<usize>>,
    /// The last word may go on in the next line.
    plain: bool,
}

impl Scanner {
    fn line(&mut self, line: &[char]) -> Result<(), Tab> {
        if self.flow > 0 || self.quote.is_some() {
            return self.words(line, 0, false);
        }
        let spaces = line.iter().take_while(|c| **c == ' ').count();
        let tab = line.get(spaces) == Some(&'\t');
        if let Some(content) = self.block {
            if spaces == line.len() || content.is_some_and(|content| spaces >= content) {
                return Ok(());
            }
            if tab {
                return Err(Tab(spaces));
            }
            if content.is_none() && spaces >= self.indent {
                self.block = Some(Some(spaces));
                return Ok(());
            }
            self.block = None;
        }
        if tab && !(self.plain && spaces >= self.indent) {
            return Err(Tab(spaces));
        }
        self.words(line, spaces, !tab)
    }

    /// The words of a line from a column on; `fresh` if nothing but dashes is before it.
    fn words(&mut self, line: &[char], mut at: usize, mut fresh: bool) -> Result<(), Tab> {
        while let Some(&c) = line.get(at) {
            let next = line.get(at + 1).copied();
            let alone = next.is_none_or(char::is_whitespace);
            if let Some(quote) = self.quote {
                at += if c == '\\' && quote == '"' { 2 } else { 1 };
                if c == quote {
                    self.quote = None;
                }
                continue;
            }
            match c {
                '\t' if fresh && self.flow == 0 => return Err(Tab(at)),
                ' ' | '\t' => {}
                '#' if at == 0 || line[at - 1].is_whitespace() => {
                    self.plain = false;
                    return Ok(());
                }
                '-' | '?' if alone && fresh => {
                    (self.indent, self.plain) = (at + 1, false);
                    at += 1;
                    continue;
                }
                '"' | '\'' => (self.quote, self.plain) = (Some(c), false),
                '[' | '{' => (self.flow, self.plain) = (self.flow + 1, false),
                ']' | '}' if self.flow > 0 => self.flow -= 1,
                ',' | ':' if self.flow > 0 => {}
                ':' if alone => {}
                '|' | '>' if self.flow == 0 => {
                    let digit = line.iter().skip(at).find_map(|c| c.to_digit(10));
                    let parent = self.indent.saturating_sub(1);
                    self.block = Some(
                        digit
                            .and_then(|digit| usize::try_from(digit).ok())
                            .map(|digit| parent + digit),
                    );
                    return Ok(());
                }
                '&' | '*' | '!' => at = end_of(line, at, |c, _| c.is_whitespace()) - 1,
                _ => at = self.word(line, at, fresh) - 1,
            }
            fresh &= c == ' ';
            at += 1;
        }
        Ok(())
    }

    /// A word without quotes, or several; where it ends.
    fn word(&mut self, line: &[char], start: usize, fresh: bool) -> usize {
        let flow = self.flow > 0;
        let end = end_of(line, start, |c, next| {
            let blank = next.is_none_or(char::is_whitespace);
            c == ':' && (blank || flow && matches!(next, Some(',' | ']' | '}')))
                || c.is_whitespace() && next == Some('#')
                || flow && matches!(c, ',' | '[' | ']' | '{' | '}')
        });
        let key = line.get(end) == Some(&':');
        self.plain = !key && !flow;
        if key && !flow && fresh {
            self.indent = start + 1;
        }
        end
    }
}

/// The first column behind `start` at which a character, with the next one, ends something.
fn end_of(line: &[char], start: usize, ends: impl Fn(char, Option<char>) -> bool) -> usize {
    (start + 1..line.len())
        .find(|&at| ends(line[at], line.get(at + 1).copied()))
        .unwrap_or(line.len())
}

#[cfg(test)]
mod tests {
    use super::misplaced;

    #[test]
    fn a_tab_may_not_indent_nor_follow_a_dash() {
        for (text, place) in [
            ("\ta: b", (0, 0)),
            ("a: b\n\t\nc: d", (1, 0)),
            ("a:\n \tb: c", (1, 1)),
            ("a: 'b'\n\t# c", (1, 0)),
            ("a:\n-\tb", (1, 1)),
            ("a:\n- \tb", (1, 2)),
            ("a: |\n  \tb", (1, 2)),
            ("a: |\n  b\n\t\n", (2, 0)),
            ("a: [b]\n\t", (1, 0)),
        ] {
            assert_eq!(misplaced(text), Some(place), "{text:?}");
        }
    }

    #[test]
    fn a_tab_may_stand_between_words_in_brackets_quotes_and_blocks() {
        for text in [
            "a:\tb\t# c",
            "a: b\t",
            "a: [\n\tb,\n\t# c\n\tc\n\t]\n",
            "a: \"b\n\tc\"\n",
            "a: |\n  b\n  \tc\n",
            "a: b\n \tc",
            "a: b\n  \t# c",
            "- a: b\n   \tc",
            "a: {b: c,\n\td: 'e'}\nf: g",
            "\"a\":\t'b'",
        ] {
            assert_eq!(misplaced(text), None, "{text:?}");
        }
    }
}
