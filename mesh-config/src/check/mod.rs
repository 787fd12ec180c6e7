//! What Kubernetes, istiod, Envoy and `istioctl analyze` would say about manifests, and what none of them sees.
//!
//! Everything is a finding of a [`Check`], which has a code of ours and, where there is one, that of Istio. Each object is
//! judged by itself when it is read, as the API server and istiod's webhook judge it; what they would let in is then
//! analysed together.

pub(crate) mod analyze;
pub(crate) mod catalogue;
mod facts;
mod json;
pub(crate) mod proxy;
mod render;
pub(crate) mod schema;
mod suppress;
pub(crate) mod warning;
pub(crate) mod webhook;

pub use catalogue::{Check, Istioctl, Layer, Severity};
pub use suppress::{BadSuppression, Suppression};

use std::collections::{BTreeMap, BTreeSet};

use crate::mesh::Mesh;
use crate::object::{self, Object, ObjectKey};
use crate::problem::{Mark, Problem, Source};
use facts::{Facts, Findings};
use suppress::Annotations;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of file, line and column.
    pub findings: Vec<Problem>,
    /// What is valid and not acted on by local-mesh.
    pub unsupported: Vec<Problem>,
    /// The objects that a cluster would have: those that the API server does not refuse.
    pub mesh: Mesh,
    /// How many objects of each kind were looked at.
    pub objects: BTreeMap<String, usize>,
    /// How many findings were suppressed.
    pub suppressed: usize,
}

impl Report {
    /// Whether there is a finding that weighs as much, or more.
    #[must_use]
    pub fn reaches(&self, severity: Severity) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.check.severity >= severity)
    }
}

/// Every check there is, by code.
#[must_use]
pub fn checks() -> Vec<&'static Check> {
    let analyses = analyze::ALL.iter().flat_map(|analyzer| analyzer.checks).copied();
    let mut all: Vec<&Check> = schema::ALL.to_vec();
    all.extend(webhook::all());
    all.extend(warning::ALL);
    all.extend(proxy::ALL);
    all.extend(analyses);
    all.sort_by_key(|check| check.code);
    all
}

/// Looks at manifests from all sides.
#[must_use]
pub fn check(sources: &[Source], suppressions: &[Suppression]) -> Report {
    let mut reading = object::read(sources);
    if let (true, Some(source)) = (
        reading.found.is_empty() && reading.problems.is_empty(),
        sources.first(),
    ) {
        reading.problems.push(nothing(source));
    }
    let mut objects = BTreeMap::new();
    for object in &reading.found {
        *objects.entry(object.kind.clone()).or_default() += 1;
    }
    let mut findings = reading.problems;
    let mesh = admitted(reading.found, &findings);
    let mut analysed = Findings::default();
    let facts = Facts::new(mesh.objects().collect());
    for analyzer in analyze::ALL {
        (analyzer.run)(&facts, &mut analysed);
    }
    findings.extend(analysed.0);
    let (unsupported, mut findings): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|problem| problem.check.layer == Layer::LocalMesh);
    let count = findings.len();
    let annotations = Annotations::of(mesh.objects());
    findings
        .retain(|finding| !annotations.cover(finding) && !suppressions.iter().any(|one| one.covers(finding)));
    let suppressed = count - findings.len();
    findings.sort_by(|a, b| {
        (&a.file, a.line, a.column, a.check.code).cmp(&(&b.file, b.line, b.column, b.check.code))
    });
    Report {
        findings,
        unsupported,
        mesh,
        objects,
        suppressed,
    }
}

/// The objects without those that the API server would refuse: in a cluster they would not be there.
fn admitted(objects: Vec<Object>, problems: &[Problem]) -> Mesh {
    let refusals = problems
        .iter()
        .filter(|problem| problem.check.layer == Layer::Schema);
    let refused: BTreeSet<&ObjectKey> = refusals.filter_map(|problem| problem.object.as_ref()).collect();
    let objects = objects
        .into_iter()
        .filter(|object| !refused.contains(&object.key()));
    let mesh = Mesh::new().apply(objects.collect(), 0);
    mesh.map(|(mesh, _)| mesh).unwrap_or_default()
}

/// No object in any of the sources.
fn nothing(source: &Source) -> Problem {
    let mark = Mark {
        line: 1,
        column: 1,
        length: 1,
    };
    let line = source.text.lines().next().unwrap_or_default();
    let message = "there is no object here".to_owned();
    Problem::new(&schema::NO_OBJECTS, &source.name, mark, line, message, None)
}
