//! Load balancing: which endpoint gets the next request.
//!
//! Envoy's way: a priority by how healthy it is, in it a locality by its weight, in that an endpoint by the algorithm.
//! With consistent hashing the hash of the request decides the priority and the endpoint.

mod group;
mod priority;
mod schedule;
mod table;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use mesh_config::{ClusterPolicy, LoadBalancer, LocalityGroup, Priority};
use rand::Rng;

use super::host::Host;
use group::{Group, Method};
use priority::{Count, Loads, OVERPROVISIONING};
use schedule::Schedule;
use table::{Table, Weighted};

/// How many times another endpoint is drawn in order not to try one again (Envoy's `host_selection_retry_max_attempts`).
const REPICKS: u64 = 5;

/// `retryRemoteLocalities`: after so many tries the priorities tried are left out.
const TRIES_PER_PRIORITY: usize = 2;

/// What one request asks of the balancer; lives as long as its tries.
#[derive(Default)]
pub(in crate::proxy) struct Wish {
    /// For consistent hashing. `None`: any endpoint.
    hash: Option<u64>,
    /// Endpoints to avoid.
    pub(in crate::proxy) avoid: Vec<Rc<Host>>,
    /// Whether further tries leave the priorities of those before.
    remote: bool,
    /// Priorities of the tries so far, with `remote` only.
    tried: Vec<usize>,
    left_out: BTreeSet<usize>,
    spread: Option<Vec<usize>>,
}

/// The balancer of one cluster.
pub(super) struct Balancer {
    method: Method,
    /// Percentage of healthy endpoints below which all are used.
    minimum: usize,
    levels: Vec<Level>,
    counts: Vec<Count>,
    loads: Loads,
}

/// One priority.
struct Level {
    groups: Vec<Group>,
    /// Weight of each group, less where many of its endpoints are unhealthy.
    weights: Vec<f64>,
    /// Weights of the groups as configured.
    full: Vec<u32>,
    /// Of groups; only where there are several.
    schedule: Option<Schedule>,
    /// Made when the first request asks.
    table: OnceCell<Table>,
}

impl Balancer {
    pub(super) fn new(policy: &ClusterPolicy) -> Self {
        let minimum = policy
            .outlier
            .as_ref()
            .map_or(0, |outlier| outlier.min_health_percent);
        Balancer {
            method: Method {
                algorithm: policy.load_balancer,
                warmup: policy.warmup,
            },
            minimum: minimum as usize,
            levels: Vec::new(),
            counts: Vec::new(),
            loads: Loads::default(),
        }
    }

    /// From now on these endpoints are used, in this order, as far as they are healthy.
    pub(super) fn reset(&mut self, hosts: &[Rc<Host>], priorities: &[Priority]) {
        let before = std::mem::take(&mut self.levels);
        self.counts = priorities.iter().map(|priority| count(hosts, priority)).collect();
        self.loads = Loads::of(&self.counts, self.minimum);
        let levels = priorities.iter().zip(&self.loads.panic).enumerate();
        let levels = levels.map(|(index, (priority, panic))| {
            Level::new(hosts, priority, *panic, self.method, before.get(index))
        });
        self.levels = levels.collect();
    }

    /// The endpoint for a try, one that is not to be avoided if five more picks find one. `None`: none is healthy.
    pub(super) fn pick(&mut self, wish: &mut Wish, rng: &mut impl Rng) -> Option<Rc<Host>> {
        let hashed = self.method.algorithm.is_consistent_hash();
        let hash = if hashed {
            wish.hash.unwrap_or_else(|| rng.random())
        } else {
            0
        };
        if !hashed && wish.remote {
            wish.leave(&self.counts);
        }
        let mut again = 0;
        loop {
            let random = if hashed { hash } else { self.random(rng) };
            let percent = wish
                .spread
                .as_ref()
                .filter(|_| !hashed)
                .unwrap_or(&self.loads.percent);
            let index = priority::choose(percent, random);
            let level = self.levels.get_mut(index)?;
            let host = if hashed {
                level.find(self.method.algorithm, hash, again)
            } else {
                level.pick(self.method, rng)
            }?;
            let tried = wish.avoid.iter().any(|one| Rc::ptr_eq(one, &host));
            if !tried || again == REPICKS {
                if wish.remote {
                    wish.tried.push(index);
                }
                return Some(host);
            }
            again += 1;
        }
    }

    /// One priority alone needs no draw.
    fn random(&self, rng: &mut impl Rng) -> u64 {
        if self.levels.len() > 1 { rng.random() } else { 0 }
    }
}

impl Wish {
    pub(in crate::proxy) fn new(hash: Option<u64>, remote: bool) -> Self {
        Wish {
            hash,
            remote,
            ..Wish::default()
        }
    }

    /// Before another try: with every second one the priorities tried so far are left out.
    fn leave(&mut self, counts: &[Count]) {
        if self.tried.is_empty() || !self.tried.len().is_multiple_of(TRIES_PER_PRIORITY) {
            return;
        }
        self.left_out.extend(&self.tried);
        self.spread = Loads::without(counts, &mut self.left_out);
    }
}

fn count(hosts: &[Rc<Host>], priority: &Priority) -> Count {
    let members = || priority.localities.iter().flat_map(|group| &group.endpoints);
    Count {
        healthy: members().filter(|index| hosts[**index].is_healthy()).count(),
        all: members().count(),
    }
}

impl Level {
    fn new(
        hosts: &[Rc<Host>],
        priority: &Priority,
        panic: bool,
        method: Method,
        before: Option<&Level>,
    ) -> Self {
        if panic {
            // Localities do not count any more.
            let all = priority.localities.iter().flat_map(|group| &group.endpoints);
            let all = all.map(|index| Rc::clone(&hosts[*index])).collect();
            return Level::of(vec![Group::new(all, method, None)], vec![1.0], vec![1]);
        }
        let turn = |index: usize| before.and_then(|level| level.groups.get(index)?.turn());
        let (mut groups, mut weights, mut full) = (Vec::new(), Vec::new(), Vec::new());
        for (index, locality) in priority.localities.iter().enumerate() {
            let members = locality.endpoints.iter().map(|index| &hosts[*index]);
            let healthy: Vec<Rc<Host>> = members.filter(|host| host.is_healthy()).cloned().collect();
            weights.push(effective(locality, healthy.len()));
            full.push(locality.weight);
            groups.push(Group::new(healthy, method, turn(index)));
        }
        Level::of(groups, weights, full)
    }

    fn of(groups: Vec<Group>, weights: Vec<f64>, full: Vec<u32>) -> Self {
        let several = groups.len() > 1;
        Level {
            schedule: several.then(|| Schedule::new(weights.iter().copied())),
            groups,
            weights,
            full,
            table: OnceCell::new(),
        }
    }

    fn pick(&mut self, method: Method, rng: &mut impl Rng) -> Option<Rc<Host>> {
        let index = match &mut self.schedule {
            Some(schedule) => schedule.next(|index| self.weights[index])?,
            None => 0,
        };
        self.groups.get_mut(index)?.pick(method, rng)
    }

    fn find(&self, algorithm: LoadBalancer, hash: u64, again: u64) -> Option<Rc<Host>> {
        let table = self
            .table
            .get_or_init(|| Table::new(algorithm, &self.normalised()));
        table.find(hash, again)
    }

    /// Every endpoint with its part of the requests: that of its locality times its own in it.
    fn normalised(&self) -> Vec<Weighted> {
        let used = || {
            self.groups
                .iter()
                .zip(&self.full)
                .filter(|(group, _)| !group.hosts.is_empty())
        };
        let total: f64 = used().map(|(_, weight)| f64::from(*weight)).sum();
        let parts = used().flat_map(|(group, weight)| {
            let locality = f64::from(*weight) / total;
            let sum: f64 = group
                .hosts
                .iter()
                .map(|host| f64::from(host.endpoint().weight))
                .sum();
            let part = move |host: &Rc<Host>| f64::from(host.endpoint().weight) * locality / sum;
            group.hosts.iter().map(move |host| (Rc::clone(host), part(host)))
        });
        parts.collect()
    }
}

/// A locality loses weight when less than 1/1.4 of its endpoints are healthy.
#[allow(clippy::cast_precision_loss)] // counts of endpoints are small
fn effective(locality: &LocalityGroup, healthy: usize) -> f64 {
    let available = (OVERPROVISIONING * healthy) as f64 / (100 * locality.endpoints.len().max(1)) as f64;
    f64::from(locality.weight) * available.min(1.0)
}
