//! Load balancing: which of the usable endpoints gets the next request.
//!
//! Envoy's algorithms: least request draws two and takes the one with fewer active requests as long as all weights are
//! equal; with unequal weights it and round robin follow an earliest-deadline schedule; random ignores weights.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;

use mesh_config::LoadBalancer;
use rand::Rng;

use super::host::Host;

/// The balancer of one cluster.
pub(super) struct Balancer {
    policy: LoadBalancer,
    hosts: Vec<Rc<Host>>,
    /// Only with unequal weights, and not for random.
    schedule: Option<Schedule>,
    /// Of round robin with equal weights.
    next: usize,
    started: bool,
}

impl Balancer {
    pub(super) fn new(policy: LoadBalancer) -> Self {
        Balancer {
            policy,
            hosts: Vec::new(),
            schedule: None,
            next: 0,
            started: false,
        }
    }

    /// From now on these endpoints are used.
    pub(super) fn reset(&mut self, hosts: Vec<Rc<Host>>) {
        let weights: Vec<u32> = hosts.iter().map(|host| host.endpoint().weight).collect();
        let unequal = weights.windows(2).any(|pair| pair[0] != pair[1]);
        let scheduled = unequal && self.policy != LoadBalancer::Random;
        self.schedule = scheduled.then(|| Schedule::new(&weights));
        self.hosts = hosts;
    }

    /// The endpoint for the next request; `None` when there is none.
    pub(super) fn pick(&mut self, rng: &mut impl Rng) -> Option<Rc<Host>> {
        if self.hosts.is_empty() {
            return None;
        }
        let index = match (&mut self.schedule, self.policy) {
            (Some(schedule), policy) => schedule.next(|index| weight(&self.hosts[index], policy)),
            (None, LoadBalancer::RoundRobin) => self.in_turn(rng),
            (None, LoadBalancer::LeastRequest) => self.less_busy(rng),
            (None, _) => rng.random_range(0..self.hosts.len()),
        };
        self.hosts.get(index).cloned()
    }

    /// In turn, from a random start.
    fn in_turn(&mut self, rng: &mut impl Rng) -> usize {
        if !self.started {
            self.started = true;
            self.next = rng.random_range(0..self.hosts.len());
        }
        let index = self.next % self.hosts.len();
        self.next = index + 1;
        index
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

/// The weight that counts when an endpoint is put back into the schedule.
fn weight(host: &Host, policy: LoadBalancer) -> f64 {
    let weight = f64::from(host.endpoint().weight);
    match policy {
        LoadBalancer::LeastRequest => weight / f64::from(host.active.get() + 1),
        _ => weight,
    }
}

/// Earliest deadline first: an endpoint of weight w comes back after 1/w.
struct Schedule {
    queue: BinaryHeap<Entry>,
    now: f64,
    order: u64,
}

#[derive(PartialEq)]
struct Entry {
    deadline: f64,
    order: u64,
    index: usize,
}

impl Eq for Entry {}

impl Ord for Entry {
    /// The greatest is the one with the earliest deadline, of equal ones the one put in first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_deadline = other.deadline.total_cmp(&self.deadline);
        by_deadline.then(other.order.cmp(&self.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Schedule {
    fn new(weights: &[u32]) -> Self {
        let mut schedule = Schedule {
            queue: BinaryHeap::new(),
            now: 0.0,
            order: 0,
        };
        for (index, weight) in weights.iter().enumerate() {
            schedule.add(index, f64::from(*weight));
        }
        schedule
    }

    fn add(&mut self, index: usize, weight: f64) {
        let deadline = self.now + 1.0 / weight;
        self.queue.push(Entry {
            deadline,
            order: self.order,
            index,
        });
        self.order += 1;
    }

    /// The index whose turn it is; it is put back with its weight of this moment.
    fn next(&mut self, weight: impl Fn(usize) -> f64) -> usize {
        let Some(entry) = self.queue.pop() else { return 0 };
        self.now = entry.deadline;
        self.add(entry.index, weight(entry.index));
        entry.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_config::{ClusterPolicy, Endpoint};
    use rand::SeedableRng;
    use rand::rngs::SmallRng;
    use std::collections::BTreeMap;
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;

    fn hosts(weights: &[u32]) -> Vec<Rc<Host>> {
        let endpoint = |(index, weight): (usize, &u32)| Endpoint {
            workload: format!("w{index}"),
            namespace: "shop".to_owned(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1000 + u16::try_from(index).unwrap())),
            labels: Arc::new(BTreeMap::new()),
            weight: *weight,
            locality: None,
            healthy: true,
        };
        let endpoints = weights.iter().enumerate().map(endpoint);
        endpoints
            .map(|endpoint| Host::new(&endpoint, &ClusterPolicy::default()))
            .collect()
    }

    fn picks(policy: LoadBalancer, hosts: Vec<Rc<Host>>, count: usize) -> Vec<u16> {
        let mut balancer = Balancer::new(policy);
        balancer.reset(hosts);
        let mut rng = SmallRng::seed_from_u64(7);
        (0..count)
            .map(|_| balancer.pick(&mut rng).unwrap().address().port() - 1000)
            .collect()
    }

    fn count(picks: &[u16], index: u16) -> usize {
        picks.iter().filter(|pick| **pick == index).count()
    }

    #[test]
    fn round_robin_takes_each_in_turn() {
        let picks = picks(LoadBalancer::RoundRobin, hosts(&[1, 1, 1]), 9);
        assert!(
            picks.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 3),
            "{picks:?}"
        );
    }

    #[test]
    fn round_robin_with_weights_is_exact() {
        let picks = picks(LoadBalancer::RoundRobin, hosts(&[3, 1]), 400);
        assert_eq!((count(&picks, 0), count(&picks, 1)), (300, 100));
        assert_eq!(count(&picks[..4], 0), 3, "spread, not in blocks: {picks:?}");
    }

    #[test]
    fn least_request_prefers_the_less_busy_of_two() {
        let hosts = hosts(&[1, 1]);
        let _busy: Vec<_> = (0..3).map(|_| hosts[0].begin()).collect();
        let picks = picks(LoadBalancer::LeastRequest, hosts, 1000);
        // The busy one is taken only when both draws name it: 1/4. 6 standard deviations of 1000 draws are 82.
        let busy = count(&picks, 0);
        assert!((168..=332).contains(&busy), "{busy} of 1000");
    }

    #[test]
    fn random_ignores_weights() {
        let picks = picks(LoadBalancer::Random, hosts(&[9, 1]), 1000);
        // 6 standard deviations of 1000 fair draws are 95.
        let first = count(&picks, 0);
        assert!((405..=595).contains(&first), "{first} of 1000");
    }

    #[test]
    fn nobody_is_picked_from_nobody() {
        let mut balancer = Balancer::new(LoadBalancer::LeastRequest);
        assert!(balancer.pick(&mut SmallRng::seed_from_u64(1)).is_none());
    }
}
