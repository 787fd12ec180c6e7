//! What the diagnostics make of meshes that do other things than to draw each request anew.
//!
//! Each scenario runs with fixed seeds. With fresh ones, a mesh that draws each request anew is told to be something else
//! in at most 1 % of the runs (eight tests at level 0.001); the others are named in at least 96 %: fewer than 17 of 20 have a
//! probability below 0.01 then, and each test allows for as many.

use load_client::stats::{Dependence, Diagnosis, Split, Trace};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::kit::two;

const REQUESTS: u64 = 20_000;
const CONNECTIONS: u64 = 64;
const RUNS: u64 = 20;

/// Feeds a trace: which version answers the request with this number on this connection.
fn run(seed: u64, mut version: impl FnMut(&mut SmallRng, u64, u64) -> usize) -> Diagnosis {
    let mut random = SmallRng::seed_from_u64(seed);
    let split = two(0.1);
    let mut trace = Trace::new(&split);
    for request in 0..REQUESTS {
        let connection = random.random_range(0..CONNECTIONS);
        let version = version(&mut random, request, connection);
        trace.record(version, connection, Some(connection % 8));
    }
    Diagnosis::new(&trace, &split, 0.001)
}

/// How many of the runs come to this.
fn told(wanted: Dependence, one: impl Fn(u64) -> Diagnosis) -> u64 {
    (0..RUNS).filter(|seed| one(*seed).dependence == wanted).count() as u64
}

#[test]
fn independent_draws_are_told_to_be_independent_whatever_their_share() {
    for share in [0.1, 0.12, 0.5] {
        let count = told(Dependence::Independent, |seed| {
            run(seed, |random, _, _| usize::from(random.random_bool(share)))
        });
        assert!(count >= RUNS - 2, "{share}: {count} of {RUNS}");
    }
}

/// Every connection draws its version once.
fn pinned(seed: u64, share: f64) -> Diagnosis {
    let mut draws = SmallRng::seed_from_u64(seed + 1_000);
    let versions: Vec<usize> = (0..CONNECTIONS)
        .map(|_| usize::from(draws.random_bool(share)))
        .collect();
    run(seed, |_, _, connection| {
        versions[usize::try_from(connection).unwrap()]
    })
}

/// Two in three right meshes of this kind are rejected when requests are counted. Connections are not: at alpha 0.001 one
/// rejection in 20 runs has a probability of 0.02, two of 0.0002.
#[test]
fn connections_that_stay_with_a_version_are_sticky_and_their_weights_are_not_refuted() {
    assert!(told(Dependence::StickyConnections, |seed| pinned(seed, 0.1)) >= RUNS - 1);
    let refuted = |seed: &u64| pinned(*seed, 0.1).units_log_e >= f64::ln(1000.0);
    assert!((0..RUNS).filter(refuted).count() <= 1);
    // Swapped weights are refuted by 64 connections: 10/14 requests in the median and in 99 %.
    assert!((0..RUNS).all(|seed| pinned(seed, 0.9).units_log_e >= f64::ln(1000.0)));
}

#[test]
fn connections_that_change_their_version_now_and_then_are_partly_sticky() {
    let repinned = |seed| {
        let mut versions = vec![(0, 0); 64];
        run(seed, move |random, _, connection| {
            let (version, left) = &mut versions[usize::try_from(connection).unwrap()];
            if *left == 0 {
                (*version, *left) = (usize::from(random.random_bool(0.1)), 20);
            }
            *left -= 1;
            *version
        })
    };
    assert!(told(Dependence::PartlySticky, repinned) >= RUNS - 3);
}

#[test]
fn a_round_robin_is_deterministic_over_all_requests_and_on_each_connection() {
    let global = |seed| run(seed, |_, request, _| usize::from(request % 10 == 9));
    assert_eq!(told(Dependence::Deterministic, global), RUNS);
    let each = |seed| {
        let mut turns = [0u64; 64];
        run(seed, move |_, _, connection| {
            let turn = &mut turns[usize::try_from(connection).unwrap()];
            *turn += 1;
            usize::from((*turn + connection * 7).is_multiple_of(10))
        })
    };
    assert!(told(Dependence::Deterministic, each) >= RUNS - 1);
    assert!(
        global(0).dependence.is_sound(),
        "more regular than random makes false alarms rarer"
    );
}

#[test]
fn a_change_of_the_weights_in_mid_run_is_a_drift() {
    let changed = |seed| {
        run(seed, |random, request, _| {
            usize::from(random.random_bool(if request < REQUESTS / 2 { 0.1 } else { 0.2 }))
        })
    };
    assert!(told(Dependence::Drift, changed) >= RUNS - 1);
    let (first, last) = changed(0).ends.unwrap();
    assert!(first[1] < last[1], "{first:?} {last:?}");
}

#[test]
fn one_stale_proxy_of_eight_makes_unequal_sources() {
    let stale = |seed| {
        run(seed, |random, _, connection| {
            usize::from(connection % 8 != 3 && random.random_bool(0.1))
        })
    };
    assert!(told(Dependence::UnequalSources, stale) >= RUNS - 3);
}

#[test]
fn one_version_alone_tells_nothing() {
    assert_eq!(run(0, |_, _, _| 0).dependence, Dependence::Unknown);
    let split = Split::new(&[0.9, 0.1]).unwrap();
    assert_eq!(
        Diagnosis::new(&Trace::new(&split), &split, 0.001).dependence,
        Dependence::Unknown
    );
}
