//! Shares of requests, as Envoy draws them: a numerator of hundred or of a million.

use crate::text::Value;

/// `percentage: {value: 12.5}` is scaled to this and truncated.
const PER_PERCENT: f64 = 10_000.0;

/// A part of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    numerator: u32,
    denominator: u32,
}

impl Fraction {
    /// Every request.
    pub(crate) const ALL: Self = Fraction::percent(100);
    /// No request.
    pub(crate) const NONE: Self = Fraction::percent(0);

    /// Whole percent: the draw is `random % 100`.
    pub(crate) const fn percent(percent: u32) -> Self {
        Fraction {
            numerator: percent,
            denominator: 100,
        }
    }

    /// Percent with a fraction: the draw is `random % 1000000`. What lies below a millionth is dropped.
    pub(crate) fn per_million(percent: f64) -> Self {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // 0 to 100, checked when it was read
        let numerator = (percent * PER_PERCENT) as u32;
        Fraction {
            numerator,
            denominator: 1_000_000,
        }
    }

    /// Whether a request that drew this number belongs to it. Draws of several fractions with one number hang
    /// together, as they do in Envoy.
    #[must_use]
    pub fn contains(self, random: u64) -> bool {
        random % u64::from(self.denominator) < u64::from(self.numerator)
    }

    /// 0 to 1.
    #[must_use]
    pub fn probability(self) -> f64 {
        (f64::from(self.numerator) / f64::from(self.denominator)).min(1.0)
    }

    /// Whether no request belongs to it.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.numerator == 0
    }
}

impl std::fmt::Display for Fraction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} %", self.probability() * 100.0)
    }
}

/// Reads `percentage`. Faults know no step below a millionth; mirrors drop it.
pub(crate) fn read(value: &Value<'_>, least: f64) -> Option<Fraction> {
    let percent = value.fields(|fields| fields.get("value").map_or(Some(0.0), |v| v.number()))??;
    if percent != 0.0 && !(least..=100.0).contains(&percent) {
        value.problem(format!(
            "{percent} is neither 0 nor between {least} and 100 percent"
        ));
        return None;
    }
    Some(Fraction::per_million(percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_takes_the_low_end_of_its_draw() {
        let fifth = Fraction::percent(20);
        assert!(fifth.contains(1019) && !fifth.contains(1020));
        let half = Fraction::per_million(0.5);
        assert!(half.contains(4_999) && !half.contains(5_000) && half.contains(1_004_999));
        assert!(Fraction::per_million(0.000_01).is_none());
        assert!(Fraction::ALL.contains(u64::MAX) && !Fraction::NONE.contains(0));
    }
}
