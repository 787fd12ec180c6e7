//! What the proxies of the callers counted: Istio's `istio_requests_total`.
//!
//! A second witness beside the client: these are the requests that went through the proxies whose routes were read. The
//! metric comes from Istio's own Envoy; one without Istio's extensions does not have it.

use std::collections::BTreeMap;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// Requests by version of the destination, by full name of its service.
type ByService = BTreeMap<String, BTreeMap<String, u64>>;

/// What one proxy counted since it started, as the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(ByService);

/// What the proxies of one caller counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// As the edge calls the caller.
    pub from: String,
    /// As the edge calls the service.
    pub to: String,
    /// Requests by version, whatever became of them.
    pub versions: BTreeMap<String, u64>,
}

impl Counters {
    /// From the text of `/stats/prometheus`. `None`: the metric is not there, because nothing was sent yet or because
    /// the proxy does not have it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let label = Regex::new(r#"(\w+)="((?:[^"\\]|\\.)*)""#).ok()?;
        let mut counters = Counters::default();
        for line in text.lines() {
            let Some((labels, value)) = line
                .strip_prefix("istio_requests_total{")
                .and_then(|rest| rest.rsplit_once("} "))
            else {
                continue;
            };
            let labels: BTreeMap<&str, &str> = label
                .captures_iter(labels)
                .filter_map(|found| Some((found.get(1)?.as_str(), found.get(2)?.as_str())))
                .collect();
            let get = |name: &str| labels.get(name).copied().unwrap_or_default();
            if get("reporter") == "source" {
                let versions = counters
                    .0
                    .entry(get("destination_service").to_owned())
                    .or_default();
                *versions.entry(get("destination_version").to_owned()).or_default() +=
                    value.trim().parse::<u64>().ok()?;
            }
        }
        (!counters.0.is_empty()).then_some(counters)
    }

    /// What was counted after `before`. A proxy that started anew counts from 0 again.
    #[must_use]
    pub fn since(&self, before: &Counters) -> Counters {
        let mut since = self.clone();
        for (service, versions) in &mut since.0 {
            for (version, count) in versions {
                let old = before.0.get(service).and_then(|versions| versions.get(version));
                *count = count.checked_sub(old.copied().unwrap_or(0)).unwrap_or(*count);
            }
        }
        since
    }

    /// Adds the requests to these services, by version.
    pub(super) fn add_to<'a>(
        &self,
        services: impl Iterator<Item = &'a str>,
        sum: &mut BTreeMap<String, u64>,
    ) {
        for (version, count) in services.filter_map(|service| self.0.get(service)).flatten() {
            *sum.entry(version.clone()).or_default() += count;
        }
    }
}

impl Counted {
    /// All versions together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.versions.values().sum()
    }
}
