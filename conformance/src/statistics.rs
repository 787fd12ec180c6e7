//! Whether two counts can be draws of one share: Fisher's exact test.

/// The chance that a data plane with exactly the recorded distribution is called different, per case.
pub const PER_CASE: f64 = 1e-6;

/// Two-sided exact p-value of "`a` of `n` and `b` of `m` are draws of one share".
///
/// Given `a + b`, `a` is hypergeometric; the p-value is the probability of all outcomes that are not more likely than
/// this one (Fisher's exact test in its usual two-sided form). 1 if one of the samples is empty.
pub fn fisher(a: u64, n: u64, b: u64, m: u64) -> f64 {
    let total = a + b;
    let (low, high) = (total.saturating_sub(m), n.min(total));
    let weights = weights(n, m, total, low, high);
    let here = weights[usize::try_from(a - low).unwrap_or(0)];
    // Equally likely outcomes differ by rounding.
    let limit = here * (1.0 + 1e-9);
    let extreme: f64 = weights.iter().filter(|weight| **weight <= limit).sum();
    extreme / weights.iter().sum::<f64>()
}

/// Probabilities of `low..=high`, but for a common factor: largest 1, so that none of importance underflows.
fn weights(n: u64, m: u64, total: u64, low: u64, high: u64) -> Vec<f64> {
    // P(x + 1) / P(x) = (n - x) (total - x) / ((x + 1) (m - total + x + 1))
    let step = |x: u64| {
        let up = (n - x) as f64 * (total - x) as f64;
        up / ((x + 1) as f64 * (m + x + 1 - total) as f64)
    };
    let mut logs = vec![0.0];
    for x in low..high {
        logs.push(logs[logs.len() - 1] + step(x).ln());
    }
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    logs.into_iter().map(|log| (log - largest).exp()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * b.max(1e-300)
    }

    #[test]
    fn known_values() {
        // The lady tasting tea: 3 of 4 and 1 of 4, 34/70.
        assert!(close(fisher(3, 4, 1, 4), 34.0 / 70.0));
        // All against none, 2 / C(20, 10).
        assert!(close(fisher(10, 10, 0, 10), 2.0 / 184_756.0));
        assert!(close(fisher(0, 0, 5, 10), 1.0));
        assert!(close(fisher(7, 7, 9, 9), 1.0));
    }

    #[test]
    fn a_wrong_split_of_2000_requests_is_found_and_a_right_one_is_not() {
        assert!(fisher(1800, 2000, 1600, 2000) < PER_CASE);
        assert!(fisher(1800, 2000, 1815, 2000) > 0.1);
    }

    #[test]
    fn all_against_none_of_4000_is_as_good_as_impossible() {
        assert!((0.0..1e-300).contains(&fisher(4000, 4000, 0, 4000)));
        assert!(close(fisher(4000, 4000, 4000, 4000), 1.0));
    }

    proptest! {
        #[test]
        fn it_is_a_probability_and_symmetric((n, a) in (0u64..300).prop_flat_map(|n| (Just(n), 0..=n)),
                                             (m, b) in (0u64..300).prop_flat_map(|m| (Just(m), 0..=m))) {
            let p = fisher(a, n, b, m);
            prop_assert!(p > 0.0 && p <= 1.0);
            prop_assert!((p - fisher(b, m, a, n)).abs() < 1e-9);
            prop_assert!((p - fisher(n - a, n, m - b, m)).abs() < 1e-9);
        }

        #[test]
        fn under_one_share_it_is_small_no_more_often_than_it_says(n in 1u64..40, m in 1u64..40, total in 0u64..80) {
            let total = total.min(n + m);
            let (low, high) = (total.saturating_sub(m), n.min(total));
            let weights = weights(n, m, total, low, high);
            let sum: f64 = weights.iter().sum();
            for level in [0.5, 0.1, 0.01, 1e-4] {
                let rejected: f64 = (low..=high).zip(&weights)
                    .filter(|(a, _)| fisher(*a, n, total - a, m) <= level)
                    .map(|(_, weight)| weight / sum).sum();
                prop_assert!(rejected <= level + 1e-9);
            }
        }
    }
}
