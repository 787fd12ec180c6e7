//! Long runs, changes and canaries, by simulation with fixed seeds. Each test says how often it would fail with others.

use load_client::stats::{Latencies, Restarts, Split, cells, chi_square_upper, heterogeneity, ramp};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::kit::{Draws, quantile, two};

const SURE: f64 = 6.907_755_278_982_137; // ln 1000

/// Bound 0.01 per run, the true rate lower: more than 11 alarms in 300 runs have a probability below 0.0002 then.
#[test]
fn restarts_alarm_no_more_often_than_alpha_while_the_split_is_right() {
    let alarms = (0..300)
        .filter(|seed| {
            let (mut restarts, mut draws) = (Restarts::new(two(0.1)), Draws::new(0.1, *seed));
            (1..=6_000).any(|n| {
                restarts.record(draws.draw());
                n % 100 == 0 && restarts.log_e() >= f64::ln(100.0)
            })
        })
        .count();
    assert!(alarms <= 11, "{alarms} of 300");
}

/// Median 430 and 99 % point 912 in 400 simulated runs, looks every 20. A median of 60 is within 130 of the true one
/// except with a probability below 0.0005; that one of 60 takes more than 1,400 has one below 0.001.
#[test]
fn a_change_after_20_000_requests_is_seen_within_some_430() {
    let delay = |seed| {
        let mut restarts = Restarts::new(two(0.1));
        let (mut before, mut after) = (Draws::new(0.1, seed), Draws::new(0.2, seed + 10_000));
        for _ in 0..20_000 {
            restarts.record(before.draw());
        }
        let delay = (1..).find(|n| {
            restarts.record(after.draw());
            n % 20 == 0 && restarts.log_e() >= SURE
        });
        assert!(
            restarts.since().unwrap().abs_diff(20_000) <= 2_500,
            "{:?}",
            restarts.since()
        );
        delay.unwrap()
    };
    let delays: Vec<u64> = (0..60).map(delay).collect();
    let (median, slowest) = (quantile(delays.clone(), 0.5), quantile(delays, 1.0));
    assert!(
        median.abs_diff(430) <= 130 && slowest <= 1_400,
        "median {median}, slowest {slowest}"
    );
}

/// Median 260 and 99 % point 280: the cell that stays empty decides nearly alone. A median of 101 is within 10 of the
/// true one except with a probability below 0.001.
#[test]
fn a_second_hop_that_one_version_routes_by_old_rules_shows_in_the_cells() {
    let declared = cells(&two(0.5), &[two(0.1), two(0.1)]).unwrap();
    assert_eq!(declared.weights(), [0.45, 0.05, 0.45, 0.05]);
    let needed = |seed| {
        let mut draws = SmallRng::seed_from_u64(seed);
        let mut counts = [0; 4];
        (1..)
            .find(|_| {
                let cell = if draws.random_bool(0.5) {
                    2
                } else {
                    usize::from(draws.random_bool(0.1))
                };
                counts[cell] += 1;
                declared.log_e(&counts) >= SURE
            })
            .unwrap()
    };
    let median = quantile((0..101).map(needed).collect(), 0.5);
    assert!((245..=275).contains(&median), "median {median}");
}

/// 2,300 requests in the median for 76/18/6 and at most 410 for 80/10/10, when 80/15/5 is declared. A median of 41 is
/// within a third of the true one except with a probability below 0.001.
#[test]
fn three_versions_are_told_from_others_after_the_tabled_requests() {
    let declared = Split::new(&[0.80, 0.15, 0.05]).unwrap();
    let median = |truth: [f64; 2]| {
        let needed = |seed| {
            let mut draws = SmallRng::seed_from_u64(seed);
            let mut counts = [0; 3];
            let mut draw = || {
                let at: f64 = draws.random();
                if at < truth[0] {
                    0
                } else {
                    1 + usize::from(at >= truth[0] + truth[1])
                }
            };
            (1..)
                .find(|_| {
                    counts[draw()] += 1;
                    declared.log_e(&counts) >= SURE
                })
                .unwrap()
        };
        quantile((0..41).map(needed).collect(), 0.5)
    };
    let (off, swapped) = (median([0.76, 0.18]), median([0.80, 0.10]));
    assert!((1_530..=3_070).contains(&off), "{off}");
    assert!((200..=545).contains(&swapped), "{swapped}");
}

/// A ramp over 1,000 requests is found in 97 % of the runs, one that is abrupt in none of 200: fewer than 15 of 20 have
/// a probability below 0.0001, one false one in 20 below 0.1 and two below 0.005.
#[test]
fn a_ramp_is_told_from_an_abrupt_change() {
    let found = |length: u32, seed: u64| {
        let mut draws = SmallRng::seed_from_u64(seed);
        let share = |i: u32| 0.1 + 0.4 * (f64::from(i.saturating_sub(2_000)) / f64::from(length)).min(1.0);
        let versions: Vec<usize> = (0..6_000)
            .map(|i| usize::from(draws.random_bool(share(i))))
            .collect();
        ramp(&versions, &two(0.1), &two(0.5))
    };
    let ramps: Vec<_> = (0..20)
        .map(|seed| found(1_000, seed))
        .filter(|ramp| ramp.strong)
        .collect();
    assert!(ramps.len() >= 15, "{}", ramps.len());
    assert!(
        ramps
            .iter()
            .all(|ramp| (1_500..3_300).contains(&ramp.from) && ramp.to > ramp.from),
        "{ramps:?}"
    );
    let false_ones = (0..20).filter(|seed| found(1, 100 + seed).strong).count();
    assert!(false_ones <= 1, "{false_ones} of 20");
}

/// Latencies `exp(0.5 z)` with an approximately normal `z`, v2's scaled.
fn slow(scale: f64, requests: u64, seed: u64) -> Option<u64> {
    let mut random = SmallRng::seed_from_u64(seed);
    let latency = |random: &mut SmallRng| {
        let sum: f64 = (0..12).map(|_| random.random::<f64>()).sum();
        (0.5 * (sum - 6.0)).exp()
    };
    let warm_up: Vec<f64> = (0..500).map(|_| latency(&mut random)).collect();
    let mut latencies = Latencies::new(two(0.1), &warm_up);
    (1..=requests).find(|n| {
        let version = usize::from(random.random_bool(0.1));
        let scale = if version == 1 { scale } else { 1.0 };
        latencies.record(version, scale * latency(&mut random));
        n % 10 == 0 && latencies.log_e() >= SURE
    })
}

/// Medians 632 (x1.5) and 312 (x2) in simulations with exactly normal `z`. A median of 41 is within 150 of the true one except
/// with a probability below 0.001. At alpha 0.001 one false alarm in 60 runs has a probability of 0.06, two 0.002.
#[test]
fn a_slow_version_shows_in_the_latencies_and_an_equal_one_does_not() {
    let median = |scale| {
        quantile(
            (0..41).map(|seed| slow(scale, 5_000, seed).unwrap()).collect(),
            0.5,
        )
    };
    let (half, twice) = (median(1.5), median(2.0));
    assert!(
        half.abs_diff(632) <= 150 && twice.abs_diff(312) <= 80,
        "{half}, {twice}"
    );
    let alarms = (0..60).filter(|seed| slow(1.0, 4_000, *seed).is_some()).count();
    assert!(alarms <= 1, "{alarms} of 60");
}

/// 1,000 tables of independent draws: at level 0.05 more than 79 or fewer than 25 have a probability below 0.0001.
#[test]
fn tables_of_independent_draws_are_told_apart_as_often_as_the_level_says() {
    let small = |seed: &u64| {
        let mut draws = Draws::new(0.2, *seed);
        let mut row = || {
            let ones = (0..200).map(|_| draws.draw() as u64).sum::<u64>();
            vec![200 - ones, ones]
        };
        let table: Vec<Vec<u64>> = (0..12).map(|_| row()).collect();
        heterogeneity(&table).unwrap().p_upper < 0.05
    };
    let count = (0..1_000).filter(small).count();
    assert!((25..=79).contains(&count), "{count} of 1,000");
    assert!((chi_square_upper(1.0, 3.841_458_820_694_124) - 0.05).abs() < 1e-12);
}
