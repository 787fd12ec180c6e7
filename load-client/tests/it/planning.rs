//! Requests that a verdict takes.

use load_client::stats::Split;
use load_client::stats::plan::{Chance, further, to_confirm, to_reject};

use crate::kit::{gate, seen, two};

fn near(what: &str, got: Option<u64>, expected: u64) {
    let got = got.unwrap();
    let allowed = expected / 8 + 4;
    assert!(
        got.abs_diff(expected) <= allowed,
        "{what}: planned {got}, exact {expected}"
    );
}

/// The references are exact, by dynamic programming over the counts.
#[test]
fn the_plan_to_confirm_agrees_with_exact_medians_and_99_percent_points() {
    for (share, tolerance, alpha, median, most) in [
        (0.50, 0.02, 0.001, 11_649, 27_332),
        (0.25, 0.02, 0.001, 8_717, 20_505),
        (0.10, 0.02, 0.001, 4_161, 10_005),
        (0.10, 0.01, 0.001, 16_843, 39_696),
        (0.10, 0.02, 0.01, 2_918, 8_099),
    ] {
        let gate = gate(alpha, tolerance);
        near("median", to_confirm(&two(share), &gate, Chance::Half), median);
        near("99 %", to_confirm(&two(share), &gate, Chance::High), most);
    }
}

#[test]
fn the_plan_to_reject_agrees_with_exact_medians_and_99_percent_points() {
    for (share, truth, median, most) in [
        (0.10, 0.20, 232, 558),
        (0.10, 0.15, 800, 1_943),
        (0.10, 0.12, 4_532, 10_925),
        (0.50, 0.60, 486, 1_124),
        (0.25, 0.35, 400, 944),
        (0.10, 0.00, 110, 110),
    ] {
        let gate = gate(0.001, 0.01);
        near(
            "median",
            to_reject(&two(share), &two(truth), &gate, Chance::Half),
            median,
        );
        near(
            "99 %",
            to_reject(&two(share), &two(truth), &gate, Chance::High),
            most,
        );
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
