//! For people: like a compiler, with carets.

use std::collections::BTreeSet;

use crate::check::{Report, Severity};

/// Width of a note.
const WIDTH: usize = 68;

impl Report {
    /// One block per finding; why it matters is said with the first one of a kind. Empty if nothing was found.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut told = BTreeSet::new();
        let blocks = self.findings.iter().map(|finding| {
            let mut notes = Vec::new();
            if let Some(object) = &finding.object {
                notes.push(format!("in {object}"));
            }
            if told.insert(finding.check.code) {
                let check = finding.check;
                let own = if check.istio.is_some() {
                    format!("{}: ", check.code)
                } else {
                    String::new()
                };
                notes.push(wrapped(&format!("{own}{}", check.why)));
            }
            finding.to_text(&notes)
        });
        blocks.collect::<Vec<_>>().join("\n\n")
    }

    /// `2 errors, 1 warning`; empty if nothing was found.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = [Severity::Error, Severity::Warning, Severity::Info].map(|severity| {
            let found = self
                .findings
                .iter()
                .filter(|finding| finding.check.severity == severity);
            (severity, found.count())
        });
        let parts = counts.into_iter().filter(|(_, count)| *count > 0);
        let parts =
            parts.map(|(severity, count)| format!("{count} {severity}{}", if count == 1 { "" } else { "s" }));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Breaks a text into lines between words.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            if line.is_empty() || line.chars().count() + 1 + word.chars().count() <= WIDTH {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            } else {
                lines.push(word.to_owned());
            }
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, wrapped};

    #[test]
    fn notes_are_broken_between_words() {
        let text = "word ".repeat(40);
        let lines = wrapped(&text);
        assert!(lines.lines().all(|line| line.len() <= WIDTH), "{lines}");
        assert_eq!(lines.split_whitespace().count(), 40);
    }
}
