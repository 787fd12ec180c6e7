//! `localityLbSetting`: which localities get a client's traffic.

use std::fmt;

use crate::client::Locality;
use crate::text::Value;

/// `localityLbSetting`, or what stands for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalitySetting {
    /// `enabled: false`: localities do not count.
    pub disabled: bool,
    /// The first entry whose `from` covers the client applies.
    pub distribute: Vec<Distribute>,
    /// Region of the client to the region that is next after it.
    pub failover: Vec<(String, String)>,
    /// Labels, or `label=value`, that an endpoint has to share with the client, the most important first.
    pub failover_priority: Vec<String>,
    /// Whether priorities apply without outlier detection (a Service's `trafficDistribution`).
    pub always: bool,
}

/// One entry of `distribute`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribute {
    /// Clients it is for.
    pub from: LocalityPattern,
    /// Shares in percent; what is not listed gets nothing.
    pub to: Vec<(LocalityPattern, u32)>,
}

/// `region`, `region/zone/*`, `*` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalityPattern(Vec<String>);

impl LocalityPattern {
    /// Whether a locality is one of these; what the pattern does not say may be anything.
    #[must_use]
    pub fn covers(&self, locality: &Locality) -> bool {
        let parts = [&locality.region, &locality.zone, &locality.subzone];
        self.0
            .iter()
            .zip(parts)
            .all(|(wanted, part)| wanted == "*" || wanted == part)
    }

    /// Whether one locality can be of both.
    fn overlaps(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&other.0);
        pairs.all(|(one, other)| one == "*" || other == "*" || one == other)
    }

    /// # Errors
    /// What is wrong with the text.
    fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<String> = text.split('/').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            return Err(format!(
                "locality `{text}` must not contain an empty region, zone or subzone"
            ));
        }
        if parts.len() > 3 {
            return Err(format!(
                "locality `{text}` has more than region, zone and subzone"
            ));
        }
        let star = parts.iter().position(|part| part.contains('*'));
        let good = star.is_none_or(|index| index == parts.len() - 1 && parts[index] == "*");
        if !good {
            return Err(format!(
                "the `*` of locality `{text}` must be alone and at its end"
            ));
        }
        Ok(LocalityPattern(parts))
    }
}

impl fmt::Display for LocalityPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// What stands for a Service's `trafficDistribution`: same region and zone first; the subzone does not count.
pub(crate) fn prefer_close() -> LocalitySetting {
    LocalitySetting {
        failover_priority: vec![REGION.to_owned(), ZONE.to_owned()],
        always: true,
        ..LocalitySetting::default()
    }
}

/// Labels that Istio puts on every workload from its locality.
pub(crate) const REGION: &str = "topology.kubernetes.io/region";
/// See [`REGION`].
pub(crate) const ZONE: &str = "topology.kubernetes.io/zone";
/// See [`REGION`].
pub(crate) const SUBZONE: &str = "topology.istio.io/subzone";
/// The cluster has one name for all.
const CLUSTER: &str = "topology.istio.io/cluster";
const NETWORK: &str = "topology.istio.io/network";

/// The value of a topology label; `None` for other labels and what is not known.
pub(crate) fn topology<'l>(label: &str, locality: Option<&'l Locality>) -> Option<&'l str> {
    let value = match label {
        CLUSTER => return Some("Kubernetes"),
        REGION => &locality?.region,
        ZONE => &locality?.zone,
        SUBZONE => &locality?.subzone,
        _ => return None,
    };
    (!value.is_empty()).then_some(value)
}

pub(crate) fn read(value: &Value<'_>) -> Option<LocalitySetting> {
    value.fields(|fields| {
        let enabled = fields.get("enabled").and_then(|v| v.boolean());
        let distribute = fields.get("distribute").map(|v| v.list()).unwrap_or_default();
        let failover = fields.get("failover").map(|v| v.list()).unwrap_or_default();
        let priority = fields
            .get("failoverPriority")
            .map(|v| v.texts())
            .unwrap_or_default();
        if !distribute.is_empty() && !failover.is_empty() {
            fields
                .value()
                .problem("distribute and failover exclude each other");
        }
        let topology = priority.iter().find(|label| {
            let name = label.split('=').next().unwrap_or_default();
            [REGION, ZONE, SUBZONE, CLUSTER, NETWORK].contains(&name)
        });
        if let Some(label) = topology.filter(|_| !failover.is_empty()) {
            let message =
                format!("failover and the topology label `{label}` in failoverPriority exclude each other");
            fields.value().problem(message);
        }
        LocalitySetting {
            disabled: enabled == Some(false),
            distribute: read_distribute(&distribute),
            failover: failover.iter().filter_map(read_failover).collect(),
            failover_priority: priority,
            always: false,
        }
    })
}

fn read_distribute(list: &[Value<'_>]) -> Vec<Distribute> {
    let mut before: Vec<LocalityPattern> = Vec::new();
    let mut read = Vec::new();
    for entry in list {
        let distribute = entry.fields(|fields| {
            let from = match fields.get("from") {
                Some(v) => v.text().and_then(|text| pattern(&v, &text, &mut before)),
                None => {
                    fields.value().problem("`from` is missing");
                    None
                }
            };
            let to = fields.get("to").map(|v| read_shares(&v));
            if to.is_none() {
                fields
                    .value()
                    .problem("`to` is missing: the shares must add up to 100");
            }
            Some(Distribute { from: from?, to: to? })
        });
        read.extend(distribute.flatten());
    }
    read
}

fn read_shares(value: &Value<'_>) -> Vec<(LocalityPattern, u32)> {
    let mut before: Vec<LocalityPattern> = Vec::new();
    let mut shares = Vec::new();
    let mut total = 0;
    for (key, share) in value.entries() {
        let Some(percent) = share
            .whole(1..=100)
            .and_then(|percent| u32::try_from(percent).ok())
        else {
            return Vec::new();
        };
        total += percent;
        shares.extend(pattern(&share, &key.value, &mut before).map(|to| (to, percent)));
    }
    if total != 100 {
        value.problem(format!("total locality weight {total} != 100"));
    }
    shares
}

fn pattern(place: &Value<'_>, text: &str, before: &mut Vec<LocalityPattern>) -> Option<LocalityPattern> {
    match LocalityPattern::parse(text) {
        Ok(pattern) => {
            if before.iter().any(|other| other.overlaps(&pattern)) {
                place.problem(format!("locality `{text}` overlaps with one before"));
            }
            before.push(pattern.clone());
            Some(pattern)
        }
        Err(message) => {
            place.problem(message);
            None
        }
    }
}

fn read_failover(value: &Value<'_>) -> Option<(String, String)> {
    value.fields(|fields| {
        let mut region = |name| {
            let value = fields.get(name)?;
            let region = value.text()?;
            if region.contains('*') {
                value.problem("the region of a failover has no `*`");
            } else if region.contains('/') {
                value.problem("a failover names regions only");
            }
            Some(region)
        };
        let (from, to) = (
            region("from").unwrap_or_default(),
            region("to").unwrap_or_default(),
        );
        if from == to {
            fields.value().problem("a failover needs two different regions");
        }
        (from, to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_does_not_say() {
        let locality: Locality = "r1/z1/s1".parse().unwrap();
        for (text, covers) in [
            ("r1", true),
            ("r1/*", true),
            ("*", true),
            ("r1/z1/s1", true),
            ("r1/z2/*", false),
        ] {
            let pattern = LocalityPattern::parse(text).unwrap();
            assert_eq!(pattern.covers(&locality), covers, "{text}");
        }
    }

    #[test]
    fn a_star_is_at_the_end_and_no_part_is_empty() {
        for text in ["a/*/c", "a//c", "", "a/b*", "a/b/c/d"] {
            assert!(LocalityPattern::parse(text).is_err(), "{text}");
        }
    }
}
