//! Lines for a terminal.

/// Columns of a terminal.
pub(crate) const WIDTH: usize = 80;

/// Words in lines of at most `width` characters; a longer word has a line of its own.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            let space = usize::from(!line.is_empty());
            if line.is_empty() || line.chars().count() + space + word.chars().count() <= width {
                line.push_str(&" "[..space]);
                line.push_str(word);
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}

/// The same as one text for a terminal: the first line begins with `first`, the others with as many spaces.
pub(crate) fn indented(first: &str, text: &str) -> String {
    let width = first.chars().count();
    let lines = wrapped(text, WIDTH.saturating_sub(width));
    format!("{first}{}", lines.join(&format!("\n{:width$}", "")))
}

#[cfg(test)]
mod tests {
    use super::{indented, wrapped};

    #[test]
    fn lines_after_the_first_are_indented_like_it() {
        let text = indented("  1. ", &"word ".repeat(40));
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(
            lines[0].starts_with("  1. word") && lines[1].starts_with("     word"),
            "{text}"
        );
    }

    #[test]
    fn lines_are_as_long_as_they_may_be_and_not_longer() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("incomprehensible", 7), ["incomprehensible"]);
        assert_eq!(wrapped("", 7), [""]);
    }
}
