//! Problems with their places, and how they are shown.

use std::fmt;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::check::catalogue::{Check, Severity};
use crate::object::ObjectKey;

/// A text to parse, with the name that problems show (a path, or `-` for standard input).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As shown in problems.
    pub name: String,
    /// YAML or JSON, any number of documents.
    pub text: String,
}

impl Source {
    /// A text as it was read. Bytes that are no UTF-8 become NUL, which no YAML has, so that whoever reads the documents
    /// refuses them at their places.
    #[must_use]
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Self {
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            let chunks = error.as_bytes().utf8_chunks();
            chunks
                .flat_map(|chunk| [chunk.valid().to_owned(), "\0".repeat(chunk.invalid().len())])
                .collect()
        });
        Source {
            name: name.to_owned(),
            text,
        }
    }
}

/// A place inside a file: 1-based line and column in characters, and how many characters it spans on that line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// 1-based line in the file.
    pub line: usize,
    /// 1-based column in characters.
    pub column: usize,
    /// Length in characters; at least 1 is shown.
    pub length: usize,
}

/// A value together with the place where it was written. Equality looks at the value alone.
#[derive(Clone, Debug, Default)]
pub struct Placed<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub mark: Mark,
}

impl<T: PartialEq> PartialEq for Placed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// One thing that is wrong, or looks so, with the place to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What was looked for; it says how much this weighs and who else would say it.
    pub check: &'static Check,
    /// The object that it is in, if that could be read.
    pub object: Option<ObjectKey>,
    /// Name of the source.
    pub file: String,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
    /// What is wrong and where in the object: "unknown field `spec.hots`".
    pub message: String,
    /// What to do about it, if there is more to say.
    pub advice: Option<String>,
    /// The line itself, for the caret.
    line_text: String,
    /// How many characters the caret spans.
    length: usize,
}

impl Problem {
    /// A problem at `mark` of a file whose line `mark.line` reads `line_text`.
    pub(crate) fn new(
        check: &'static Check,
        file: &str,
        mark: Mark,
        line_text: &str,
        message: String,
        advice: Option<String>,
    ) -> Self {
        Problem {
            check,
            object: None,
            file: file.to_owned(),
            line: mark.line,
            column: mark.column,
            message,
            advice,
            line_text: line_text.to_owned(),
            length: mark.length.max(1),
        }
    }

    /// Whether it is an error; warnings and infos refuse nothing.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.check.severity == Severity::Error
    }

    /// Length of what is wrong, in characters.
    pub(crate) fn width(&self) -> usize {
        self.length
    }

    /// With its code, and with notes below.
    pub(crate) fn to_text(&self, notes: &[String]) -> String {
        self.render(Some(self.check.shown_code()), notes)
    }

    fn render(&self, code: Option<&str>, notes: &[String]) -> String {
        let mut mark = AnnotationKind::Primary.span(self.span());
        if let Some(advice) = &self.advice {
            mark = mark.label(advice.as_str());
        }
        // A trailing line break keeps a caret at the very end of the line inside the text.
        let text = format!("{}\n", self.line_text);
        let snippet = Snippet::source(text.as_str())
            .line_start(self.line)
            .path(self.file.as_str())
            .annotation(mark);
        let level = match self.check.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Info => Level::INFO,
        };
        let mut title = level.primary_title(self.message.as_str());
        if let Some(code) = code {
            title = title.id(code);
        }
        let notes = notes.iter().map(|note| Level::NOTE.message(note.as_str()));
        let report = [title.element(snippet).elements(notes)];
        Renderer::plain().render(&report).to_string()
    }

    /// Byte range of the caret inside the line.
    fn span(&self) -> std::ops::Range<usize> {
        let offset = |characters: usize| {
            self.line_text
                .char_indices()
                .nth(characters)
                .map_or(self.line_text.len(), |(byte, _)| byte)
        };
        let start = offset(self.column.saturating_sub(1));
        start..offset(self.column.saturating_sub(1) + self.length).max(start)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(None, &[]))
    }
}

/// At least one problem. Shown as text with carets, one block per problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// `None` when there is no error among them; what weighs less is left out.
    #[must_use]
    pub fn from_vec(mut problems: Vec<Problem>) -> Option<Self> {
        problems.retain(Problem::is_error);
        if problems.is_empty() {
            return None;
        }
        problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        Some(Problems(problems))
    }

    /// In the order of file, line and column.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many there are: one or more.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
