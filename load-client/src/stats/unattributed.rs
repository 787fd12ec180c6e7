//! Requests whose version is not known.
//!
//! Dropping them would bias the counts towards the versions that do not fail. Instead every way in which they could
//! have been spread over the versions counts as possible: the evidence is the smallest, the interval the hull.

use super::evidence::total;
use super::interval::Interval;
use super::split::Split;

/// Where the prior for strays sits: small, as strays are.
const STRAY_SHARE: f64 = 0.001;
/// Rounds of exchanges; a handful is usual.
const MOST_ROUNDS: u32 = 100;

impl Split {
    /// Smallest `logE` over all ways to spread `unattributed` requests over the active versions.
    ///
    /// `logE` is convex in the counts of a fixed total, so pairwise exchanges lead to the minimum; exactly so for two
    /// versions.
    pub(super) fn smallest_log_e(&self, counts: &[u64], unattributed: u64) -> f64 {
        if unattributed == 0 || self.leaked(counts) {
            return self.log_e(counts);
        }
        let active: Vec<usize> = self.active().iter().map(|k| k.index).collect();
        let mut spread = counts.to_vec();
        spread[active[0]] = spread[active[0]].saturating_add(unattributed);
        // Each round is nearer to the minimum; a bound, because rounding may see two neighbours as better than each other.
        for _ in 0..MOST_ROUNDS {
            let before = spread.clone();
            for (position, &from) in active.iter().enumerate() {
                for &to in &active[position + 1..] {
                    self.exchange(counts, &mut spread, from, to);
                }
            }
            if spread == before {
                break;
            }
        }
        self.log_e(&spread)
    }

    /// Moves what is spread over two versions to where `logE` is smallest: a binary search for the sign of the slope.
    fn exchange(&self, fixed: &[u64], spread: &mut [u64], from: usize, to: usize) {
        let movable = (spread[from] - fixed[from]) + (spread[to] - fixed[to]);
        let mut at = |moved: u64| {
            spread[from] = fixed[from].saturating_add(movable - moved);
            spread[to] = fixed[to].saturating_add(moved);
            self.log_e(spread)
        };
        let (mut low, mut high) = (0, movable);
        while low < high {
            let middle = low + (high - low) / 2;
            if at(middle) <= at(middle + 1) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        at(low);
    }

    /// Intervals that hold for every way to spread the unattributed requests: the hull over the ways in which all of
    /// them were one version. For two versions no other way reaches further; for more,
    /// others do far from the declared split, by less than a hundredth of a percentage point.
    pub(super) fn widest_intervals(&self, counts: &[u64], unattributed: u64, alpha: f64) -> Vec<Interval> {
        if unattributed == 0 {
            return self.intervals(counts, alpha);
        }
        let all_of_one_version = |version: usize| {
            let mut spread = counts.to_vec();
            spread[version] = spread[version].saturating_add(unattributed);
            self.intervals(&spread, alpha)
        };
        let ways = self.active().iter().map(|k| all_of_one_version(k.index));
        let unite = |hull: Vec<Interval>, other: Vec<Interval>| {
            hull.into_iter().zip(other).map(|(a, b)| a.hull(b)).collect()
        };
        let mut hull = ways.reduce(unite).unwrap_or_default();
        self.allow_for_strays(&mut hull, counts, unattributed, alpha);
        hull
    }

    /// An unattributed request may also have gone where nothing should go.
    fn allow_for_strays(&self, hull: &mut [Interval], counts: &[u64], unattributed: u64, alpha: f64) {
        let stray = stray_bound(unattributed, total(counts).saturating_add(unattributed), alpha);
        for (interval, weight) in hull.iter_mut().zip(self.weights()) {
            if *weight == 0.0 {
                interval.high = stray;
            } else if self.active().len() == 1 {
                interval.low = 1.0 - stray;
            }
        }
    }
}

/// The largest share of which `hits` among `n` can be all there was: the upper end of the same interval on two cells.
fn stray_bound(hits: u64, n: u64, alpha: f64) -> f64 {
    let cells = Split::new(&[STRAY_SHARE, 1.0 - STRAY_SHARE]);
    cells.map_or(1.0, |cells| cells.intervals(&[hits, n - hits], alpha)[0].high)
}
