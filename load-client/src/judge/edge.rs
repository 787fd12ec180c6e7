//! One edge of the chain: what was seen of it.

use std::collections::HashMap;

use super::counts::EdgeCounts;
use crate::cause::{Lack, Sighting, Witness};
use crate::expect::{Claim, Edge, Expected};
use crate::latency::Latencies;
use crate::outcome::{Answer, Failure, Hop, Outcome};
use crate::stats::plan::{self, Chance};
use crate::stats::{Finding, Gate, Stream, Trace, Trajectory, Verdict};

/// Callers that are told apart; a mesh has fewer pods of one version.
const MOST_SOURCES: usize = 4_096;

/// Counts and finding of an edge.
#[derive(Debug)]
pub struct EdgeState {
    claim: Claim,
    /// `None`: no traffic is declared for it.
    watched: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    expected: Expected,
    gate: Gate,
    stream: Stream,
    versions: Vec<String>,
    /// By version.
    errors: Vec<u64>,
    /// By version.
    latencies: Vec<Latencies>,
    /// Whoever they are of.
    all_errors: u64,
    finding: Finding,
    changed: bool,
    /// For charts: how the evidence grew.
    trajectory: Trajectory,
    /// For the diagnostics: how answers follow each other.
    trace: Trace,
    /// For causes: who gave them.
    witness: Witness,
    /// Callers of a second hop, numbered as they came.
    sources: HashMap<Box<str>, u64>,
}

/// What an outcome says about an edge.
#[derive(Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// Nothing: it is another request's, or the request took another way.
    Nothing,
    /// Who answered.
    Hop(&'a Hop),
    /// The request may have come this way, and who answered is not known.
    Unattributed,
}

/// What an outcome says about the edge of a claim.
///
/// Without any version in the answer, a request may have reached the second hop from any version of the first: it is
/// unattributed there, too, unless it never left. Leaving it out would bias the counts towards versions that do not
/// fail.
pub(crate) fn seen<'a>(claim: &Claim, outcome: &'a Outcome) -> Seen<'a> {
    if outcome.variant != claim.variant {
        return Seen::Nothing;
    }
    let served_by = match &outcome.result {
        Ok(answer) => answer.served_by.as_deref().filter(|hops| !hops.is_empty()),
        Err(Failure::Connect) if claim.given.is_some() => return Seen::Nothing,
        Err(_) => None,
    };
    match (served_by, &claim.given) {
        (None, _) => Seen::Unattributed,
        (Some(hops), None) => Seen::Hop(&hops[0]),
        (Some([first, rest @ ..]), Some(version)) if first.version == *version => {
            rest.first().map_or(Seen::Unattributed, Seen::Hop)
        }
        (Some(_), Some(_)) => Seen::Nothing,
    }
}

/// The instance whose proxy routed the request of a second hop.
fn caller<'a>(claim: &Claim, outcome: &'a Outcome) -> Option<&'a str> {
    claim.given.as_ref()?;
    let hops = outcome.result.as_ref().ok()?.served_by.as_deref()?;
    hops.first().map(|hop| hop.instance.as_str())
}

/// What came instead of an answer that names a version, or of a good one.
pub(crate) fn lack(outcome: &Outcome) -> Lack {
    match &outcome.result {
        Ok(answer) => Lack::Status(answer.status),
        Err(failure) => Lack::Failure(*failure),
    }
}

/// A request without an answer, or one answered with 500 or above.
pub(crate) fn is_error(outcome: &Outcome) -> bool {
    !matches!(outcome.result, Ok(Answer { status: ..500, .. }))
}

impl EdgeState {
    pub(super) fn new(claim: Claim, gate: Gate) -> Self {
        let watched = claim
            .expected
            .clone()
            .map(|expected| Watched::new(expected, gate));
        Self { claim, watched }
    }

    /// Takes in an outcome: for the verdict if it counts, and for the causes.
    pub(super) fn record(&mut self, outcome: &Outcome, counts: bool) {
        let Some(watched) = &mut self.watched else { return };
        let seen = seen(&self.claim, outcome);
        let version = match seen {
            Seen::Nothing => return,
            Seen::Hop(hop) => Some(watched.index(hop)),
            Seen::Unattributed => None,
        };
        if counts {
            watched.count(version, outcome);
        }
        match (seen, version) {
            (Seen::Hop(hop), Some(version)) => {
                watched.witness(version, hop, caller(&self.claim, outcome), outcome);
            }
            _ => watched.witness.record_lack(lack(outcome)),
        }
    }

    /// Takes in what was counted elsewhere, in any order. Who gave which answer stays unknown.
    pub(super) fn take_counts(&mut self, counts: &EdgeCounts) {
        let Some(watched) = &mut self.watched else { return };
        for (version, answers) in &counts.answers {
            let index = watched.index_of(version.clone());
            watched.stream.add(index, answers.count);
            watched.errors[index] += answers.errors;
            watched.latencies[index].add(&answers.latencies);
        }
        watched.stream.add_unattributed(counts.unattributed);
        watched.all_errors += counts.errors;
        watched.changed = true;
    }

    pub(super) fn look(&mut self) {
        if let Some(watched) = self.watched.as_mut().filter(|watched| watched.changed) {
            watched.finding = watched.gate.look(&mut watched.stream);
            let requests = watched.stream.total();
            watched.trajectory.record(requests, watched.finding.log_e);
            watched.changed = false;
        }
    }

    pub(super) fn leaked(&self) -> bool {
        self.stream()
            .is_some_and(|stream| stream.split().leaked(stream.counts()))
    }

    /// Whether it is used and neither confirmed nor refuted.
    pub(super) fn is_open(&self) -> bool {
        self.verdict() == Some(Verdict::Undecided)
    }

    /// Requests of its variant that it needs to be confirmed, when this part of them reaches it; `None`: not used.
    pub(super) fn plan(&self, traffic: f64, chance: Chance) -> Option<u64> {
        let watched = self.watched.as_ref()?;
        let needed = plan::to_confirm(watched.expected.split(), &watched.gate, chance);
        needed.map_or(Some(u64::MAX), |needed| {
            Some(plan::to_reach(needed, traffic, chance))
        })
    }

    /// What is declared and for what.
    pub fn edge(&self) -> &Edge {
        &self.claim.edge
    }

    /// Index of the request of the mix that speaks about it.
    pub fn variant(&self) -> usize {
        self.claim.variant
    }

    /// The version of the first hop, if it is a second one.
    pub fn given(&self) -> Option<&str> {
        self.claim.given.as_deref()
    }

    /// What is declared; `None`: no traffic.
    pub fn expected(&self) -> Option<&Expected> {
        self.claim.expected.as_ref()
    }

    /// Versions in the order of the counts: those declared or known, then strangers as they came.
    pub fn versions(&self) -> &[String] {
        self.watched.as_ref().map_or(&[], |watched| &watched.versions)
    }

    /// What was counted; `None`: no traffic is declared.
    pub fn stream(&self) -> Option<&Stream> {
        self.watched.as_ref().map(|watched| &watched.stream)
    }

    /// Its share of the terms; `None`: no traffic is declared.
    pub fn gate(&self) -> Option<&Gate> {
        self.watched.as_ref().map(|watched| &watched.gate)
    }

    /// Requests that came this way and failed, or were answered with 500 or above.
    pub fn errors(&self) -> u64 {
        self.watched.as_ref().map_or(0, |watched| watched.all_errors)
    }

    /// The same for each version, in the order of [`EdgeState::versions`]; those whose version is not known are not here.
    pub fn errors_by_version(&self) -> &[u64] {
        self.watched.as_ref().map_or(&[], |watched| &watched.errors)
    }

    /// How long the answers of each version took, in the order of [`EdgeState::versions`].
    pub fn latencies(&self) -> &[Latencies] {
        self.watched.as_ref().map_or(&[], |watched| &watched.latencies)
    }

    /// How the evidence grew from look to look; `None`: no traffic is declared.
    pub fn trajectory(&self) -> Option<&Trajectory> {
        self.watched.as_ref().map(|watched| &watched.trajectory)
    }

    /// How the answers followed each other; `None`: no traffic is declared.
    pub fn trace(&self) -> Option<&Trace> {
        self.watched.as_ref().map(|watched| &watched.trace)
    }

    /// Who gave the answers; `None`: no traffic is declared.
    pub fn witness(&self) -> Option<&Witness> {
        self.watched.as_ref().map(|watched| &watched.witness)
    }

    /// The instance that has this number among the callers of the trace.
    pub fn source(&self, number: u64) -> &str {
        let mut sources = self.watched.iter().flat_map(|watched| &watched.sources);
        sources
            .find(|(_, other)| **other == number)
            .map_or("", |(name, _)| name)
    }

    /// As of the last look; `None`: no traffic is declared.
    pub fn finding(&self) -> Option<&Finding> {
        self.watched.as_ref().map(|watched| &watched.finding)
    }

    /// As of the last look; `None`: no traffic is declared.
    pub fn verdict(&self) -> Option<Verdict> {
        self.finding().map(|finding| finding.verdict)
    }

    pub(super) fn share_of(&self, version: &str) -> f64 {
        self.expected().map_or(0.0, |expected| expected.share_of(version))
    }
}

impl Watched {
    fn new(expected: Expected, gate: Gate) -> Self {
        let mut stream = Stream::new(expected.split().clone());
        Self {
            versions: expected
                .versions()
                .map(|(version, _)| version.to_owned())
                .collect(),
            finding: gate.look(&mut stream),
            trajectory: Trajectory::new(-gate.alpha().ln()),
            trace: Trace::new(expected.split()),
            witness: Witness::default(),
            sources: HashMap::new(),
            expected,
            gate,
            errors: vec![0; stream.counts().len()],
            latencies: vec![Latencies::default(); stream.counts().len()],
            all_errors: 0,
            stream,
            changed: false,
        }
    }

    /// Index of the version of an answer.
    fn index(&mut self, hop: &Hop) -> usize {
        self.expected.index_of(hop).unwrap_or_else(|| self.stranger(hop))
    }

    /// Counts a request for the verdict.
    fn count(&mut self, version: Option<usize>, outcome: &Outcome) {
        let error = u64::from(is_error(outcome));
        match version {
            Some(version) => {
                self.stream.record(version);
                self.errors[version] += error;
                self.latencies[version].record(outcome);
            }
            None => self.stream.record_unattributed(),
        }
        self.all_errors += error;
        self.changed = true;
    }

    /// Remembers who gave an answer.
    fn witness(&mut self, version: usize, hop: &Hop, source: Option<&str>, outcome: &Outcome) {
        let number = source.map(|source| self.source(source));
        self.trace.record(version, outcome.connection, number);
        self.witness.record(Sighting {
            version,
            instance: &hop.instance,
            connection: outcome.connection,
            source,
            attempts: outcome.attempts,
        });
    }

    fn source(&mut self, name: &str) -> u64 {
        if let Some(known) = self.sources.get(name) {
            return *known;
        }
        let number = self.sources.len() as u64;
        if self.sources.len() < MOST_SOURCES {
            self.sources.insert(name.into(), number);
        }
        number
    }

    /// Index of a version that nobody declared.
    fn stranger(&mut self, hop: &Hop) -> usize {
        self.index_of(self.expected.label(hop))
    }

    /// Index of a version by its label.
    fn index_of(&mut self, label: String) -> usize {
        let found = self.versions.iter().position(|version| *version == label);
        found.unwrap_or_else(|| {
            self.versions.push(label);
            self.errors.push(0);
            self.latencies.push(Latencies::default());
            self.stream.add_unused()
        })
    }
}
