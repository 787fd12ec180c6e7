//! Durations as Go writes them: `1h30m`, `1.5s`, `500ms`.

use std::time::Duration;

/// Why a text is not a duration that Istio takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadDuration {
    #[error("`{0}` is not a duration")]
    Syntax(String),
    #[error("the duration `{0}` is less than 1ms")]
    TooShort(String),
    #[error("the duration `{0}` is not a whole number of milliseconds")]
    Fraction(String),
}

/// A duration of at least one and only whole milliseconds: what Istio's validation asks of its durations.
pub(crate) fn parse_milliseconds(text: &str) -> Result<Duration, BadDuration> {
    let nanoseconds = parse(text).ok_or_else(|| BadDuration::Syntax(text.to_owned()))?;
    if nanoseconds < 1_000_000 {
        return Err(BadDuration::TooShort(text.to_owned()));
    }
    if nanoseconds % 1_000_000 != 0 {
        return Err(BadDuration::Fraction(text.to_owned()));
    }
    u64::try_from(nanoseconds)
        .map(Duration::from_nanos)
        .map_err(|_| BadDuration::Syntax(text.to_owned()))
}

/// Nanoseconds. Go's syntax: a sign, then numbers with a unit each; `0` alone needs none.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (amount, after) = part(rest)?;
        total = total.checked_add(amount)?;
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

/// One number with its unit, in nanoseconds, and the rest of the text.
fn part(text: &str) -> Option<(i128, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || whole.len() > 19 {
        return None;
    }
    let unit_end = rest
        .find(|c: char| c.is_ascii_digit() || c == '.')
        .unwrap_or(rest.len());
    let (unit, after) = rest.split_at(unit_end);
    let scale: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Digits beyond the fifteenth are below a nanosecond for every unit.
    let fraction = &fraction[..fraction.len().min(15)];
    let digits = u32::try_from(fraction.len()).ok()?;
    let fraction: i128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    Some((whole * scale + fraction * scale / 10_i128.pow(digits), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations_are_read() {
        for (text, nanoseconds) in [
            ("5s", 5_000_000_000),
            ("+5s", 5_000_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("1h1m1s", 3_661_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("1µs", 1_000),
            ("0", 0),
            ("-2ms", -2_000_000),
        ] {
            assert_eq!(parse(text), Some(nanoseconds), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_durations() {
        for text in [
            "",
            "5",
            "5S",
            "5sec",
            "1d",
            "1e3s",
            " 5s",
            "s",
            ".s",
            "1.2.3s",
            "+",
            "99999999999999999999h",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn istio_wants_whole_milliseconds_and_at_least_one() {
        assert_eq!(parse_milliseconds("1ms"), Ok(Duration::from_millis(1)));
        assert_eq!(
            parse_milliseconds("0s"),
            Err(BadDuration::TooShort("0s".to_owned()))
        );
        assert_eq!(
            parse_milliseconds("-1s"),
            Err(BadDuration::TooShort("-1s".to_owned()))
        );
        assert_eq!(
            parse_milliseconds("1.5ms"),
            Err(BadDuration::Fraction("1.5ms".to_owned()))
        );
        assert!(matches!(parse_milliseconds("10"), Err(BadDuration::Syntax(_))));
    }
}
