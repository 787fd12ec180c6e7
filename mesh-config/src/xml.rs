//! Texts in JUnit's XML.

/// A text inside of an element or attribute. Characters that XML 1.0 has no way to write are shown as `�`.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn signs_of_xml_are_written_by_name_and_control_characters_replaced() {
        assert_eq!(
            escaped("<a b=\"&\">\t\u{7}"),
            "&lt;a b=&quot;&amp;&quot;&gt;\t\u{fffd}"
        );
        assert_eq!(
            escaped("<a b=\"c\">&\u{1}\n"),
            "&lt;a b=&quot;c&quot;&gt;&amp;\u{fffd}\n"
        );
    }
}
