//! DestinationRule.

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use super::read_destination_rule::read;
use crate::policy::load_balancer::LoadBalancing;
use crate::policy::outlier::OutlierDetection;
use crate::policy::pool::{ConnectionPool, RetryBudget};
use crate::problem::Placed;

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
    pub traffic_policy: Option<Box<TrafficPolicy>>,
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
    pub load_balancer: Option<Placed<LoadBalancing>>,
    /// Limits.
    pub connection_pool: Option<Placed<ConnectionPool>>,
    /// Passive health check.
    pub outlier_detection: Option<Placed<OutlierDetection>>,
    /// `tls.mode`. Whatever it is, traffic stays plain text here.
    pub tls: Option<Placed<TlsMode>>,
    /// Retries as a share of the requests.
    pub retry_budget: Option<Placed<RetryBudget>>,
    /// By the number of the service port (0 if it has none); of two for one port the first counts.
    pub ports: Vec<(u16, TrafficPolicy)>,
}

/// `tls.mode` of a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Plain text.
    #[default]
    Disable,
    /// TLS without a client certificate.
    Simple,
    /// TLS with one of the user's.
    Mutual,
    /// TLS with Istio's.
    IstioMutual,
}

impl fmt::Display for TlsMode {
    /// As Istio spells it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disable => "DISABLE",
            Self::Simple => "SIMPLE",
            Self::Mutual => "MUTUAL",
            Self::IstioMutual => "ISTIO_MUTUAL",
        })
    }
}

impl DestinationRule {
    /// The settings that ask for TLS, in the order of the fields: of the rule, of its ports, of its subsets.
    pub fn tls(&self) -> impl Iterator<Item = &Placed<TlsMode>> {
        let subsets = self.subsets.iter().flat_map(|subset| &subset.traffic_policy);
        let policies = self.traffic_policy.as_deref().into_iter().chain(subsets);
        let settings = policies.flat_map(|policy| {
            let ports = policy.ports.iter().filter_map(|(_, port)| port.tls.as_ref());
            policy.tls.iter().chain(ports)
        });
        settings.filter(|tls| tls.value != TlsMode::Disable)
    }
}

impl TrafficPolicy {
    /// What is said for one port.
    #[must_use]
    pub fn for_port(&self, port: u16) -> Option<&TrafficPolicy> {
        let mut ports = self.ports.iter();
        ports
            .find(|(number, _)| *number == port)
            .map(|(_, policy)| policy)
    }
}
