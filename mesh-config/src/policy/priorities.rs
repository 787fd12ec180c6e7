//! Priorities and localities of a cluster's endpoints, as seen from one client.
//!
//! Source: istiod's `loadbalancer.go` (`applyLocalityWeights`, `applyFailoverPriorities`, `applyLocalityFailover`).

use std::collections::BTreeMap;

use super::locality::{LocalitySetting, topology};
use crate::client::{Client, Locality};
use crate::view::cluster::Endpoint;

/// Endpoints that are used together; those of the next priority come in when too few of these are healthy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Priority {
    /// A locality is drawn by its weight, then an endpoint in it.
    pub localities: Vec<LocalityGroup>,
}

/// Endpoints of one locality in one priority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalityGroup {
    /// Share of the requests of its priority.
    pub weight: u32,
    /// Indices into [`crate::Cluster::endpoints`].
    pub endpoints: Vec<usize>,
}

impl Priority {
    /// All endpoints in one group: localities do not count.
    #[must_use]
    pub fn flat(endpoints: &[Endpoint]) -> Vec<Priority> {
        vec![Priority {
            localities: vec![LocalityGroup {
                weight: endpoints.iter().map(|endpoint| endpoint.weight).sum(),
                endpoints: (0..endpoints.len()).collect(),
            }],
        }]
    }
}

/// Endpoints by locality, with the share of each that `distribute` gives.
type ByLocality<'e> = BTreeMap<&'e Locality, (Vec<usize>, u32)>;

/// Orders endpoints for a client. Those that `distribute` leaves out are taken away. `failover`: the cluster detects
/// outliers, without which priorities do not apply.
pub(crate) fn assign(
    setting: &LocalitySetting,
    failover: bool,
    client: &Client,
    endpoints: &mut Vec<Endpoint>,
) -> Vec<Priority> {
    if setting.disabled {
        return Priority::flat(endpoints);
    }
    let unknown = Locality::default();
    let here = client.locality.as_ref().unwrap_or(&unknown);
    let shares = setting
        .distribute
        .iter()
        .find(|distribute| distribute.from.covers(here));
    if let Some(distribute) = shares {
        let listed = |endpoint: &Endpoint| {
            let locality = endpoint.locality.as_ref().unwrap_or(&unknown);
            distribute.to.iter().any(|(to, _)| to.covers(locality))
        };
        endpoints.retain(listed);
    }
    let mut groups: BTreeMap<u32, ByLocality<'_>> = BTreeMap::new();
    let by_priority = setting.distribute.is_empty() && (failover || setting.always);
    for (index, endpoint) in endpoints.iter().enumerate() {
        let priority = if by_priority {
            rank(setting, client, here, endpoint)
        } else {
            0
        };
        let locality = endpoint.locality.as_ref().unwrap_or(&unknown);
        let group = groups.entry(priority).or_default().entry(locality).or_default();
        group.0.push(index);
        group.1 += endpoint.weight;
    }
    if let (Some(distribute), Some(localities)) = (shares, groups.get_mut(&0)) {
        for (to, percent) in &distribute.to {
            share_out(
                *percent,
                localities.iter_mut().filter(|(locality, _)| to.covers(locality)),
            );
        }
    }
    groups.into_values().map(priority).collect()
}

/// Localities that one entry of `distribute` covers get parts of its share, by their weights, rounded up.
fn share_out<'g, 'e: 'g>(
    percent: u32,
    covered: impl Iterator<Item = (&'g &'e Locality, &'g mut (Vec<usize>, u32))>,
) {
    let covered: Vec<_> = covered.map(|(_, group)| group).collect();
    let total: u64 = covered.iter().map(|group| u64::from(group.1)).sum();
    for group in covered {
        let share = (u64::from(group.1) * u64::from(percent)).div_ceil(total.max(1));
        group.1 = u32::try_from(share).unwrap_or(u32::MAX);
    }
}

fn priority(localities: ByLocality<'_>) -> Priority {
    let groups = localities.into_values();
    Priority {
        localities: groups
            .map(|(endpoints, weight)| LocalityGroup { weight, endpoints })
            .collect(),
    }
}

/// The smaller, the nearer. Only the order counts.
fn rank(setting: &LocalitySetting, client: &Client, here: &Locality, endpoint: &Endpoint) -> u32 {
    if setting.failover_priority.is_empty() {
        return by_region(setting, here, endpoint);
    }
    let by_labels = by_labels(&setting.failover_priority, client, endpoint);
    if setting.failover.is_empty() {
        return by_labels;
    }
    by_labels * 5 + by_region(setting, here, endpoint)
}

fn by_labels(labels: &[String], client: &Client, endpoint: &Endpoint) -> u32 {
    let differs = |text: &String| {
        let (label, wanted) = match text.split_once('=') {
            Some((label, value)) => (label, Some(value)),
            None => {
                let own = client.labels.get(text).map(String::as_str);
                (
                    text.as_str(),
                    own.or_else(|| topology(text, client.locality.as_ref())),
                )
            }
        };
        wanted.unwrap_or_default() != endpoint.label(label).unwrap_or_default()
    };
    let rest = labels
        .iter()
        .position(differs)
        .map_or(0, |index| labels.len() - index);
    u32::try_from(rest).unwrap_or(u32::MAX / 8)
}

/// Same subzone, same zone, same region, then others; with `failover` its target before the rest.
fn by_region(setting: &LocalitySetting, here: &Locality, endpoint: &Endpoint) -> u32 {
    let unknown = Locality::default();
    let there = endpoint.locality.as_ref().unwrap_or(&unknown);
    if here.region == there.region {
        return match (here.zone == there.zone, here.subzone == there.subzone) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        };
    }
    let next = setting.failover.iter().find(|(from, _)| *from == here.region);
    match next {
        Some((_, to)) if *to != there.region => 4,
        _ => 3,
    }
}
