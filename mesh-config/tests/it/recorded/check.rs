//! A routing decision beside a recorded answer.

use std::collections::{BTreeMap, BTreeSet};

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue};
use mesh_config::{Destination, Forward, Known, RequestHead, Route, View};

use super::format::{Case, Observed, joined};
use super::replay::Verdict;
use crate::kit::{NoFacts, known};

/// A route beside what was seen.
pub(super) struct Check<'a> {
    pub(super) view: &'a View,
    pub(super) route: &'a Route,
    pub(super) forward: &'a Forward,
    pub(super) observed: &'a Observed,
}

impl Check<'_> {
    /// Workloads of a destination; an error is the flag of an answer without one.
    fn workloads(&self, destination: &Destination) -> Result<BTreeSet<&str>, &'static str> {
        let id = destination.cluster.as_ref().map_err(|_| "NC")?;
        let cluster = self.view.cluster(*id);
        let names: BTreeSet<&str> = cluster
            .endpoints
            .iter()
            .map(|endpoint| endpoint.workload.as_str())
            .collect();
        if names.is_empty() { Err("UH") } else { Ok(names) }
    }

    pub(super) fn one(&self, case: &Case, head: &RequestHead<'_>) -> Verdict {
        let reached: BTreeSet<&str> = self
            .observed
            .upstream
            .iter()
            .map(|u| u.workload.as_str())
            .collect();
        let mut why = Vec::new();
        for destination in &self.forward.destinations {
            let workloads = self.workloads(destination);
            let fits = match &workloads {
                Ok(names) if reached.is_empty() => !names.is_empty() && !self.observed.has_flag("NC"),
                Ok(names) => reached.is_subset(names),
                Err(flag) => reached.is_empty() && self.observed.has_flag(flag),
            };
            if !fits {
                why.push(format!(
                    "{workloads:?} here, {reached:?} {:?} there",
                    self.observed.flags
                ));
                continue;
            }
            match self
                .as_sent(destination, head)
                .and_then(|()| self.as_answered(case, destination))
            {
                Ok(()) => return Verdict::Agrees,
                Err(difference) => why.push(difference),
            }
        }
        Verdict::Differs(why.join("; "))
    }

    /// Path, Host and headers that the workload got.
    fn as_sent(&self, destination: &Destination, head: &RequestHead<'_>) -> Result<(), String> {
        let Some(upstream) = self.observed.upstream.first() else {
            return Ok(());
        };
        let mut headers = head.headers.clone();
        headers.insert(HOST, HeaderValue::from_str(head.authority).unwrap());
        let known = Known {
            method: head.method,
            path: head.path,
            scheme: head.scheme,
            request: None,
            facts: &NoFacts,
        };
        self.forward.request_headers(destination, &known, &mut headers);
        let host = headers.remove(HOST).unwrap().to_str().unwrap().to_owned();
        let path = self
            .forward
            .rewrite_path(&self.route.matcher, head.path)
            .unwrap_or(head.path.to_owned());
        if (&host, &path) != (&upstream.host, &upstream.path) {
            return Err(format!(
                "{host}{path} here, {}{} there",
                upstream.host, upstream.path
            ));
        }
        let names = head.headers.keys().chain(headers.keys());
        compare(names, &headers, &upstream.headers)
    }

    /// Headers of the answer: those of the workload, and what the rule does to them.
    fn as_answered(&self, case: &Case, destination: &Destination) -> Result<(), String> {
        let mut before = HeaderMap::new();
        for (name, lines) in self
            .observed
            .upstream
            .last()
            .iter()
            .flat_map(|u| case.headers_of(&u.workload))
        {
            for line in lines {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                before.append(name, HeaderValue::from_str(&line).unwrap());
            }
        }
        let mut after = before.clone();
        self.forward
            .response_headers(destination, &known(Some(&before)), &mut after);
        let names = before.keys().chain(after.keys());
        compare(names, &after, &self.observed.headers)
    }

    /// Shares of many requests, each within five standard deviations: a right share fails with probability 6e-7.
    pub(super) fn counts(&self, times: u32) -> Verdict {
        let mut groups: BTreeMap<Result<BTreeSet<&str>, &str>, f64> = BTreeMap::new();
        for destination in &self.forward.destinations {
            let part = f64::from(destination.weight) / self.forward.total_weight as f64;
            *groups.entry(self.workloads(destination)).or_default() += part;
        }
        let known: BTreeSet<&str> = groups.keys().flatten().flatten().copied().collect();
        let stranger = self
            .observed
            .workloads
            .keys()
            .find(|name| !known.contains(name.as_str()));
        if let Some(name) = stranger {
            return Verdict::Differs(format!("{name} is not among {known:?}"));
        }
        let sizes: usize = groups.keys().flatten().map(BTreeSet::len).sum();
        // Retries, refused requests and overlapping subsets cannot be told apart by workload.
        if sizes > known.len() || self.observed.tries() + self.observed.unrouted(times) != times {
            return Verdict::Agrees;
        }
        for (group, part) in &groups {
            let seen = match group {
                Ok(names) => names
                    .iter()
                    .filter_map(|name| self.observed.workloads.get(*name))
                    .sum(),
                Err(flag) => self.observed.flag_count(flag, times),
            };
            let expected = part * f64::from(times);
            let deviation = (expected * (1.0 - part)).sqrt();
            if (f64::from(seen) - expected).abs() > 5.0 * deviation + 1e-6 {
                return Verdict::Differs(format!("{group:?}: {expected} of {times} expected, {seen} seen"));
            }
        }
        Verdict::Agrees
    }
}

/// Compares the named headers, but for those that every proxy sets, changes or drops on its own.
fn compare<'n>(
    names: impl Iterator<Item = &'n HeaderName>,
    here: &HeaderMap,
    there: &BTreeMap<String, serde_json::Value>,
) -> Result<(), String> {
    const OWN: &[&str] = &[
        "server",
        "content-length",
        "connection",
        "date",
        "transfer-encoding",
        "te",
        "upgrade",
    ];
    for name in names.filter(|name| !OWN.contains(&name.as_str()) && !name.as_str().starts_with("x-envoy-")) {
        let lines = here
            .get_all(name)
            .iter()
            .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
        let here = lines.collect::<Vec<_>>().join(",");
        let there = there.get(name.as_str()).map(joined).unwrap_or_default();
        if here != there {
            return Err(format!("{name} is `{here}` here, `{there}` there"));
        }
    }
    Ok(())
}
