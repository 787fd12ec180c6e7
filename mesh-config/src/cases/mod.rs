//! Unit tests for routing, written as YAML: requests, and what is to become of them.
//!
//! Nothing is sent and nothing is drawn: a case is held against the compiled tables, so weights are compared exactly. The
//! format takes in the test cases of `istio-config-validator`; `docs/routing-tests.md` describes it.

mod ask;
mod case;
mod compare;
mod coverage;
mod gateways;
mod read;
mod render;
mod run;

pub use case::CaseFile;
pub(crate) use compare::share;
pub use coverage::ReachedRule;
pub use gateways::assume_gateways;
pub use read::parse;

/// What came out, of all files of cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One per file of cases.
    pub suites: Vec<Suite>,
}

/// What came out of one file of cases.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Name of the file.
    pub file: String,
    /// In the order of the file.
    pub cases: Vec<CaseResult>,
    /// Every rule of every VirtualService, with whether a request of a case reached it.
    pub rules: Vec<ReachedRule>,
    /// Full names of destinations that no Service or ServiceEntry of the manifests stands for: taken to exist.
    pub assumed: Vec<String>,
}

/// What came out of one case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// `description`, or the case's number.
    pub description: String,
    /// 1-based line of the case.
    pub line: usize,
    /// How many requests it stands for.
    pub requests: usize,
    /// Those of them that did not become what they should.
    pub failures: Vec<Failure>,
}

/// A request that did not become what it should.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `GET http://auth:8080/verify (port 8080)`, with the headers of the case.
    pub request: String,
    /// Who was taken to send it.
    pub from: String,
    /// What differs: what it is, what was expected, what is.
    pub differences: Vec<Difference>,
    /// What decided, in a sentence.
    pub decision: String,
    /// `file:line` of what decided.
    pub place: Option<String>,
    /// Each rule that was tried, with the condition that failed, as long as there are few.
    pub tried: Vec<String>,
}

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `route`, `status`, `location`, `sent`, or a field of the rule.
    pub what: String,
    /// What the case says.
    pub expected: String,
    /// What the manifests say.
    pub got: String,
}

impl Report {
    /// Whether every case of every file holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.cases().all(|(_, case)| case.failures.is_empty())
    }

    /// Every case with its file.
    fn cases(&self) -> impl Iterator<Item = (&Suite, &CaseResult)> {
        let suites = self.suites.iter();
        suites.flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)))
    }
}
