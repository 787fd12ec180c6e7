//! Documents with places: YAML text becomes a tree in which every key and value knows its line and column.
//!
//! The objects are read from this tree and not straight into serde structs, because a tree lets every problem of a
//! document be reported at once, each with its path (`spec.http[0].mirror`), and tells a real field that is not
//! implemented from a misspelt one.

mod fields;
mod find;
mod node;
mod plain;
mod scalars;
pub(crate) mod similar;
mod split;
mod tabs;
mod value;

use std::cell::RefCell;

pub(crate) use fields::Fields;
pub(crate) use find::mark_at;
pub(crate) use node::Item;
pub(crate) use value::Value;

use crate::check::catalogue::{Check, Layer};
use crate::check::{proxy, schema};
use crate::object::ObjectKey;
use crate::problem::{Mark, Problem, Source};

/// One document of a source: its text and the line at which it begins.
pub(crate) struct Document<'a> {
    /// The source's name.
    pub(crate) file: &'a str,
    /// Its text, without the `---` around it.
    pub(crate) text: &'a str,
    /// 1-based line of the source at which `text` begins.
    pub(crate) first_line: usize,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Document<'a> {
    /// The documents of a source, as kubectl finds them.
    pub(crate) fn split(source: &'a Source) -> Vec<Document<'a>> {
        let pieces = split::pieces(&source.text).into_iter();
        pieces.map(|piece| Document::new(source, &piece)).collect()
    }

    fn new(source: &'a Source, piece: &split::Piece<'a>) -> Self {
        let wrong = piece
            .wrong
            .iter()
            .map(|&(line, message)| (&schema::NOT_YAML, line, message));
        let unread = piece.unread.map(|line| {
            (
                &proxy::UNREAD,
                line,
                "nothing is read from here on: `...` has ended the document",
            )
        });
        let problems = wrong.chain(unread).map(|(check, line, message)| {
            let text = lines(&source.text).nth(line - 1).unwrap_or_default();
            let mark = Mark {
                line,
                column: 1,
                length: text.chars().count(),
            };
            Problem::new(check, &source.name, mark, text, message.to_owned(), None)
        });
        Document {
            file: &source.name,
            text: piece.text,
            first_line: piece.first_line,
            problems: RefCell::new(problems.collect()),
        }
    }

    /// The tree, or `None` if the document is empty or does not parse (then there is a problem).
    pub(crate) fn tree(&self) -> Option<Item> {
        if let Some((line, text)) = lines(self.text).enumerate().find(|(_, line)| line.contains('\0')) {
            let column = text.chars().take_while(|c| *c != '\0').count();
            return self.refuse(
                (line, column),
                "this is not UTF-8, or no text at all",
                "save the file in UTF-8",
            );
        }
        match node::read(self.text, self.first_line) {
            Ok(item) => match tabs::misplaced(self.text) {
                None => item.filter(|item| !item.is_null()),
                Some(place) => self.refuse(place, "a tab may not stand here", "indent with spaces"),
            },
            Err((mark, message)) => {
                self.report(&schema::NOT_YAML, mark, message, None);
                None
            }
        }
    }

    /// Reports that this is no YAML because of the character at a line and column, both from 0.
    fn refuse(&self, (line, column): (usize, usize), message: &str, advice: &str) -> Option<Item> {
        let mark = Mark {
            line: line + self.first_line,
            column: column + 1,
            length: 1,
        };
        let advice = Some(advice.to_owned());
        self.report(&schema::NOT_YAML, mark, message.to_owned(), advice);
        None
    }

    /// The root of a tree of this document, to be read.
    pub(crate) fn root<'d>(&'d self, item: &'d Item) -> Value<'d> {
        Value::root(self, item)
    }

    /// Records a finding of a check at a place of this document.
    pub(crate) fn report(&self, check: &'static Check, mark: Mark, message: String, advice: Option<String>) {
        let line = lines(self.text)
            .nth(mark.line.saturating_sub(self.first_line))
            .unwrap_or_default();
        let problem = Problem::new(check, self.file, mark, line, message, advice);
        let mut problems = self.problems.borrow_mut();
        // Some values are looked at twice.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// How many problems were recorded so far.
    pub(crate) fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    /// Says which object the problems from the `first` on are in.
    pub(crate) fn attribute(&self, first: usize, object: &ObjectKey) {
        for problem in self.problems.borrow_mut().iter_mut().skip(first) {
            problem.object = Some(object.clone());
        }
    }

    /// Puts what the layers of a cluster would refuse, from the `first` problem on, under another check.
    pub(crate) fn replace_check(&self, first: usize, check: &'static Check) {
        for problem in self.problems.borrow_mut().iter_mut().skip(first) {
            if matches!(problem.check.layer, Layer::Schema | Layer::Webhook) {
                problem.check = check;
            }
        }
    }

    /// All problems.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// The lines of a text as YAML 1.1 counts them: besides line feeds, a carriage return ends one, alone or in front of a
/// line feed, and so do the line ends of Unicode.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split('\n');
    lines.flat_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split(['\r', '\u{85}', '\u{2028}', '\u{2029}'])
    })
}
