//! What the error gate promises, by simulation with fixed seeds. Each test says how often it would fail with fresh seeds.

use load_client::stats::ErrorEvidence;
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::kit::quantile;

/// Requests until the alarm when the new version gets this share, and the versions fail at these rates.
fn until_alarm(share: f64, (old, new): (f64, f64), alpha: f64, seed: u64, limit: u64) -> Option<u64> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut evidence = ErrorEvidence::default();
    (1..=limit).find(|_| {
        let of_new = rng.random::<f64>() < share;
        if rng.random::<f64>() >= if of_new { new } else { old } {
            return false;
        }
        evidence.add(u64::from(of_new), 1, share);
        evidence.log_e() >= -alpha.ln()
    })
}

/// The bound is 0.01. With a rate of 0.01 more than 24 alarms in 1,000 runs have a probability below 0.0001.
#[test]
fn versions_that_fail_alike_raise_an_alarm_no_more_often_than_alpha_at_any_rate_of_errors() {
    let rates = [1.0, 0.3, 0.02];
    let alarms = (0..1_000u64)
        .filter(|seed| {
            let rate = rates[usize::try_from(seed % 3).unwrap()];
            let share = if seed % 2 == 0 { 0.1 } else { 0.5 };
            until_alarm(share, (rate, rate), 0.01, *seed, 1_000).is_some()
        })
        .count();
    assert!(alarms <= 24, "{alarms} false alarms in 1,000 runs at alpha 0.01");
}

/// Medians of 400 simulated runs of the reference; a median of 300 runs is within the tolerance of them except with a
/// probability below 0.001 each.
#[test]
fn a_version_that_fails_more_often_is_noticed_after_the_expected_number_of_requests() {
    let cases = [
        ((0.01, 0.05), 2_260, 350),
        ((0.001, 0.01), 6_566, 1_000),
        ((0.0, 0.01), 3_765, 550),
    ];
    for (rates, expected, tolerance) in cases {
        let needed = (0..300).map(|seed| until_alarm(0.1, rates, 0.001, seed, 100_000).unwrap());
        let median = quantile(needed.collect(), 0.5);
        assert!(
            median.abs_diff(expected) <= tolerance,
            "{rates:?}: {median} instead of {expected}"
        );
    }
}

/// Three in ten of a version that half of the requests get, the others none: what a header canary shows.
#[test]
fn three_in_ten_failures_of_one_half_are_noticed_within_a_few_hundred_requests() {
    let needed = (0..300).map(|seed| until_alarm(0.5, (0.0, 0.3), 0.0001, seed, 10_000).unwrap());
    let slowest = needed.max().unwrap();
    // 19 failures at most are needed; fewer than 19 of 300 requests fail with a probability of 10^-5, in one of 300 runs 0.003.
    assert!(slowest <= 300, "{slowest}");
}

proptest! {
    #[test]
    fn evidence_is_a_number_whatever_is_counted(of_new in 0u64..1 << 40, others in 0u64..1 << 40, share in 0.0..=1.0f64) {
        let mut evidence = ErrorEvidence::default();
        evidence.add(of_new, of_new + others, share);
        prop_assert!(!evidence.log_e().is_nan());
    }

    /// `exp(logE)` has the mean 1 if the next failure is drawn with the share: it is an e-process.
    #[test]
    fn the_next_failure_leaves_the_mean_of_the_evidence_as_it_is(of_new in 0u64..50, others in 0u64..50, share in 0.01..0.99f64) {
        let after = |new: u64| {
            let mut evidence = ErrorEvidence::default();
            evidence.add(of_new, of_new + others, share);
            evidence.add(new, 1, share);
            evidence.log_e()
        };
        let mut now = ErrorEvidence::default();
        now.add(of_new, of_new + others, share);
        let mean = share * (after(1) - now.log_e()).exp() + (1.0 - share) * (after(0) - now.log_e()).exp();
        prop_assert!((mean - 1.0).abs() < 1e-9, "{}", mean);
    }
}
