//! Choosing among the endpoints of one locality: in turn, the less busy of two, or any.

use std::rc::Rc;
use std::time::Duration;

use mesh_config::{LoadBalancer, Warmup};
use rand::Rng;

use super::schedule::Schedule;
use crate::proxy::cluster::host::Host;

/// How endpoints are chosen and weighed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Method {
    pub(super) algorithm: LoadBalancer,
    pub(super) warmup: Option<Warmup>,
}

/// The usable endpoints of one locality (of one priority).
pub(super) struct Group {
    pub(super) hosts: Vec<Rc<Host>>,
    /// Only where weights differ, and not for random.
    schedule: Option<Schedule>,
    /// Of round robin with equal weights; `None` before the first turn.
    next: Option<usize>,
}

impl Group {
    /// `next`: where the turns were before a change.
    pub(super) fn new(hosts: Vec<Rc<Host>>, method: Method, next: Option<usize>) -> Self {
        let weights: Vec<u32> = hosts.iter().map(|host| host.endpoint().weight).collect();
        let unequal = weights.windows(2).any(|pair| pair[0] != pair[1]);
        let young = hosts.iter().any(|host| method.is_young(host));
        let in_turn = matches!(
            method.algorithm,
            LoadBalancer::LeastRequest | LoadBalancer::RoundRobin
        );
        let scheduled = in_turn && (unequal || young);
        Group {
            schedule: scheduled.then(|| Schedule::new(hosts.iter().map(|host| method.weight(host)))),
            next,
            hosts,
        }
    }

    /// Where the turns are.
    pub(super) fn turn(&self) -> Option<usize> {
        self.next
    }

    /// The endpoint for the next request; `None` when there is none.
    pub(super) fn pick(&mut self, method: Method, rng: &mut impl Rng) -> Option<Rc<Host>> {
        let count = self.hosts.len();
        let index = match (&mut self.schedule, method.algorithm) {
            _ if count == 0 => return None,
            (Some(schedule), _) => schedule.next(|index| method.weight(&self.hosts[index]))?,
            (None, LoadBalancer::RoundRobin) => {
                // In turn, from a random start.
                let index = self.next.unwrap_or_else(|| rng.random_range(0..count)) % count;
                self.next = Some(index + 1);
                index
            }
            (None, LoadBalancer::LeastRequest) => self.less_busy(rng),
            (None, _) => rng.random_range(0..count),
        };
        self.hosts.get(index).cloned()
    }

    /// Of two drawn (perhaps twice the same) the one with fewer active requests.
    fn less_busy(&self, rng: &mut impl Rng) -> usize {
        let count = self.hosts.len();
        if count == 1 {
            return 0;
        }
        let (a, b) = (rng.random_range(0..count), rng.random_range(0..count));
        if self.hosts[b].active.get() < self.hosts[a].active.get() {
            b
        } else {
            a
        }
    }
}

impl Method {
    /// Whether an endpoint joined so lately that it does not have its full share.
    fn is_young(self, host: &Host) -> bool {
        self.warmup
            .is_some_and(|warmup| host.since().elapsed() < warmup.duration)
    }

    /// The weight that counts when an endpoint is put into the schedule.
    fn weight(self, host: &Host) -> f64 {
        let weight = f64::from(host.endpoint().weight);
        let factor = match self.warmup {
            Some(warmup) if self.is_young(host) => share(&warmup, host.since().elapsed()),
            _ => 1.0,
        };
        match self.algorithm {
            LoadBalancer::LeastRequest => weight * factor / f64::from(host.active.get() + 1),
            _ => weight * factor,
        }
    }
}

/// The part of its full share that an endpoint of this age has (Envoy's `applySlowStartFactor`).
fn share(warmup: &Warmup, age: Duration) -> f64 {
    let time = age.as_secs_f64().max(0.001) / warmup.duration.as_secs_f64();
    time.powf(1.0 / warmup.aggression)
        .max(warmup.minimum_percent / 100.0)
        .max(0.001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_endpoint_starts_with_the_minimum_and_grows_with_time() {
        let linear = Warmup {
            duration: Duration::from_secs(10),
            minimum_percent: 10.0,
            aggression: 1.0,
        };
        let at = |warmup: &Warmup, seconds| share(warmup, Duration::from_secs(seconds));
        assert!((at(&linear, 0) - 0.1).abs() < 1e-9);
        assert!((at(&linear, 5) - 0.5).abs() < 1e-9);
        let eager = Warmup {
            aggression: 2.0,
            ..linear
        };
        assert!((at(&eager, 4) - 0.4_f64.sqrt()).abs() < 1e-9);
    }
}
