//! What Kubernetes, istiod, Envoy and `istioctl analyze` would say about manifests, and what none of them sees.

pub(crate) mod analysis;
pub(crate) mod catalogue;
pub(crate) mod proxy;
pub(crate) mod schema;
pub(crate) mod warning;
pub(crate) mod webhook;

pub use catalogue::{Check, Istioctl, Layer, Severity};

use crate::object;
use crate::problem::{Mark, Problem, Source};

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of file, line and column.
    pub findings: Vec<Problem>,
    /// What is valid and not acted on by local-mesh.
    pub unsupported: Vec<Problem>,
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

/// Looks at manifests from all sides.
#[must_use]
pub fn check(sources: &[Source]) -> Report {
    let mut reading = object::read(sources);
    if let (true, Some(source)) = (
        reading.found.is_empty() && reading.problems.is_empty(),
        sources.first(),
    ) {
        reading.problems.push(nothing(source));
    }
    let (unsupported, findings) = reading
        .problems
        .into_iter()
        .partition(|problem| problem.check.layer == Layer::LocalMesh);
    let mut report = Report {
        findings,
        unsupported,
    };
    report
        .findings
        .sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    report
}
