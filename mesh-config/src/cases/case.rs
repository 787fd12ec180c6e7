//! Cases as they were written.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::Value;

use crate::check::catalogue::Check;
use crate::problem::{Mark, Placed, Problem, Source};
use crate::text::lines;

/// A file of cases.
#[derive(Clone, Debug)]
pub struct CaseFile {
    /// Paths of the manifests that the cases are about, relative to the file; empty if it does not say.
    pub manifests: Vec<String>,
    pub(super) source: Source,
    pub(super) cases: Vec<Case>,
}

impl CaseFile {
    /// Name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// Something to say about a place of the file.
    pub(super) fn problem(
        &self,
        check: &'static Check,
        mark: Mark,
        message: String,
        advice: String,
    ) -> Problem {
        let line = lines(&self.source.text).nth(mark.line.saturating_sub(1));
        Problem::new(
            check,
            &self.source.name,
            mark,
            line.unwrap_or_default(),
            message,
            Some(advice),
        )
    }
}

/// Requests, all combinations of the lists, and what is to become of each of them.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) description: String,
    pub(super) mark: Mark,
    /// False: what is expected must not be.
    pub(super) want_match: bool,
    /// Empty: the gateway, or without one somebody in the namespace `default`.
    pub(super) callers: Vec<Placed<Caller>>,
    /// Empty: the port of the authority, or the only one that the gateway serves, or 80.
    pub(super) ports: Vec<u16>,
    pub(super) authorities: Vec<String>,
    pub(super) methods: Vec<String>,
    /// Normalised.
    pub(super) uris: Vec<String>,
    /// At least one set.
    pub(super) headers: Vec<HeaderMap>,
    pub(super) expected: Expected,
}

/// Who sends the requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Caller {
    /// The ingress gateway, on behalf of somebody outside.
    #[default]
    Gateway,
    /// A pod of this Deployment of the manifests.
    Deployment { namespace: String, name: String },
    /// Somebody with these labels.
    Workload {
        namespace: String,
        labels: BTreeMap<String, String>,
    },
}

/// What is expected; what is not said may be anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    /// Where it goes.
    pub(super) route: Option<Vec<Wanted>>,
    /// The status of an answer that the proxy itself gives.
    pub(super) status: Option<u16>,
    /// Of a redirect.
    pub(super) location: Option<String>,
    /// Path and query that the destination gets.
    pub(super) sent_uri: Option<String>,
    /// The Host that the destination gets.
    pub(super) sent_authority: Option<String>,
    /// Fields of the rule that decides, as a VirtualService has them.
    pub(super) rule: Vec<(String, Value)>,
}

/// A destination, with its weight among those that are expected.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    /// As written.
    pub(super) host: String,
    pub(super) subset: Option<String>,
    /// `None`: any.
    pub(super) port: Option<u16>,
    pub(super) weight: u32,
}
