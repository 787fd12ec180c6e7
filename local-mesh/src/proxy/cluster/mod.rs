//! Clusters at work: endpoints with their connections, how one is chosen, what limits there are, who is left out.

mod balancer;
mod connection;
mod gauge;
mod health;
mod host;
mod outlier;
mod pool;
mod socket;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use mesh_config::ClusterPolicy;
use rand::Rng;

use balancer::Balancer;
pub(super) use balancer::Wish;
pub(super) use connection::Unsent;
pub(super) use gauge::{Gauge, Permit};
use health::Health;
pub(super) use host::Host;
pub(super) use outlier::Outcome;
pub(super) use pool::{Lease, lease};

/// One cluster as one client uses it: counters and ejections are not shared between clients, as in Envoy.
pub(super) struct Cluster {
    /// Name, service and policy. Replaced when endpoints change; the policy stays the same for the cluster's life.
    spec: RefCell<Arc<mesh_config::Cluster>>,
    hosts: RefCell<Vec<Rc<Host>>>,
    balancer: RefCell<Balancer>,
    health: Health,
    /// Requests that have a connection.
    pub(super) requests: Rc<Gauge>,
    /// Requests that wait for one.
    pub(super) pending: Rc<Gauge>,
    /// Connections, those being made included.
    pub(super) connections: Rc<Gauge>,
    /// Retries under way.
    pub(super) retries: Rc<Gauge>,
}

impl Cluster {
    /// A cluster without history. Detecting outliers goes on in the background as long as the cluster is in use.
    pub(super) fn new(spec: Arc<mesh_config::Cluster>) -> Rc<Self> {
        let pool = &spec.policy.pool;
        let cluster = Rc::new(Cluster {
            hosts: RefCell::default(),
            balancer: RefCell::new(Balancer::new(&spec.policy)),
            health: Health::default(),
            requests: Gauge::new(pool.max_requests),
            pending: Gauge::new(pool.max_pending),
            connections: Gauge::new(pool.max_connections),
            retries: Gauge::new(if spec.policy.retry_budget.is_none() {
                pool.max_retries
            } else {
                None
            }),
            spec: RefCell::new(Arc::clone(&spec)),
        });
        cluster.update(spec);
        outlier::watch(&cluster);
        cluster
    }

    /// Whether this cluster can go on under a new configuration, with its connections and ejections.
    pub(super) fn continues(&self, spec: &mesh_config::Cluster) -> bool {
        let own = self.spec.borrow();
        own.name == spec.name && own.policy == spec.policy
    }

    /// Takes over the endpoints of a new configuration. One that stays keeps its connections and its record.
    pub(super) fn update(&self, spec: Arc<mesh_config::Cluster>) {
        let old = std::mem::take(&mut *self.hosts.borrow_mut());
        let (mut kept, mut gone) = (Vec::new(), old);
        for endpoint in &spec.endpoints {
            let known = gone.iter().position(|host| host.address() == endpoint.address);
            kept.push(match known.map(|index| gone.swap_remove(index)) {
                Some(host) => {
                    host.update(endpoint);
                    host
                }
                None => Host::new(endpoint, &spec.policy),
            });
        }
        gone.iter().for_each(|host| host.retire());
        *self.hosts.borrow_mut() = kept;
        *self.spec.borrow_mut() = spec;
        self.rebalance();
    }

    /// The cluster is not in use any more: idle connections close, those with a request close after it.
    pub(super) fn retire(&self) {
        self.hosts.borrow().iter().for_each(|host| host.retire());
    }

    /// Name, service and policy.
    pub(super) fn spec(&self) -> Arc<mesh_config::Cluster> {
        Arc::clone(&self.spec.borrow())
    }

    /// Whether requests go out in HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        self.spec.borrow().policy.http2
    }

    /// An endpoint for a try. `None`: none is healthy.
    pub(super) fn pick(&self, wish: &mut Wish, rng: &mut impl Rng) -> Option<Rc<Host>> {
        self.balancer.borrow_mut().pick(wish, rng)
    }

    /// One more retry under way, if `maxRetries` or `retryBudget` allows it.
    pub(super) fn enter_retry(&self) -> Option<Permit> {
        let Some(budget) = self.spec.borrow().policy.retry_budget else {
            return self.retries.enter();
        };
        let active = self.requests.count() + self.pending.count();
        (self.retries.count() < budget.allows(active)).then(|| self.retries.force())
    }

    /// Tells the balancer which endpoints may be chosen now.
    fn rebalance(&self) {
        let hosts = self.hosts.borrow();
        let spec = self.spec.borrow();
        self.balancer.borrow_mut().reset(&hosts, &spec.priorities);
    }
}

/// The parts of a policy that an endpoint's connections need.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionPolicy {
    connect_timeout: std::time::Duration,
    idle_timeout: std::time::Duration,
    max_requests: Option<u32>,
    max_duration: Option<std::time::Duration>,
    http2: bool,
    max_streams: u32,
}

impl From<&ClusterPolicy> for ConnectionPolicy {
    fn from(policy: &ClusterPolicy) -> Self {
        ConnectionPolicy {
            connect_timeout: policy.pool.connect_timeout,
            idle_timeout: policy.pool.idle_timeout,
            max_requests: policy.pool.max_requests_per_connection,
            max_duration: policy.pool.max_connection_duration,
            http2: policy.http2,
            max_streams: policy.pool.max_concurrent_streams.unwrap_or(u32::MAX),
        }
    }
}
