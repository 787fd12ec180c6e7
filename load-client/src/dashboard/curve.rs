//! How an observed share and its interval converge over requests.

use serde::Serialize;

use super::edge::{EdgeNow, VersionNow};
use crate::stats::Interval;

/// Below this, every look is a point; above, a point is this much further on than the one before. On a logarithmic axis
/// they are evenly spaced, and a million requests are some 200.
const SPACING: f64 = 1.05;

/// One look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Requests by then.
    pub n: u64,
    /// Of the answers that name a version, 0 to 1.
    pub observed: f64,
    /// Where the share lies, except with probability alpha.
    pub interval: Interval,
}

/// The share of one version of an edge over its requests.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Curve {
    /// In the order of `n`; the last one is as of now.
    pub points: Vec<Point>,
}

/// The version that a split is about: of those that share the requests the smallest, otherwise one that is to get
/// nothing, otherwise the only one.
pub(super) fn subject(versions: &[VersionNow]) -> Option<&VersionNow> {
    let rank = |version: &&VersionNow| match version.declared {
        share if share > 0.0 && share < 1.0 => share,
        share => 1.0 + share,
    };
    // The last one of those alike: v2 of an even split.
    versions.iter().rev().min_by(|a, b| rank(a).total_cmp(&rank(b)))
}

impl Curve {
    /// Takes in a look. The last point is replaced as long as the one before it is near.
    pub(super) fn push(&mut self, edge: &EdgeNow) {
        let Some(point) = point(edge) else { return };
        let near = |earlier: &Point| {
            #[allow(clippy::cast_precision_loss)] // counts below 2^53
            let (now, then) = (point.n as f64, earlier.n as f64);
            now < then * SPACING
        };
        let before_last = self.points.iter().rev().nth(1);
        if before_last.is_some_and(near) || self.points.last().is_some_and(|last| last.n >= point.n) {
            self.points.pop();
        }
        self.points.push(point);
    }
}

fn point(edge: &EdgeNow) -> Option<Point> {
    let subject = subject(&edge.versions)?;
    Some(Point {
        n: edge.n,
        observed: subject.observed?,
        // After a leak there is no interval: the share is not 0, and nothing else is said.
        interval: subject.interval.unwrap_or(Interval::ALL),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expect::{Edge, Path};
    use crate::stats::Verdict;

    fn version(name: &str, declared: f64) -> VersionNow {
        VersionNow {
            version: name.to_owned(),
            declared,
            count: 1,
            errors: 0,
            observed: Some(declared),
            interval: None,
        }
    }

    fn of(shares: &[f64]) -> Vec<VersionNow> {
        let versions = shares.iter().enumerate();
        versions
            .map(|(index, share)| version(&format!("v{}", index + 1), *share))
            .collect()
    }

    #[test]
    fn a_split_is_about_its_smallest_part() {
        let cases: [(&[f64], &str); 5] = [
            (&[0.9, 0.1], "v2"),
            (&[0.5, 0.5], "v2"),
            (&[1.0, 0.0], "v2"),
            (&[0.0, 1.0], "v1"),
            (&[1.0], "v1"),
        ];
        for (shares, name) in cases {
            let versions = of(shares);
            assert_eq!(subject(&versions).unwrap().version, name, "{shares:?}");
        }
        assert!(subject(&[]).is_none());
    }

    #[test]
    fn points_are_few_evenly_spaced_and_end_now() {
        let mut curve = Curve::default();
        for n in 1..=100_000 {
            let edge = EdgeNow {
                path: Path::Gateway,
                edge: Edge {
                    from: "client".to_owned(),
                    to: "shop".to_owned(),
                    variant: None,
                },
                verdict: Verdict::Undecided,
                tolerance: 0.02,
                n,
                errors: 0,
                versions: of(&[0.9, 0.1]),
            };
            curve.push(&edge);
        }
        let n: Vec<u64> = curve.points.iter().map(|point| point.n).collect();
        assert_eq!((n.first(), n.last()), (Some(&1), Some(&100_000)));
        assert!(n.len() < 220, "{}", n.len());
        assert!(n.windows(2).all(|pair| pair[0] < pair[1]), "{n:?}");
        let gaps = n.windows(2).filter(|pair| pair[0] > 100);
        assert!(gaps.clone().count() > 100 && gaps.clone().all(|pair| pair[1] * 100 < pair[0] * 107));
    }
}
