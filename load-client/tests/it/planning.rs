//! Requests that a verdict takes.

use load_client::stats::Split;
use load_client::stats::plan::{Chance, further, to_confirm, to_reject};

use crate::kit::{gate, seen, two};

/// Within a part of the reference, 0.05 for a twentieth.
#[allow(clippy::cast_precision_loss)]
fn near(what: &str, got: Option<u64>, expected: u64, part: f64) {
    let got = got.unwrap();
    let allowed = expected as f64 * part + 3.0;
    assert!(
        (got.abs_diff(expected) as f64) < allowed,
        "{what}: planned {got}, exact {expected}"
    );
}

/// The references are exact, by dynamic programming over the counts.
#[test]
fn the_plan_to_confirm_agrees_with_exact_medians_and_99_percent_points() {
    for (share, tolerance, alpha, median, most) in [
        (0.50, 0.02, 0.001, 11_649, 27_332),
        (0.50, 0.01, 0.001, 47_147, 110_775),
        (0.25, 0.02, 0.001, 8_717, 20_505),
        (0.25, 0.01, 0.001, 35_286, 82_848),
        (0.10, 0.02, 0.001, 4_161, 10_005),
        (0.10, 0.01, 0.001, 16_843, 39_696),
        (0.05, 0.02, 0.001, 2_198, 5_615),
        (0.05, 0.01, 0.001, 8_861, 21_276),
        (0.01, 0.01, 0.001, 2_029, 5_866),
        (0.10, 0.02, 0.01, 2_918, 8_099),
        (0.10, 0.01, 0.01, 11_884, 32_300),
    ] {
        let gate = gate(alpha, tolerance);
        let what = format!("{share} within {tolerance} at {alpha}");
        near(&what, to_confirm(&two(share), &gate, Chance::Half), median, 0.08);
        near(&what, to_confirm(&two(share), &gate, Chance::High), most, 0.08);
    }
}

/// Simulated: 8,400 and 18,104 requests within two points, 33,100 in the median within one.
#[test]
fn the_plan_for_three_versions_agrees_with_simulations() {
    let three = Split::new(&[0.80, 0.15, 0.05]).unwrap();
    let plan = |tolerance, chance| to_confirm(&three, &gate(0.001, tolerance), chance);
    near("median", plan(0.02, Chance::Half), 8_400, 0.12);
    near("99 %", plan(0.02, Chance::High), 18_104, 0.12);
    near("median", plan(0.01, Chance::Half), 33_100, 0.12);
    let truth = Split::new(&[0.76, 0.18, 0.06]).unwrap();
    let reject = |chance| to_reject(&three, &truth, &gate(0.001, 0.01), chance);
    near("median", reject(Chance::Half), 2_300, 0.12);
    near("99 %", reject(Chance::High), 5_181, 0.12);
}

#[test]
fn the_plan_to_reject_agrees_with_exact_medians_and_99_percent_points() {
    for (share, truth, median, most) in [
        (0.50, 0.60, 486, 1_124),
        (0.50, 0.55, 1_898, 4_503),
        (0.50, 0.52, 11_696, 28_079),
        (0.25, 0.35, 400, 944),
        (0.25, 0.30, 1_497, 3_588),
        (0.25, 0.27, 8_960, 21_575),
        (0.10, 0.20, 232, 558),
        (0.10, 0.15, 800, 1_943),
        (0.10, 0.12, 4_532, 10_925),
        (0.10, 0.00, 110, 110),
        (0.10, 0.90, 10, 14),
        (0.05, 0.15, 153, 375),
        (0.05, 0.10, 488, 1_199),
        (0.05, 0.07, 2_573, 6_252),
        (0.01, 0.11, 69, 188),
        (0.01, 0.06, 190, 496),
        (0.01, 0.03, 792, 2_016),
    ] {
        let gate = gate(0.001, 0.01);
        let reject = |chance| to_reject(&two(share), &two(truth), &gate, chance);
        let what = format!("{truth} for {share}");
        near(&what, reject(Chance::Half), median, 0.05);
        near(&what, reject(Chance::High), most, 0.05);
    }
}

#[test]
fn all_to_one_version_takes_what_the_leak_bound_takes() {
    let all = Split::new(&[1.0, 0.0]).unwrap();
    for (tolerance, needed) in [(0.01, 688), (0.005, 1_379), (0.001, 6_905)] {
        for chance in [Chance::Half, Chance::High, Chance::NearlyCertain] {
            assert_eq!(to_confirm(&all, &gate(0.001, tolerance), chance), Some(needed));
        }
    }
}

#[test]
fn a_smaller_alpha_and_a_greater_chance_take_more() {
    let plan = |alpha, chance| to_confirm(&two(0.1), &gate(alpha, 0.02), chance).unwrap();
    assert!(plan(0.001 / 3.0, Chance::High) > plan(0.001, Chance::High));
    assert!(plan(0.001, Chance::NearlyCertain) > plan(0.001, Chance::High));
}

#[test]
fn what_cannot_be_told_apart_takes_for_ever() {
    assert_eq!(
        to_reject(&two(0.1), &two(0.1), &gate(0.001, 0.02), Chance::Half),
        None
    );
}

#[test]
fn the_rest_is_what_the_observed_shares_would_still_need() {
    let gate = gate(0.001, 0.02);
    let rest = further(&seen(&two(0.1), &[900, 100]), &gate).unwrap();
    assert!((2_000..4_000).contains(&rest), "{rest}");
    let decided = further(&seen(&two(0.1), &[9_000, 1_000]), &gate);
    assert_eq!(decided, Some(0));
}
