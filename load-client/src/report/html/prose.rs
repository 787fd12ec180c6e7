//! Sentences that were written for a terminal, on a page.

use maud::{Markup, html};

/// What stands between backticks is code, arrows are arrows, lines stay lines.
pub(super) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of backticks: they are no pairs.
    if parts.len().is_multiple_of(2) {
        return html! { (arrows(text)) };
    }
    html! {
        @for (index, part) in parts.into_iter().enumerate() {
            @if index.is_multiple_of(2) { (arrows(part)) } @else { code { (part) } }
        }
    }
}

/// `a -> b` as `a → b`.
pub(super) fn arrows(text: &str) -> Markup {
    let text = text.replace("->", "→");
    html! { @for (index, line) in text.lines().enumerate() { @if index > 0 { br; } (line) } }
}

/// With a capital.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    first + chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn code_and_arrows_are_set_as_such_and_nothing_is_markup() {
        let text = "a -> b: see `kubectl get <pods>`, or not\nso";
        assert_eq!(
            prose(text).into_string(),
            "a → b: see <code>kubectl get &lt;pods&gt;</code>, or not<br>so"
        );
        assert_eq!(prose("one ` only").into_string(), "one ` only");
    }
}
