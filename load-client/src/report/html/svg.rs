//! What the pictures have in common.

/// From values to places.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    /// The values at both ends.
    pub(super) values: (f64, f64),
    /// Where they are.
    pub(super) places: (f64, f64),
}

impl Scale {
    /// Where a value is; one beyond an end is at the end.
    pub(super) fn at(self, value: f64) -> f64 {
        let (low, high) = self.values;
        let part = if high > low {
            ((value - low) / (high - low)).clamp(0.0, 1.0)
        } else {
            0.0
        };
        self.places.0 + part * (self.places.1 - self.places.0)
    }
}

/// A place, to a tenth of a unit.
pub(super) fn place(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The smallest of 1, 2, 5, 10, 20, ... that is no less: where a scale ends.
pub(super) fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let digits = [1.0, 2.0, 5.0, 10.0];
    let enough = digits
        .iter()
        .find(|digit| **digit * power >= value * (1.0 - 1e-9));
    enough.unwrap_or(&10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_values() {
        assert_eq!(
            [0.03, 1.0, 1.1, 3.0, 7.0, 99.0].map(round_up),
            [0.05, 1.0, 2.0, 5.0, 10.0, 100.0]
        );
        assert_eq!([0.0, f64::INFINITY].map(round_up), [1.0, 1.0]);
    }

    #[test]
    fn what_is_beyond_an_end_is_drawn_at_the_end() {
        let scale = Scale {
            values: (0.0, 2.0),
            places: (10.0, 20.0),
        };
        assert_eq!([-1.0, 1.0, 3.0].map(|value| scale.at(value)), [10.0, 15.0, 20.0]);
        assert_eq!(place(scale.at(0.33)), "11.7");
    }
}
