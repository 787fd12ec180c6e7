//! Where the documents of a file begin and end, as kubectl cuts it. Source: `YAMLOrJSONDecoder` and `YAMLReader` of
//! Kubernetes' apimachinery; goyaml reads one document of each piece and nothing behind it.

use serde::de::IgnoredAny;

/// A part of a file, from one cut to the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece<'t> {
    /// The document.
    pub(super) text: &'t str,
    /// 1-based line of the file at which it begins.
    pub(super) first_line: usize,
    /// Lines of the file that are wrong, and why.
    pub(super) wrong: Vec<(usize, &'static str)>,
    /// The line of the file from which on nothing of this part is read.
    pub(super) unread: Option<usize>,
}

/// Cuts a text. JSON objects may follow each other; everything else is cut at lines that begin with `---`, wherever they
/// stand.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut rest, mut line) = (text, 1);
    if text.trim_start().starts_with('{') {
        let mut objects = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
        let mut start = 0;
        while let Some(Ok(_)) = objects.next() {
            let end = objects.byte_offset();
            let text = &text[start..end];
            pieces.push(Piece {
                text,
                first_line: line,
                ..Piece::default()
            });
            line += breaks(text);
            start = end;
        }
        rest = &text[start..];
    }
    if !rest.trim().is_empty() || pieces.is_empty() {
        yaml(rest, line, &mut pieces);
    }
    pieces
}

fn yaml<'t>(text: &'t str, mut line: usize, pieces: &mut Vec<Piece<'t>>) {
    let mut wrong = Vec::new();
    let (mut start, mut offset, mut first_line) = (0, 0, line);
    for one in text.split_inclusive('\n') {
        let begins = offset;
        offset += one.len();
        if let Some(behind) = one.strip_prefix("---") {
            pieces.push(document(
                &text[start..begins],
                first_line,
                std::mem::take(&mut wrong),
            ));
            if !matches!(behind.trim_start().as_bytes(), [] | [b'#', ..]) {
                wrong.push((line, "only a comment may stand behind `---`"));
            }
            (start, first_line) = (offset, line + breaks(one));
        }
        line += breaks(one);
    }
    pieces.push(document(&text[start..], first_line, wrong));
}

/// A piece without what stands behind a line `...`.
fn document<'t>(text: &'t str, first_line: usize, mut wrong: Vec<(usize, &'static str)>) -> Piece<'t> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut offset = 0;
    let is_end = |line: &str| {
        line.strip_prefix("...")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
    };
    let end = text.split_inclusive('\n').find_map(|line| {
        offset += line.len();
        is_end(line).then(|| offset - line.len())
    });
    let Some(end) = end else {
        return Piece {
            text,
            first_line,
            wrong,
            unread: None,
        };
    };
    let (text, behind) = text.split_at(end);
    let ends_at = first_line + breaks(text);
    let mut unread = behind.lines().position(|line| says(line) && !is_end(line));
    if !text.lines().any(says) && unread.take().is_some() {
        wrong.push((ends_at, "`...` ends a document that has not begun"));
    }
    Piece {
        text,
        first_line,
        wrong,
        unread: unread.map(|line| ends_at + line),
    }
}

/// Whether there is anything in a line besides a comment.
fn says(line: &str) -> bool {
    !matches!(line.trim_start().as_bytes(), [] | [b'#', ..])
}

/// How many lines end in a text.
fn breaks(text: &str) -> usize {
    super::lines(text).count() - 1
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    fn shown(text: &str) -> Vec<(&str, usize)> {
        pieces(text)
            .iter()
            .map(|piece| (piece.text, piece.first_line))
            .collect()
    }

    #[test]
    fn lines_that_begin_with_three_dashes_cut_wherever_they_stand() {
        assert_eq!(
            shown("a\n--- # c\n---#\nb: |\n---\nc"),
            [("a\n", 1), ("", 3), ("b: |\n", 4), ("c", 6)]
        );
        let pieces = pieces("---\na\n--- b\nc");
        assert_eq!(
            pieces[2],
            Piece {
                text: "c",
                first_line: 4,
                wrong: vec![(3, "only a comment may stand behind `---`")],
                unread: None,
            }
        );
    }

    #[test]
    fn nothing_is_read_behind_the_end_of_a_document() {
        let pieces = pieces("a\n...\n# c\n\nb\n---\nc\n...\n---\n...\nd\n---\n...\n");
        assert_eq!((pieces[0].text, pieces[0].unread), ("a\n", Some(5)));
        assert_eq!((pieces[1].text, pieces[1].unread), ("c\n", None));
        assert_eq!(
            pieces[2].wrong,
            [(10, "`...` ends a document that has not begun")]
        );
        assert!(pieces[3].wrong.is_empty(), "nothing at all");
    }

    #[test]
    fn objects_of_json_may_follow_each_other() {
        assert_eq!(
            shown("{\"a\":\n1}{}\n---\nb"),
            [("{\"a\":\n1}", 1), ("{}", 2), ("\n", 2), ("b", 4)]
        );
        assert_eq!(shown("{a: 1}"), [("{a: 1}", 1)], "YAML in braces");
    }

    #[test]
    fn a_byte_order_mark_may_begin_each_document() {
        assert_eq!(shown("\u{feff}a\n---\n\u{feff}b"), [("a\n", 1), ("b", 3)]);
    }
}
