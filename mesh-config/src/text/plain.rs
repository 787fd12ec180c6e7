//! What a plain scalar means to kubectl, whose YAML is 1.1 with parts of 1.2: `yes`, `on` and `y` are booleans, `017` and
//! `0o17` are octal, `1_000` is a number, `1:30` and dates are texts. Source: `resolve` of goyaml v2, and the conversion of
//! keys in `sigs.k8s.io/yaml`.

use super::node::Node;

/// The value of a scalar that was written without quotes and tag.
pub(super) fn resolve(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Node::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Node::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Node::Bool(false);
        }
        _ => {}
    }
    let number = match text.as_bytes()[0] {
        b'.' => float(text),
        b'0'..=b'9' | b'+' | b'-' => {
            let digits = text.replace('_', "");
            integer(&digits).map(Node::Whole).or_else(|| float(&digits))
        }
        _ => None,
    };
    number.unwrap_or_else(|| Node::Text(text.to_owned()))
}

/// A whole number as Go reads it: with a prefix that says its base, and 0 is one.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = sign * i128::from_str_radix(digits, base).ok()?;
    // What does not fit 64 bits is read as a float.
    (i64::try_from(number).is_ok() || u64::try_from(number).is_ok()).then_some(number)
}

/// Digits with a point and an exponent, in ASCII: no names of infinity.
fn float(text: &str) -> Option<Node> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned
        .split_once(['e', 'E'])
        .map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let good = exponent && digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let number: f64 = text.parse().ok().filter(|_| good)?;
    number.is_finite().then_some(Node::Float(number))
}

/// The name that a key written without quotes has in JSON.
pub(super) fn key(text: &str) -> String {
    match resolve(text) {
        Node::Bool(value) => value.to_string(),
        Node::Whole(value) => value.to_string(),
        #[allow(clippy::cast_possible_truncation)] // as it is done there
        Node::Float(value) => (value as f32).to_string(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_they_mean_to_kubectl() {
        let shown = |text: &str| format!("{:?}", resolve(text));
        for (text, expected) in [
            ("y", "Bool(true)"),
            ("Off", "Bool(false)"),
            ("yEs", "Text(\"yEs\")"),
            ("017", "Whole(15)"),
            ("0o17", "Whole(15)"),
            ("0X1f", "Whole(31)"),
            ("0b11", "Whole(3)"),
            ("-0x10", "Whole(-16)"),
            ("0", "Whole(0)"),
            ("08", "Float(8.0)"),
            ("0o8", "Text(\"0o8\")"),
            ("1_000", "Whole(1000)"),
            ("1_000.5", "Float(1000.5)"),
            (".5", "Float(0.5)"),
            ("1.", "Float(1.0)"),
            ("+1", "Whole(1)"),
            ("1e5", "Float(100000.0)"),
            ("1e", "Text(\"1e\")"),
            (".e3", "Text(\".e3\")"),
            ("_1", "Text(\"_1\")"),
            ("1:30", "Text(\"1:30\")"),
            ("2026-01-01", "Text(\"2026-01-01\")"),
            ("1e400", "Text(\"1e400\")"),
            ("inf", "Text(\"inf\")"),
            ("18446744073709551615", "Whole(18446744073709551615)"),
            ("18446744073709551616", "Float(1.8446744073709552e19)"),
            ("~", "Null"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn keys_become_texts() {
        for (text, expected) in [
            ("y", "true"),
            ("off", "false"),
            ("0x10", "16"),
            (".5", "0.5"),
            ("1.", "1"),
            ("x-a", "x-a"),
        ] {
            assert_eq!(key(text), expected);
        }
    }
}
