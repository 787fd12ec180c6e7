//! Counts that are drawn: which of them a mesh that does as declared shows.

use std::ops::RangeInclusive;

/// The chance that one drawn count of a mesh that does as declared is called wrong: one in a million.
pub const ALPHA: f64 = 1e-6;

/// The counts that agree with "each of `n` is one with probability `p`, independently": all but the outermost, of
/// which each side has at most the probability `alpha / 2`. Exact; no approximation by a normal distribution.
pub fn agreeing(n: u64, p: f64, alpha: f64) -> RangeInclusive<u64> {
    let weights = binomial(n, p);
    let cut = |weights: &mut dyn Iterator<Item = &f64>| {
        let mut tail = 0.0;
        let outer = weights.take_while(|weight| {
            tail += **weight;
            tail <= alpha / 2.0
        });
        outer.count() as u64
    };
    let (low, high) = (cut(&mut weights.iter()), cut(&mut weights.iter().rev()));
    low..=n - high
}

/// The probabilities of 0 to `n`.
fn binomial(n: u64, p: f64) -> Vec<f64> {
    // Logarithms: (1 - p)^n alone would underflow. P(k + 1) / P(k) = (n - k) p / ((k + 1) (1 - p)).
    let (yes, no) = (p.ln(), (1.0 - p).ln());
    let mut choose = 0.0;
    let mut weights = Vec::new();
    for k in 0..=n {
        // 0 * ln 0 is the limit 0, not NaN.
        let part = |count: u64, log: f64| if count == 0 { 0.0 } else { count as f64 * log };
        weights.push((choose + part(k, yes) + part(n - k, no)).exp());
        choose += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_the_books_and_sum_to_one() {
        let four: Vec<f64> = binomial(4, 0.5).iter().map(|p| p * 16.0).collect();
        for (got, expected) in four.iter().zip([1.0, 4.0, 6.0, 4.0, 1.0]) {
            assert!((got - expected).abs() < 1e-12);
        }
        for (n, p) in [(0, 0.3), (1, 0.0), (7, 1.0), (400, 0.875), (5000, 0.001)] {
            let sum: f64 = binomial(n, p).iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{n} {p}: {sum}");
        }
    }

    #[test]
    fn what_is_cut_off_is_as_unlikely_as_promised_and_no_less_than_it_could_be() {
        for (n, p, alpha) in [
            (400, 0.5, 1e-6),
            (400, 0.875, 1e-6),
            (20, 0.1, 0.05),
            (1000, 0.3, 1e-3),
        ] {
            let weights = binomial(n, p);
            let range = agreeing(n, p, alpha);
            let (low, high) = (*range.start() as usize, *range.end() as usize);
            let below: f64 = weights[..low].iter().sum();
            let above: f64 = weights[high + 1..].iter().sum();
            assert!(below <= alpha / 2.0 && above <= alpha / 2.0);
            assert!(below + weights[low] > alpha / 2.0 && above + weights[high] > alpha / 2.0);
        }
    }

    #[test]
    fn certainty_leaves_one_count() {
        assert_eq!(agreeing(50, 0.0, ALPHA), 0..=0);
        assert_eq!(agreeing(50, 1.0, ALPHA), 50..=50);
    }

    #[test]
    fn twenty_tosses_say_nothing_at_one_in_a_million() {
        assert_eq!(agreeing(20, 0.5, 1e-6), 0..=20);
        // 2^-20 / 2 is less than half of one in 10^6 for 21 tosses.
        assert_eq!(agreeing(22, 0.5, 1e-6), 1..=21);
    }
}
