//! Values of flags.

use std::time::Duration;

use http::{HeaderName, Method};
use jiff::SignedDuration;
use load_client::load::Header;
use load_client::stats::FailOn;

/// `10s`, `500ms`, `1m 30s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text
        .parse::<SignedDuration>()
        .ok()
        .and_then(|found| Duration::try_from(found).ok());
    parsed
        .filter(|found| !found.is_zero())
        .ok_or_else(|| "expected a positive duration with its unit, such as 10s, 500ms or 2m".to_owned())
}

/// `2pp`, `0.5pp`, `2%`: percentage points, as a fraction of one.
pub(super) fn points(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("pp").or_else(|| text.strip_suffix('%'));
    let points = number.and_then(|number| number.trim_end().parse::<f64>().ok());
    points
        .filter(|points| *points > 0.0 && *points < 100.0)
        .map(|points| points / 100.0)
        .ok_or_else(|| "expected percentage points between 0 and 100, such as 2pp or 0.5pp".to_owned())
}

/// `name: value`.
pub(super) fn header(text: &str) -> Result<Header, String> {
    let (name, value) = text.split_once(':').ok_or("expected `name: value`")?;
    let name = HeaderName::try_from(name.trim())
        .map_err(|_invalid| format!("`{name}` is not the name of a header"))?;
    Ok((name, value.trim().to_owned()))
}

/// GET, POST, ...
pub(super) fn method(text: &str) -> Result<Method, String> {
    Method::try_from(text).map_err(|_invalid| "expected an HTTP method, such as GET or POST".to_owned())
}

/// Requests per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok();
    rate.filter(|rate| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| "expected requests per second, such as 200".to_owned())
}

/// A probability of error.
pub(super) fn alpha(text: &str) -> Result<f64, String> {
    let alpha = text.parse::<f64>().ok();
    alpha
        .filter(|alpha| *alpha > 0.0 && *alpha < 0.5)
        .ok_or_else(|| "expected a probability of error between 0 and 0.5, such as 0.001".to_owned())
}

/// Which deviation is a violation.
pub(super) fn fail_on(text: &str) -> Result<FailOn, String> {
    match text {
        "any-deviation" => Ok(FailOn::AnyDeviation),
        "beyond-tolerance" => Ok(FailOn::BeyondTolerance),
        _ => Err("expected any-deviation or beyond-tolerance".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        for wrong in ["10", "0s", "-1s", "soon", ""] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn points_are_fractions_of_one() {
        assert_eq!(points("2pp"), Ok(0.02));
        assert_eq!(points("0.5pp"), Ok(0.005));
        assert_eq!(points("2%"), Ok(0.02));
        for wrong in ["2", "0pp", "100pp", "-1pp", "pp", "NaNpp"] {
            assert!(points(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_header_is_cut_at_its_first_colon() {
        let (name, value) = header("X-Canary:  a:b ").unwrap();
        assert_eq!((name.as_str(), value.as_str()), ("x-canary", "a:b"));
        assert!(header("x-canary").is_err());
        assert!(header("x canary: true").is_err());
    }
}
