//! Which priority gets how many of the requests, depending on how many of its endpoints are healthy.
//!
//! Source: Envoy's `load_balancer_impl.cc` (`recalculatePerPriorityState`, `recalculatePerPriorityPanic`) and
//! `previous_priorities.cc`. Percentages are whole numbers, rounded down, as there.

use std::collections::BTreeSet;

/// A priority takes its full share as long as 1/1.4 of its endpoints are healthy.
pub(super) const OVERPROVISIONING: usize = 140;

/// Endpoints of one priority.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) healthy: usize,
    pub(super) all: usize,
}

/// How requests are spread over priorities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Loads {
    /// Percent of the requests, by priority; the sum is 100.
    pub(super) percent: Vec<usize>,
    /// Priorities so unhealthy that all their endpoints are used (`minHealthPercent`).
    pub(super) panic: Vec<bool>,
}

impl Count {
    /// Percent of the requests that it can take, at most 100.
    fn availability(self) -> usize {
        match self.all {
            0 => 0,
            all => (OVERPROVISIONING * self.healthy / all).min(100),
        }
    }
}

impl Loads {
    /// `minimum`: below this percentage of healthy endpoints a priority panics, unless all together can take everything.
    pub(super) fn of(counts: &[Count], minimum: usize) -> Self {
        let available: Vec<usize> = counts.iter().map(|count| count.availability()).collect();
        let total = available.iter().sum::<usize>().min(100);
        let panics = |count: &Count| total < 100 && count.healthy * 100 < minimum * count.all;
        let panic: Vec<bool> = counts.iter().map(panics).collect();
        let percent = if minimum > 0 && panic.iter().all(|panic| *panic) {
            by_size(counts)
        } else {
            spread(&available, total).unwrap_or_else(|| first_only(counts.len()))
        };
        Loads { percent, panic }
    }

    /// The spread for a retry that leaves out the priorities tried; all of them once no other is left.
    pub(super) fn without(counts: &[Count], left_out: &mut BTreeSet<usize>) -> Option<Vec<usize>> {
        let available = |left_out: &BTreeSet<usize>| -> Vec<usize> {
            let counts = counts.iter().enumerate();
            counts
                .map(|(index, count)| {
                    if left_out.contains(&index) {
                        0
                    } else {
                        count.availability()
                    }
                })
                .collect()
        };
        let mut rest = available(left_out);
        if rest.iter().all(|percent| *percent == 0) {
            left_out.clear();
            rest = available(left_out);
        }
        let total = rest.iter().sum::<usize>().min(100);
        spread(&rest, total)
    }
}

/// The priority in whose part of 100 a random number falls.
pub(super) fn choose(percent: &[usize], random: u64) -> usize {
    let mut rest = usize::try_from(random % 100).unwrap_or_default();
    for (index, percent) in percent.iter().enumerate() {
        if rest < *percent {
            return index;
        }
        rest -= percent;
    }
    0
}

/// As much as possible to the first ones; what rounding leaves to the first that is available.
fn spread(available: &[usize], total: usize) -> Option<Vec<usize>> {
    let first = available.iter().position(|percent| *percent > 0)?;
    let mut left = 100;
    let mut percent: Vec<usize> = Vec::with_capacity(available.len());
    for available in available {
        let share = left.min(available * 100 / total);
        left -= share;
        percent.push(share);
    }
    percent[first] += left;
    Some(percent)
}

/// In panic everywhere: by the number of endpoints.
fn by_size(counts: &[Count]) -> Vec<usize> {
    let total: usize = counts.iter().map(|count| count.all).sum();
    let Some(first) = counts.iter().position(|count| count.all > 0) else {
        return first_only(counts.len());
    };
    let mut percent: Vec<usize> = counts.iter().map(|count| 100 * count.all / total).collect();
    percent[first] += 100 - percent.iter().sum::<usize>();
    percent
}

fn first_only(length: usize) -> Vec<usize> {
    (0..length)
        .map(|index| if index == 0 { 100 } else { 0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(list: &[(usize, usize)]) -> Vec<Count> {
        list.iter()
            .map(|(healthy, all)| Count {
                healthy: *healthy,
                all: *all,
            })
            .collect()
    }

    #[test]
    fn the_next_priority_comes_in_when_less_than_five_sevenths_are_healthy() {
        for (healthy, all, expected) in [(4, 4, 100), (3, 4, 100), (2, 4, 70), (1, 4, 35), (0, 4, 0)] {
            let loads = Loads::of(&counts(&[(healthy, all), (1, 1)]), 0);
            assert_eq!(loads.percent, [expected, 100 - expected], "{healthy} of {all}");
        }
    }

    #[test]
    fn what_is_missing_everywhere_is_made_up_for_by_scaling() {
        let loads = Loads::of(&counts(&[(1, 4), (1, 4)]), 0);
        assert_eq!(loads.percent, [50, 50]);
    }

    #[test]
    fn nobody_healthy_and_no_minimum_is_the_first_priority_without_panic() {
        let loads = Loads::of(&counts(&[(0, 2), (0, 2)]), 0);
        assert_eq!((loads.percent, loads.panic), (vec![100, 0], vec![false, false]));
    }

    #[test]
    fn below_the_minimum_all_endpoints_are_used_unless_others_can_take_everything() {
        assert_eq!(Loads::of(&counts(&[(1, 2)]), 51).panic, [true]);
        assert_eq!(Loads::of(&counts(&[(1, 2)]), 50).panic, [false]);
        assert_eq!(Loads::of(&counts(&[(1, 2), (2, 2)]), 60).panic, [false, false]);
        // Four of five can take everything, so that they do not panic below 90 %.
        assert_eq!(Loads::of(&counts(&[(4, 5)]), 90).panic, [false]);
    }

    #[test]
    fn a_total_panic_spreads_by_size() {
        let loads = Loads::of(&counts(&[(0, 1), (0, 2)]), 50);
        assert_eq!((loads.percent, loads.panic), (vec![34, 66], vec![true, true]));
    }

    #[test]
    fn priorities_tried_are_left_out_until_none_is_left() {
        let both = counts(&[(1, 1), (1, 1)]);
        let mut left_out = BTreeSet::from([0]);
        assert_eq!(Loads::without(&both, &mut left_out), Some(vec![0, 100]));
        left_out.insert(1);
        assert_eq!(Loads::without(&both, &mut left_out), Some(vec![100, 0]));
        assert!(left_out.is_empty());
    }
}
