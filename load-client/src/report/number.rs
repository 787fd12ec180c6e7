//! Numbers for people.

use crate::stats::Interval;

/// `12,345`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Digits after the point of a percentage, so that a tenth of the tolerance can be seen.
pub(crate) fn decimals(tolerance: f64) -> usize {
    match tolerance {
        0.01.. => 1,
        0.001.. => 2,
        _ => 4,
    }
}

/// `90 %`, `33.33 %`: as it was written, more or less.
pub(crate) fn declared(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    let short = text.trim_end_matches('0').trim_end_matches('.');
    format!("{short} %")
}

/// `90.1 %`; `100 %` and `0 %` without a point, but only if they are exactly that.
pub(crate) fn observed(share: f64, decimals: usize) -> String {
    if share <= 0.0 || share >= 1.0 {
        declared(share)
    } else {
        format!("{:.decimals$} %", share * 100.0)
    }
}

/// `88.8–91.4`, in percent, rounded outwards: what is printed is no narrower than what is known.
pub(crate) fn interval(interval: Interval, decimals: usize) -> String {
    let scale = 10f64.powi(i32::try_from(decimals).unwrap_or(0));
    let end = |scaled: f64| {
        let percent = scaled / scale;
        let decimals = if percent <= 0.0 || percent >= 100.0 {
            0
        } else {
            decimals
        };
        format!("{percent:.decimals$}")
    };
    let (low, high) = (interval.low * 100.0 * scale, interval.high * 100.0 * scale);
    format!("{}–{}", end(low.floor()), end(high.ceil()))
}

/// `2 points`, `0.5 points`, `1 point`.
pub(crate) fn points(tolerance: f64) -> String {
    let text = declared(tolerance);
    let number = text.trim_end_matches(" %");
    if number == "1" {
        "1 point".to_owned()
    } else {
        format!("{number} points")
    }
}

/// `0.001`: six digits, so that a sum does not show how it was rounded.
pub(super) fn plain(value: f64) -> String {
    let rounded = format!("{value:.5e}").parse().unwrap_or(value);
    format!("{rounded}")
}

/// `1 in 1,000`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // alpha is between 0 and 1
pub(crate) fn odds(alpha: f64) -> String {
    format!("1 in {}", count((1.0 / alpha).round() as u64))
}

/// `exp(ln)` to two digits, `2.2e5`: however large it is.
pub(super) fn power(ln: f64) -> String {
    let exponent = ln / std::f64::consts::LN_10;
    let (whole, mantissa) = (exponent.floor(), 10f64.powf(exponent - exponent.floor()));
    let mantissa = (mantissa * 10.0).round() / 10.0;
    let (whole, mantissa) = if mantissa < 10.0 {
        (whole, mantissa)
    } else {
        (whole + 1.0, 1.0)
    };
    format!("{mantissa:.1}e{whole:.0}")
}

/// `1.68 %`: an upper bound, rounded up to three digits.
#[allow(clippy::cast_possible_truncation)] // an exponent
pub(crate) fn upper(bound: f64) -> String {
    let percent = bound * 100.0;
    if percent <= 0.0 {
        return "0 %".to_owned();
    }
    let decimals = (2 - percent.log10().floor() as i32).clamp(0, 9);
    let scale = 10f64.powi(decimals);
    let rounded = (percent * scale - 1e-9).ceil() / scale;
    let text = format!("{rounded:.*}", usize::try_from(decimals).unwrap_or(0));
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text} %")
}

/// `99.9 %` for 0.001.
pub(crate) fn confidence(alpha: f64) -> String {
    let text = format!("{:.6}", (1.0 - alpha) * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// `< 1 ms`, `212 ms`, `3.4 s`, `2 min 5 s`.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        ..0.001 => "< 1 ms".to_owned(),
        ..1.0 => format!("{:.0} ms", seconds * 1000.0),
        ..100.0 => format!("{seconds:.1} s"),
        _ => format!(
            "{:.0} min {:.0} s",
            (seconds / 60.0).floor(),
            (seconds % 60.0).floor()
        ),
    }
}

/// `exp(ln)` for people: `0.7`, `1,500`, `2.2e5`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below 100,000
pub(super) fn evidence(ln: f64) -> String {
    let e = ln.exp();
    match e {
        100_000.0.. => power(ln),
        10.0.. => count(e.round() as u64),
        0.0001.. => format!("{e:.1}"),
        _ => power(ln),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!(
            [0, 999, 1_000, 12_345_678].map(count),
            ["0", "999", "1,000", "12,345,678"]
        );
    }

    #[test]
    fn intervals_are_rounded_outwards() {
        assert_eq!(
            interval(
                Interval {
                    low: 0.8889,
                    high: 0.9131
                },
                1
            ),
            "88.8–91.4"
        );
        assert_eq!(interval(Interval::ALL, 1), "0–100");
    }

    #[test]
    fn all_and_nothing_are_not_rounded_to() {
        assert_eq!(
            [1.0, 0.9999, 0.0, 0.00001].map(|share| observed(share, 1)),
            ["100 %", "100.0 %", "0 %", "0.0 %"]
        );
    }

    #[test]
    fn declared_shares_are_shown_as_written() {
        assert_eq!(
            [0.9, 1.0 / 3.0, 0.0, 0.005].map(declared),
            ["90 %", "33.33 %", "0 %", "0.5 %"]
        );
    }

    #[test]
    fn powers_have_two_digits_and_do_not_overflow() {
        let shown = [0.0, 12.3, 9.21034, 11.5, -1.2, 2302.6].map(power);
        assert_eq!(shown, ["1.0e0", "2.2e5", "1.0e4", "9.9e4", "3.0e-1", "1.0e1000"]);
    }

    #[test]
    fn times_and_evidence_are_as_short_as_they_can_be() {
        assert_eq!(
            [0.0004, 0.2124, 3.44, 125.9].map(time),
            ["< 1 ms", "212 ms", "3.4 s", "2 min 5 s"]
        );
        assert_eq!(
            [-0.3f64, 7.313, 0.0, 12.3, 2302.6].map(evidence),
            ["0.7", "1,500", "1.0", "2.2e5", "1.0e1000"]
        );
    }

    #[test]
    fn bounds_are_rounded_up_and_confidence_is_not_rounded() {
        assert_eq!(
            [0.016_741, 0.001, 0.99, 0.000_123_41].map(upper),
            ["1.68 %", "0.1 %", "99 %", "0.0124 %"]
        );
        assert_eq!(
            [0.001, 0.000_1, 0.05].map(confidence),
            ["99.9 %", "99.99 %", "95 %"]
        );
    }

    #[test]
    fn alpha_and_tolerance_are_said_in_words() {
        assert_eq!([0.1 + 0.2, 1e-5, 0.001].map(plain), ["0.3", "0.00001", "0.001"]);
        assert_eq!(
            (odds(0.001), points(0.02), points(0.01)),
            ("1 in 1,000".into(), "2 points".into(), "1 point".into())
        );
    }
}
