//! `localityLbSetting`: which localities get a client's traffic.

use std::fmt;

use crate::check::warning;
use crate::client::Locality;
use crate::text::{Fields, Value};

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

    /// Whether istiod takes this one for covered by one before it. It looks one way only: what covers more may come
    /// after what covers less, except for a whole region.
    fn is_taken(&self, before: &[Self]) -> bool {
        before.iter().any(|other| {
            let part = |index: usize| other.0.get(index).map(String::as_str);
            let same = |index: usize| part(index) == self.0.get(index).map(String::as_str);
            let all = |index: usize| matches!(part(index), None | Some("*"));
            if part(0) == Some("*") {
                return true;
            }
            same(0)
                && match self.0.len() {
                    1 => true,
                    2 => all(1) || same(1),
                    _ => all(1) || same(1) && (all(2) || same(2)),
                }
        })
    }

    /// # Errors
    /// What is wrong with the text.
    fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<String> = text.splitn(3, '/').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            return Err(format!(
                "locality `{text}` must not contain an empty region, zone or subzone"
            ));
        }
        let stars = text.matches('*').count();
        if stars > 1 || stars == 1 && !text.ends_with('*') {
            return Err(format!("the `*` of locality `{text}` must be at its end"));
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

/// What excludes a failover: the regions, zones and subzones follow from the locality itself.
fn is_topology(label: &str) -> bool {
    [REGION, ZONE, SUBZONE].contains(&label)
}

/// Reads `localityLbSetting`. `outlier`: whether outliers are detected. Source of the checks: istiod's
/// `ValidateLocalityLbSetting`, which stops at some of them; here all are said.
pub(crate) fn read(value: &Value<'_>, outlier: bool) -> Option<LocalitySetting> {
    value.fields(|fields| {
        let enabled = fields.get("enabled").and_then(|v| v.boolean());
        let distribute = fields.get("distribute").map(|v| v.list()).unwrap_or_default();
        let (failover, priority) = read_failovers(fields, outlier);
        if !distribute.is_empty() && !failover.is_empty() {
            fields
                .value()
                .problem("distribute and failover exclude each other");
        }
        let topology = priority.iter().find(|label| is_topology(label));
        if let Some(label) = topology.filter(|_| !failover.is_empty()) {
            let message =
                format!("failover and the topology label `{label}` in failoverPriority exclude each other");
            fields.value().problem(message);
        }
        LocalitySetting {
            disabled: enabled == Some(false),
            distribute: read_distribute(&distribute),
            failover,
            failover_priority: priority,
            always: false,
        }
    })
}

/// Judges `zoneAwareLbSetting`, which is not acted on yet. Source: istiod's `ValidateZoneAwareLbSetting`.
pub(crate) fn check_zones(value: &Value<'_>, outlier: bool) {
    value.fields(|fields| {
        fields.get("enabled").and_then(|v| v.boolean());
        fields
            .get("minClusterSize")
            .and_then(|v| v.whole(1..=u32::MAX.into()));
        let (_, priority) = read_failovers(fields, outlier);
        for label in priority.iter().filter(|label| is_topology(label)) {
            let message = format!("failoverPriority cannot have `{label}`: zones count anyway");
            fields.value().problem(message);
        }
    });
}

/// `failover` and `failoverPriority`.
fn read_failovers(fields: &mut Fields<'_>, outlier: bool) -> (Vec<(String, String)>, Vec<String>) {
    let failover = fields.get("failover").map(|v| v.list()).unwrap_or_default();
    let priority = fields
        .get("failoverPriority")
        .map(|v| v.texts())
        .unwrap_or_default();
    let fails_over = !failover.is_empty() || !priority.is_empty();
    if fails_over && !outlier {
        let advice = "add `outlierDetection` beside `loadBalancer`".to_owned();
        let message = "without outlier detection nothing ever fails over";
        fields
            .value()
            .warn(&warning::FAILOVER_ALONE, message, Some(advice));
    }
    (failover.iter().filter_map(read_failover).collect(), priority)
}

fn read_distribute(list: &[Value<'_>]) -> Vec<Distribute> {
    let mut before: Vec<LocalityPattern> = Vec::new();
    let mut read = Vec::new();
    for entry in list {
        let distribute = entry.fields(|fields| {
            let from = match fields.needed("from") {
                Some(v) => v.text().and_then(|text| pattern(&v, &text, &mut before)),
                None => None,
            };
            let to = fields.needed("to").map(|v| read_shares(&v));
            Some(Distribute { from: from?, to: to? })
        });
        read.extend(distribute.flatten());
    }
    read
}

fn read_shares(value: &Value<'_>) -> Vec<(LocalityPattern, u32)> {
    let mut before: Vec<LocalityPattern> = Vec::new();
    let mut shares = Vec::new();
    let mut total: u64 = 0;
    for (key, share) in value.entries() {
        let Some(percent) = share.uint32() else { continue };
        if !(1..=100).contains(&percent) {
            share.problem(format!("the share {percent} is not between 1 and 100"));
        }
        total += u64::from(percent);
        shares.extend(pattern(&share, &key.value, &mut before).map(|to| (to, percent)));
    }
    if total != 100 {
        value.problem(format!("the shares add up to {total}, not to 100"));
    }
    shares
}

fn pattern(place: &Value<'_>, text: &str, before: &mut Vec<LocalityPattern>) -> Option<LocalityPattern> {
    match LocalityPattern::parse(text) {
        Ok(pattern) => {
            if pattern.is_taken(before) {
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
            }
            if region.contains('/') {
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
    fn what_covers_less_may_not_come_after_what_covers_more() {
        let pattern = |text: &str| LocalityPattern::parse(text).unwrap();
        for (before, text, taken) in [
            ("*", "a", true),
            ("a", "*", false),
            ("a", "a/b", true),
            ("a/b", "a", true),
            ("a/*", "a/b", true),
            ("a/b", "a/*", false),
            ("a/b", "a/c", false),
            ("a/b/c", "a/b", true),
            ("a/b/c", "a/b/d", false),
            ("a/b/*", "a/b/d", true),
        ] {
            assert_eq!(
                pattern(text).is_taken(&[pattern(before)]),
                taken,
                "{text} after {before}"
            );
        }
    }

    #[test]
    fn a_star_is_at_the_end_and_no_part_is_empty() {
        assert!(LocalityPattern::parse("a/b/c/d").is_ok(), "the subzone is c/d");
        for text in ["a/*/c", "a//c", "", "a/**", "*a"] {
            assert!(LocalityPattern::parse(text).is_err(), "{text}");
        }
    }
}
