//! DestinationRule.

use std::collections::BTreeMap;

pub(crate) use super::read_destination_rule::read;
use crate::problem::Placed;
use crate::view::cluster::{ConnectionPool, LoadBalancer, OutlierDetection};

/// `DestinationRule`: subsets and policies of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DestinationRule {
    /// As written.
    pub host: Placed<String>,
    /// Empty means everybody.
    pub export_to: Vec<String>,
    /// Clients of the rule's namespace that it is for; `None`: all. Such a rule is never exported.
    pub workload_selector: Option<BTreeMap<String, String>>,
    /// For every subset that does not say otherwise.
    pub traffic_policy: Option<TrafficPolicy>,
    /// Named parts of the host's endpoints.
    pub subsets: Vec<Subset>,
}

/// A named part of a host's endpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subset {
    /// What a destination calls it.
    pub name: Placed<String>,
    /// Endpoints with these labels; empty selects all.
    pub labels: BTreeMap<String, String>,
    /// Each block given replaces the rule's block whole.
    pub traffic_policy: Option<TrafficPolicy>,
}

/// The blocks of a policy; a block that is absent has Istio's defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrafficPolicy {
    /// How an endpoint is chosen.
    pub load_balancer: Option<LoadBalancer>,
    /// Limits.
    pub connection_pool: Option<ConnectionPool>,
    /// Passive health check.
    pub outlier_detection: Option<OutlierDetection>,
}
