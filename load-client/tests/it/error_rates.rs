//! What the verdict promises, by simulation with fixed seeds. Each test says how often it would fail with fresh seeds.

use load_client::stats::{Detector, Stream, Verdict, change_point};

use crate::kit::{Draws, gate, quantile, two};

/// Requests until the evidence reaches `ln(1/alpha)` when looked at after every request.
fn to_reject(declared: f64, truth: f64, alpha: f64, seed: u64, limit: u64) -> Option<u64> {
    let mut stream = Stream::new(two(declared));
    let mut draws = Draws::new(truth, seed);
    (1..=limit).find(|_| {
        stream.record(draws.draw());
        stream.look() >= -f64::ln(alpha)
    })
}

/// The bound is 0.01, the true rate lower. With a rate of 0.01 more than 35 alarms in 2,000 runs have a probability
/// of 0.0008.
#[test]
fn a_true_split_is_rejected_no_more_often_than_alpha_although_every_request_is_looked_at() {
    let alarms = (0..2_000)
        .filter(|seed| to_reject(0.1, 0.1, 0.01, *seed, 2_000).is_some())
        .count();
    assert!(alarms <= 35, "{alarms} false alarms in 2,000 runs at alpha 0.01");
}

/// The exact median is 232, the exact 99 % point 558. A median of 1,000 runs is within 20 of the true one except
/// with a probability below 0.0001, its 99 % point within 110.
#[test]
fn eighty_twenty_instead_of_ninety_ten_is_rejected_after_about_232_requests() {
    let needed = (0..1_000)
        .map(|seed| to_reject(0.1, 0.2, 0.001, seed, 5_000).unwrap())
        .collect::<Vec<_>>();
    let (median, slowest) = (quantile(needed.clone(), 0.5), quantile(needed, 0.99));
    assert!(median.abs_diff(232) <= 20, "median {median}");
    assert!(slowest.abs_diff(558) <= 110, "99 % point {slowest}");
}

/// The exact rate at the edge of the tolerance is 0.0005 at alpha 0.001; at alpha 0.05 the bound is 0.05. More than
/// 31 of 300 have a probability below 0.0001 then.
#[test]
fn a_split_at_the_edge_of_the_tolerance_is_confirmed_no_more_often_than_alpha() {
    let gate = gate(0.05, 0.02);
    let confirmed = |seed: &u64| {
        let mut stream = Stream::new(two(0.1));
        let mut draws = Draws::new(0.12, *seed);
        (1..=5_000).any(|n| {
            stream.record(draws.draw());
            n % 50 == 0 && gate.look(&mut stream).verdict == Verdict::Confirmed
        })
    };
    let wrong = (0..300).filter(confirmed).count();
    assert!(wrong <= 31, "{wrong} of 300 confirmed at alpha 0.05");
}

/// The exact median is 4,161. A median of 200 runs is within 800 of it except with a probability below 0.001.
#[test]
fn ninety_ten_is_confirmed_within_two_points_after_about_4161_requests() {
    let gate = gate(0.001, 0.02);
    let needed = |seed| {
        let mut stream = Stream::new(two(0.1));
        let mut draws = Draws::new(0.1, seed);
        (1..=40_000).find(|n| {
            stream.record(draws.draw());
            n % 40 == 0 && gate.look(&mut stream).verdict == Verdict::Confirmed
        })
    };
    let median = quantile((0..200).map(|seed| needed(seed).unwrap()).collect(), 0.5);
    assert!(median.abs_diff(4_161) <= 800, "median {median}");
}

/// Median 27 and 99 % point 58 in 400 simulated runs; a median of 1,000 is within 4 of the true one except with a
/// probability below 0.001. One false alarm in 300 runs has a probability of at most 0.3 at alpha 0.001: two, 0.04;
/// four, 0.0003.
#[test]
fn half_half_after_ninety_ten_is_noticed_after_about_27_requests() {
    let delay = |seed| {
        let mut detector = Detector::new(&two(0.1), &two(0.5), 10_000, 0.001);
        let mut draws = Draws::new(0.5, seed);
        (1..=1_000).find(|_| detector.observe(draws.draw())).unwrap()
    };
    let delays: Vec<u64> = (0..1_000).map(delay).collect();
    let median = quantile(delays, 0.5);
    assert!(median.abs_diff(27) <= 4, "median {median}");

    let early = |seed: &u64| {
        let mut detector = Detector::new(&two(0.1), &two(0.5), 10_000, 0.001);
        let mut draws = Draws::new(0.1, *seed);
        (1..=10_000).any(|_| detector.observe(draws.draw()))
    };
    let alarms = (0..300).filter(early).count();
    assert!(alarms <= 3, "{alarms} alarms without a change in 300 runs");
}

/// Coverage is at least 0.95. Fewer than 270 of 300 have a probability below 0.0005 then.
#[test]
fn a_change_lies_in_its_confidence_set() {
    let covers = |seed: &u64| {
        let mut before = Draws::new(0.1, *seed);
        let mut after = Draws::new(0.2, seed + 1_000_000);
        let versions: Vec<usize> = (0..2_000)
            .map(|i| if i < 800 { before.draw() } else { after.draw() })
            .collect();
        let found = change_point(&versions, &two(0.1), &two(0.2), 0.05);
        (found.first..=found.last).contains(&800)
    };
    let covered = (0..300).filter(covers).count();
    assert!(covered >= 270, "{covered} of 300 covered");
}
