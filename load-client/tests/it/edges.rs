//! Reference values where doubles are at their limits (`tests/data/edge_vectors.py`), and inputs that make no sense.

use load_client::stats::{
    Dependence, Detector, Diagnosis, Latencies, Pairs, Restarts, Runs, Split, Stream, Trace, canary, change,
    change_point, chi_square_lower, chi_square_upper, excess, heterogeneity, interval, ramp,
};
use proptest::prelude::*;
use serde::Deserialize;

use crate::kit::gate;

#[derive(Deserialize)]
struct Vectors {
    core: Vec<Core>,
    tails: Vec<Tail>,
    unattributed: Vec<Unattributed>,
}

#[derive(Deserialize)]
struct Core {
    counts: Vec<u64>,
    weights: Vec<f64>,
    log_e: f64,
    intervals: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct Tail {
    df: f64,
    x: f64,
    upper: f64,
    lower: f64,
}

#[derive(Deserialize)]
struct Unattributed {
    counts: Vec<u64>,
    unattributed: u64,
    weights: Vec<f64>,
    log_e: f64,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../data/edge-vectors.json")).unwrap()
}

fn close(what: &str, got: f64, expected: f64) {
    let allowed = 1e-9 + 1e-12 * expected.abs();
    assert!(
        (got - expected).abs() <= allowed,
        "{what}: {got}, expected {expected}"
    );
}

#[test]
fn evidence_keeps_its_digits_with_many_versions_tiny_weights_and_a_trillion_counts() {
    for case in vectors().core {
        let split = Split::new(&case.weights).unwrap();
        let what = format!("{:?}", case.counts);
        close(&what, split.log_e(&case.counts), case.log_e);
        for (got, [low, high]) in split.intervals(&case.counts, 0.001).iter().zip(case.intervals) {
            close(&what, got.low, low);
            close(&what, got.high, high);
        }
    }
}

#[test]
fn tails_keep_their_digits() {
    for Tail { df, x, upper, lower } in vectors().tails {
        let relative = |got: f64, expected: f64| (got - expected).abs() <= 1e-10 * expected.abs().max(1e-290);
        let got = (chi_square_upper(df, x), chi_square_lower(df, x));
        assert!(
            relative(got.0, upper) && relative(got.1, lower),
            "{df} {x}: {got:?}, expected {upper} and {lower}"
        );
    }
}

#[test]
fn the_smallest_evidence_is_found_among_all_ways_to_spread_what_is_unattributed() {
    for case in vectors().unattributed {
        let split = Split::new(&case.weights).unwrap();
        let stream = Stream::with_counts(split, case.counts, case.unattributed);
        close("log_e", stream.log_e(), case.log_e);
    }
}

#[test]
fn huge_and_tiny_weights_are_relative_as_others_are() {
    assert_eq!(Split::new(&[1e308, 1e308]).unwrap().weights(), [0.5, 0.5]);
    assert_eq!(Split::new(&[5e-324, 0.0]).unwrap().weights(), [1.0, 0.0]);
    assert!(Split::new(&[f64::NAN]).is_err());
}

/// Any count, and often the ones where sums overflow.
fn any_count() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..100, any::<u64>(), Just(u64::MAX), Just(0)]
}

fn any_weight() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1.0, Just(0.0), Just(1e-300), Just(5e-324), Just(1e308)]
}

proptest! {
    #[test]
    fn nothing_that_is_counted_makes_the_verdict_panic(
        weights in prop::collection::vec(any_weight(), 1..6),
        counts in prop::collection::vec(any_count(), 0..7),
        unattributed in any_count(),
        alpha in 1e-12..0.999f64,
    ) {
        let Ok(split) = Split::new(&weights) else { return Ok(()) };
        let log_e = split.log_e(&counts);
        prop_assert!(!log_e.is_nan(), "{log_e}");
        for found in split.intervals(&counts, alpha) {
            prop_assert!(0.0 <= found.low && found.low <= found.high && found.high <= 1.0, "{found:?}");
        }
        let mut stream = Stream::with_counts(split, counts, unattributed);
        let finding = gate(alpha, 0.02).look(&mut stream);
        prop_assert!(!finding.log_e.is_nan());
        prop_assert!((0.0..=1.0).contains(&stream.p_value()));
    }

    #[test]
    fn nothing_that_is_seen_makes_the_diagnostics_panic(
        answers in prop::collection::vec((0usize..5, 0u64..4, prop::option::of(0u64..3)), 0..300),
        weights in prop::collection::vec(any_weight(), 1..5),
    ) {
        let Ok(split) = Split::new(&weights) else { return Ok(()) };
        let mut trace = Trace::new(&split);
        let mut restarts = Restarts::new(split.clone());
        let mut runs = Runs::default();
        for (version, connection, source) in &answers {
            trace.record(*version, *connection, *source);
            restarts.record(*version);
            runs.record(*version);
        }
        let diagnosis = Diagnosis::new(&trace, &split, 0.001);
        prop_assert!(!diagnosis.units_log_e.is_nan() && !restarts.log_e().is_nan());
        if let Some(test) = runs.test() {
            prop_assert!(test.z.is_finite() && test.variance > 0.0);
        }
        if answers.len() < 20 {
            prop_assert_eq!(diagnosis.dependence, Dependence::Unknown);
        }
    }

    #[test]
    fn nothing_makes_a_change_a_ramp_or_a_canary_panic(
        versions in prop::collection::vec(0usize..5, 0..200),
        old in prop::collection::vec(any_weight(), 1..4),
        new in prop::collection::vec(any_weight(), 1..4),
        counts in (any_count(), any_count(), any_count()),
        share in 1e-9..1.0f64,
    ) {
        let (Ok(old), Ok(new)) = (Split::new(&old), Split::new(&new)) else { return Ok(()) };
        let found = change_point(&versions, &old, &new, 0.001);
        prop_assert!(found.first <= found.estimate && found.estimate <= found.last && found.last <= versions.len());
        prop_assert!(found.gain.is_finite());
        let during = change::during(&versions, found, &old, &new, 0.001);
        prop_assert!(during.iter().map(|version| version.count).sum::<u64>() as usize <= found.last - found.first);
        let ramp = ramp(&versions, &old, &new);
        prop_assert!(ramp.from <= ramp.to && ramp.to <= versions.len() && ramp.gain >= 0.0);
        let mut detector = Detector::new(&old, &new, 0, 0.001);
        versions.iter().for_each(|version| { detector.observe(*version); });
        prop_assert!(!detector.e_value().is_nan());
        let bound = canary::error_rate_bound(counts.0, counts.1, share, 0.001).unwrap();
        prop_assert!((0.0..=1.0).contains(&bound), "{bound}");
        prop_assert!(!canary::noninferior(counts.0, counts.1, share, 2.0).is_nan());
        let same = Pairs { pairs: counts.0, matches: counts.1.min(counts.0) };
        let others = Pairs { pairs: counts.2, matches: 0 };
        if let Some(excess) = excess(&[counts.0, counts.1], same, others) {
            prop_assert!(!excess.same.is_nan() && !excess.against_others.is_nan());
        }
        let mut latencies = Latencies::new(new, &[share, 1.0, f64::NAN, f64::INFINITY]);
        versions.iter().for_each(|version| latencies.record(*version, share));
        prop_assert!(!latencies.log_e().is_nan());
    }

    #[test]
    fn nothing_in_a_table_makes_its_test_panic(
        table in prop::collection::vec(prop::collection::vec(any_count(), 0..4), 0..6),
    ) {
        if let Some(test) = heterogeneity(&table) {
            prop_assert!((0.0..=1.0).contains(&test.p_upper) && (0.0..=1.0).contains(&test.p_lower));
            prop_assert!((0.0..=1.0).contains(&test.icc));
        }
    }
}

#[test]
fn without_requests_everything_is_possible() {
    let split = Split::new(&[0.9, 0.1, 0.0]).unwrap();
    close("log_e", split.log_e(&[0, 0, 0]), 0.0);
    assert!(
        split
            .intervals(&[], 0.001)
            .iter()
            .all(|found| *found == interval::Interval::ALL)
    );
    assert!(heterogeneity(&[]).is_none() && Runs::default().test().is_none());
    close("bound", canary::error_rate_bound(0, 0, 0.01, 0.001).unwrap(), 1.0);
}
