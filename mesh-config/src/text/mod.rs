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
mod value;

use std::cell::RefCell;

pub(crate) use fields::Fields;
pub(crate) use find::mark_at;
pub(crate) use node::Item;
pub(crate) use value::Value;

use crate::check::catalogue::{Check, Layer};
use crate::check::schema;
use crate::object::ObjectKey;
use crate::problem::{Mark, Problem, Source};

/// One document of a source: its text and the line at which it begins.
pub(crate) struct Document<'a> {
    /// The source's name.
    pub(crate) file: &'a str,
    /// Its text, without the `---` of the next one.
    pub(crate) text: &'a str,
    /// 1-based line of the source at which `text` begins.
    pub(crate) first_line: usize,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Document<'a> {
    /// Cuts a source at its document markers. A line that begins with `---` is one wherever it stands: YAML forbids
    /// it inside of any scalar.
    pub(crate) fn split(source: &'a Source) -> Vec<Document<'a>> {
        let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
        let mut cuts = vec![(0, 1)];
        let (mut offset, mut number) = (0, 1);
        for line in text.split_inclusive('\n') {
            if offset > 0 && is_marker(line) {
                cuts.push((offset, number));
            }
            offset += line.len();
            number += lines(line.trim_end_matches('\n')).count();
        }
        let ends = cuts.iter().skip(1).map(|cut| cut.0).chain([text.len()]);
        let pieces = cuts.iter().zip(ends);
        pieces
            .map(|(&(start, first_line), end)| Document {
                file: &source.name,
                text: &text[start..end],
                first_line,
                problems: RefCell::default(),
            })
            .collect()
    }

    /// The tree, or `None` if the document is empty or does not parse (then there is a problem).
    pub(crate) fn tree(&self) -> Option<Item> {
        match node::read(self.text, self.first_line) {
            Ok(item) => item.filter(|item| !item.is_null()),
            Err((mark, message)) => {
                self.report(&schema::NOT_YAML, mark, message, None);
                None
            }
        }
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

/// The lines of a text as YAML counts them: a carriage return ends one, too, alone or in front of a line feed.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split('\n');
    lines.flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

fn is_marker(line: &str) -> bool {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}
