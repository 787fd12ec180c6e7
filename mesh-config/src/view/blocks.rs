//! The blocks of DestinationRules that apply to one cluster, each with the rule that it is in.

use std::collections::BTreeMap;

use super::cluster::{ClusterPart, ClusterPolicy};
use super::registry::Named;
use crate::client::Role;
use crate::object::destination_rule::{TlsMode, TrafficPolicy};
use crate::object::kubernetes::ServicePort;
use crate::origin::Origin;
use crate::policy::load_balancer::LoadBalancing;
use crate::policy::locality::LocalitySetting;
use crate::policy::outlier::OutlierDetection;
use crate::policy::pool::{ConnectionPool, RetryBudget};
use crate::problem::Placed;

/// A block and the object that it is written in.
pub(crate) type Block<'a, T> = Named<'a, Placed<T>>;

/// A policy and the object that it is written in.
pub(crate) type Policy<'a> = Named<'a, TrafficPolicy>;

/// The blocks that apply, each from where it was found first.
#[derive(Default)]
pub(crate) struct PolicyBlocks<'a> {
    balancing: Option<Block<'a, LoadBalancing>>,
    pool: Option<Block<'a, ConnectionPool>>,
    outlier: Option<Block<'a, OutlierDetection>>,
    tls: Option<Block<'a, TlsMode>>,
    budget: Option<Block<'a, RetryBudget>>,
}

impl<'a> PolicyBlocks<'a> {
    /// Of a block that several policies have, that of the first counts. The retry budget has rules of its own.
    pub(crate) fn new(policies: &[Policy<'a>], budget: Option<Block<'a, RetryBudget>>) -> Self {
        PolicyBlocks {
            balancing: first(policies, |policy| policy.load_balancer.as_ref()),
            pool: first(policies, |policy| policy.connection_pool.as_ref()),
            outlier: first(policies, |policy| policy.outlier_detection.as_ref()),
            tls: first(policies, |policy| policy.tls.as_ref()),
            budget,
        }
    }

    /// On a sidecar an endpoint behind a port that is sniffed is spoken to as the client speaks, whatever
    /// `h2UpgradePolicy` says (istiod's `setUpstreamProtocol`).
    pub(crate) fn compile(&self, port: &ServicePort, role: Role) -> ClusterPolicy {
        let pool = self
            .pool
            .map(|block| block.spec.value.clone())
            .unwrap_or_default();
        let upgraded = pool.h2_upgrade && !(role == Role::Sidecar && port.is_sniffed());
        let balancing = self.balancing.map(|block| &block.spec.value);
        ClusterPolicy {
            load_balancer: balancing.map(|one| one.algorithm).unwrap_or_default(),
            warmup: balancing.and_then(|one| one.warmup),
            retry_budget: self.budget.map(|block| block.spec.value),
            outlier: self.outlier.map(|block| block.spec.value.clone()),
            tls: self.tls.map(|block| block.spec.value),
            http2: (port.is_http2() || upgraded) && !pool.use_client_protocol,
            pool,
        }
    }

    /// The setting for localities, `None` if the rule has none.
    pub(crate) fn locality(&self) -> Option<&'a LocalitySetting> {
        self.balancing?.spec.value.locality.as_ref()
    }

    /// Where each block that applies is written.
    pub(crate) fn origins(&self) -> BTreeMap<ClusterPart, Origin> {
        let parts = [
            self.balancing
                .map(|block| (ClusterPart::LoadBalancer, block.origin())),
            self.pool
                .map(|block| (ClusterPart::ConnectionPool, block.origin())),
            self.budget
                .map(|block| (ClusterPart::RetryBudget, block.origin())),
            self.outlier
                .map(|block| (ClusterPart::OutlierDetection, block.origin())),
            self.tls.map(|block| (ClusterPart::Tls, block.origin())),
        ];
        parts.into_iter().flatten().collect()
    }
}

impl<T> Block<'_, T> {
    fn origin(&self) -> Origin {
        Origin::new(self.object, self.spec.mark)
    }
}

fn first<'a, T>(
    policies: &[Policy<'a>],
    block: fn(&'a TrafficPolicy) -> Option<&'a Placed<T>>,
) -> Option<Block<'a, T>> {
    policies.iter().find_map(|policy| policy.part(block))
}
