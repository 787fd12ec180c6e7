//! Properties of the evidence.

use load_client::stats::{InvalidSplit, Split, Stream, Verdict};
use proptest::prelude::*;

use crate::kit::{gate, seen, two};

proptest! {
    #[test]
    fn an_interval_contains_what_was_observed(v1 in 0u64..50_000, v2 in 0u64..50_000, share in 0.01..0.99) {
        prop_assume!(v1 + v2 > 0);
        let intervals = two(share).intervals(&[v1, v2], 0.001);
        #[allow(clippy::cast_precision_loss)]
        let observed = v2 as f64 / (v1 + v2) as f64;
        prop_assert!(intervals[1].low <= observed && observed <= intervals[1].high);
    }

    #[test]
    fn a_smaller_alpha_never_narrows_an_interval(v1 in 0u64..50_000, v2 in 0u64..50_000, share in 0.01..0.99) {
        let strict = two(share).intervals(&[v1, v2], 0.0001)[1];
        prop_assert_eq!(strict.hull(two(share).intervals(&[v1, v2], 0.001)[1]), strict);
    }

    #[test]
    fn two_versions_have_mirrored_intervals(v1 in 0u64..50_000, v2 in 0u64..50_000, share in 0.01..0.99) {
        let intervals = two(share).intervals(&[v1, v2], 0.001);
        prop_assert!((intervals[0].low - (1.0 - intervals[1].high)).abs() < 1e-9);
        prop_assert!((intervals[0].high - (1.0 - intervals[1].low)).abs() < 1e-9);
    }

    #[test]
    fn evidence_never_falls_below_the_mass_of_the_spike(v1 in 0u64..1_000_000, v2 in 0u64..1_000_000, share in 0.01..0.99) {
        let log_e = two(share).log_e(&[v1, v2]);
        prop_assert!(log_e >= -std::f64::consts::LN_2 - 1e-6, "{}", log_e);
    }

    #[test]
    fn every_way_to_spread_what_is_unattributed_is_allowed_for(
        a in 0u64..2000, b in 0u64..400, c in 0u64..200, unattributed in 1u64..12,
    ) {
        let split = Split::new(&[0.8, 0.15, 0.05]).unwrap();
        let stream = Stream::with_counts(split.clone(), vec![a, b, c], unattributed);
        let (smallest, widest) = (stream.log_e(), stream.intervals(0.001));
        let mut found = f64::INFINITY;
        for to_a in 0..=unattributed {
            for to_b in 0..=unattributed - to_a {
                let counts = [a + to_a, b + to_b, c + unattributed - to_a - to_b];
                found = found.min(split.log_e(&counts));
                for (interval, widest) in split.intervals(&counts, 0.001).iter().zip(&widest) {
                    let outside = (widest.low - interval.low).max(interval.high - widest.high);
                    prop_assert!(outside < 1e-4, "{:?} is not inside {:?}", interval, widest);
                }
            }
        }
        prop_assert!((found - smallest).abs() < 1e-9, "{} is not the smallest, {}", smallest, found);
    }
}

#[test]
fn weights_are_relative() {
    assert_eq!(
        Split::new(&[9.0, 1.0]).unwrap().weights(),
        Split::new(&[90.0, 10.0]).unwrap().weights()
    );
}

#[test]
fn what_is_no_split_is_refused() {
    assert_eq!(Split::new(&[0.0, 0.0]).unwrap_err(), InvalidSplit::AllZero);
    assert_eq!(Split::new(&[]).unwrap_err(), InvalidSplit::AllZero);
    assert_eq!(
        Split::new(&[1.0, -1.0]).unwrap_err(),
        InvalidSplit::NotAWeight(-1.0)
    );
}

#[test]
fn more_than_half_of_the_tolerance_unattributed_leaves_it_undecided() {
    let counts = vec![8_900, 989];
    let fair = gate(0.001, 0.02);
    let few = fair.look(&mut Stream::with_counts(two(0.1), counts.clone(), 20));
    assert_eq!(few.verdict, Verdict::Confirmed, "{few:?}");
    let many = fair.look(&mut Stream::with_counts(two(0.1), counts, 111));
    assert_eq!(many.verdict, Verdict::Undecided, "{many:?}");
}

#[test]
fn an_unattributed_request_may_have_gone_astray() {
    let all = Split::new(&[1.0, 0.0]).unwrap();
    let clean = Stream::with_counts(all.clone(), vec![2_000, 0], 0).intervals(0.001);
    let doubtful = Stream::with_counts(all, vec![1_998, 0], 2).intervals(0.001);
    assert!(doubtful[1].high > clean[1].high && doubtful[0].low < clean[0].low);
    assert!(
        doubtful[1].high < 0.02,
        "two of 2,000 leave little doubt: {doubtful:?}"
    );
}

#[test]
fn a_version_that_nobody_declared_is_a_leak() {
    let mut stream = seen(&two(0.1), &[900, 100]);
    let stranger = stream.add_unused();
    assert_ne!(gate(0.001, 0.02).look(&mut stream).verdict, Verdict::Leak);
    stream.record(stranger);
    assert_eq!(gate(0.001, 0.02).look(&mut stream).verdict, Verdict::Leak);
}
