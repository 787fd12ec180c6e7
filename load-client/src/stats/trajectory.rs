//! How evidence came to be: what a chart of it shows.

/// Points that are kept at most, besides the four that are kept whatever comes.
const MOST: usize = 96;

/// `ln` of an e-value after so many requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Requests of the stream.
    pub requests: u64,
    /// `ln` of its e-value at this look.
    pub log_e: f64,
}

/// The way of an e-process, thinned as it grows: memory stays flat. Points keep at least a stride of requests between
/// them, and the stride doubles whenever there are too many. The largest value, the latest one, and the first look at
/// which the threshold was reached survive.
#[derive(Clone, Debug)]
pub struct Trajectory {
    threshold: f64,
    stride: u64,
    grid: Vec<Point>,
    latest: Option<Point>,
    highest: Option<Point>,
    crossed: Option<Point>,
}

impl Trajectory {
    /// Nothing seen yet. `threshold` is the `ln` of the e-value that decides, `-ln(alpha)`.
    pub fn new(threshold: f64) -> Self {
        Self {
            threshold,
            stride: 1,
            grid: Vec::new(),
            latest: None,
            highest: None,
            crossed: None,
        }
    }

    /// A look after `requests`, never fewer than at the look before.
    pub fn record(&mut self, requests: u64, log_e: f64) {
        let point = Point { requests, log_e };
        if log_e >= self.threshold && self.crossed.is_none() {
            self.crossed = Some(point);
        }
        if !log_e.is_finite() {
            return;
        }
        self.latest = Some(point);
        if self.highest.is_none_or(|highest| log_e > highest.log_e) {
            self.highest = Some(point);
        }
        let next = self.grid.last().map_or(0, |last| last.requests + self.stride);
        if requests >= next {
            self.grid.push(point);
            if self.grid.len() > MOST {
                self.thin();
            }
        }
    }

    fn thin(&mut self) {
        self.stride *= 2;
        let mut next = 0;
        let stride = self.stride;
        self.grid.retain(|point| {
            let kept = point.requests >= next;
            if kept {
                next = point.requests + stride;
            }
            kept
        });
    }

    /// What is left of it, 100 points at most, by requests; finite values only.
    pub fn points(&self) -> Vec<Point> {
        let crossed = self.crossed.filter(|point| point.log_e.is_finite());
        let kept = [self.latest, self.highest, crossed];
        let mut points: Vec<Point> = self
            .grid
            .iter()
            .copied()
            .chain(kept.into_iter().flatten())
            .collect();
        points.sort_by_key(|point| point.requests);
        points.dedup_by_key(|point| point.requests);
        points
    }

    /// The first look at which the threshold was reached. Its value is infinite after a leak.
    pub fn crossed(&self) -> Option<Point> {
        self.crossed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to 3.5 at 4,321 requests, where it passes 3, and down again; a million looks.
    fn peak(requests: u64) -> f64 {
        let requests = f64::from(u32::try_from(requests).unwrap());
        3.5 - (requests - 4_321.0).abs() / 1_000_000.0
    }

    #[test]
    fn the_largest_value_the_crossing_and_the_end_survive_a_million_looks_in_a_hundred_points() {
        let mut trajectory = Trajectory::new(3.497);
        for requests in 1..=1_000_000 {
            trajectory.record(requests, peak(requests));
        }
        let points = trajectory.points();
        assert!((50..=100).contains(&points.len()), "{}", points.len());
        let at = |requests| Point {
            requests,
            log_e: peak(requests),
        };
        let first = (1..).find(|requests| peak(*requests) >= 3.497).unwrap();
        assert_eq!(trajectory.crossed(), Some(at(first)));
        for kept in [1, first, 4_321, 1_000_000] {
            assert!(points.contains(&at(kept)), "{kept}");
        }
        assert!(points.is_sorted_by(|a, b| a.requests < b.requests));
        let gaps = points.windows(2).map(|two| two[1].requests - two[0].requests);
        assert!(gaps.max() <= Some(20_000), "evenly thinned");
    }

    #[test]
    fn a_leak_crosses_and_has_no_point() {
        let mut trajectory = Trajectory::new(7.0);
        trajectory.record(1, -0.5);
        trajectory.record(2, f64::INFINITY);
        assert_eq!(trajectory.points().len(), 1);
        assert_eq!(trajectory.crossed().map(|point| point.requests), Some(2));
    }
}
