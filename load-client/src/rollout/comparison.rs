//! The error gate of a stage: the failures of the new versions beside those of the others, hop by hop. An answer that takes too
//! long can be a failure, too.
//!
//! *New* is a version whose share grows with the stage, for any request of the mix. Where the stage before is not known
//! (the first stage, a rollback, `--only`, an edge that had no traffic) it is one that gets less than half of the plain
//! requests. Versions with equal shares and no past are not told apart, and where every request gets the same version
//! there is nothing to compare: then there is no gate.
//!
//! Requests that ask for a version by a header count, too: the load draws at random which request of its mix it sends,
//! so the version is drawn with a known share even if the mesh draws nothing. That is how a header canary that fails is
//! found before anybody else gets it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::expect::{Claim, Edge, Expected, Path};
use crate::judge::{Seen, is_error, seen};
use crate::outcome::Outcome;
use crate::report::{EdgeReport, ErrorReport};
use crate::stats::ErrorEvidence;

/// Shares are computed; equal ones may differ by rounding.
const ROUNDING: f64 = 1e-9;

/// New versions and others of one hop.
#[derive(Debug)]
pub(super) struct Comparison {
    path: Path,
    edge: Edge,
    new: BTreeSet<String>,
    others: BTreeSet<String>,
    ways: Vec<Way>,
    alpha: f64,
    /// An answer that takes longer is a failure.
    slower_than: Option<Duration>,
    evidence: ErrorEvidence,
    log_e: f64,
    of_new: Counts,
    of_others: Counts,
}

/// One request of the mix on this hop.
#[derive(Debug)]
struct Way {
    claim: Claim,
    /// Part of these requests that come this way: the share of the calling version, 1 on the first hop.
    traffic: f64,
    /// Of those, the share of the new versions.
    new: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    requests: u64,
    errors: u64,
}

impl Counts {
    fn add(&mut self, requests: u64, errors: u64) {
        self.requests += requests;
        self.errors += errors;
    }
}

/// One comparison for each hop on which new versions can be told from others.
pub(super) fn hop_by_hop(path: Path, claims: &[Claim], before: Option<&[Claim]>) -> Vec<Comparison> {
    let mut hops: Vec<Vec<&Claim>> = Vec::new();
    for claim in claims {
        match hops.iter_mut().find(|hop| hop[0].given == claim.given) {
            Some(hop) => hop.push(claim),
            None => hops.push(vec![claim]),
        }
    }
    let compared = |hop: Vec<&Claim>| Comparison::new(path, &hop, claims, before);
    hops.into_iter().filter_map(compared).collect()
}

/// The same for each edge by itself: of a load whose draws from its mix are not known.
pub(super) fn edge_by_edge(path: Path, claims: &[Claim], before: Option<&[Claim]>) -> Vec<Comparison> {
    let compared = |claim| Comparison::new(path, &[claim], claims, before);
    claims.iter().filter_map(compared).collect()
}

impl Comparison {
    /// `None`: there is nothing to compare.
    fn new(path: Path, hop: &[&Claim], all: &[Claim], before: Option<&[Claim]>) -> Option<Self> {
        let new = newcomers(hop, before);
        let way = |claim: &&Claim| {
            let expected = claim.expected.as_ref()?;
            let shares = expected.versions().filter(|(version, _)| new.contains(*version));
            Some(Way {
                claim: (*claim).clone(),
                traffic: traffic(claim, all),
                new: shares.map(|(_, share)| share).sum(),
            })
        };
        let ways: Vec<Way> = hop
            .iter()
            .filter_map(way)
            .filter(|way| way.traffic > 0.0)
            .collect();
        let possible =
            ways.iter().any(|way| way.new > ROUNDING) && ways.iter().any(|way| way.new < 1.0 - ROUNDING);
        let versions = ways.iter().filter_map(|way| way.claim.expected.as_ref());
        let used = versions
            .flat_map(Expected::versions)
            .filter(|(_, share)| *share > 0.0);
        let (new, others): (BTreeSet<String>, BTreeSet<String>) = used
            .map(|(version, _)| version.to_owned())
            .partition(|version| new.contains(version));
        let mut edge = hop[0].edge.clone();
        if hop.len() > 1 {
            edge.variant = None;
        }
        possible.then(|| Comparison {
            path,
            edge,
            new,
            others,
            ways,
            alpha: 1.0,
            slower_than: None,
            evidence: ErrorEvidence::default(),
            log_e: 0.0,
            of_new: Counts::default(),
            of_others: Counts::default(),
        })
    }

    /// The probability of a false alarm of this comparison.
    pub(super) fn set_alpha(&mut self, alpha: f64) {
        self.alpha = alpha;
    }

    /// From now on an answer that takes longer is a failure.
    pub(super) fn set_slower_than(&mut self, limit: Option<Duration>) {
        self.slower_than = limit;
    }

    /// Takes in an outcome of a request that was drawn from these requests of the mix.
    ///
    /// A failure whose version is not known is the new versions' where no other may get the request. Elsewhere it counts as
    /// one of the others, the choice that is never in favour of an alarm.
    pub(super) fn take(&mut self, outcome: &Outcome, drawn_from: &[usize]) {
        let Some(way) = self.ways.iter().find(|way| way.claim.variant == outcome.variant) else {
            return;
        };
        let of_new = match seen(&way.claim, outcome) {
            Seen::Nothing => return,
            Seen::Unattributed => way.new > 1.0 - ROUNDING,
            Seen::Hop(hop) => {
                let expected = way.claim.expected.as_ref();
                expected.is_some_and(|expected| self.new.contains(&expected.label(hop)))
            }
        };
        let slow = self.slower_than.is_some_and(|limit| outcome.latency > limit);
        let error = slow || is_error(outcome);
        let counts = if of_new {
            &mut self.of_new
        } else {
            &mut self.of_others
        };
        counts.add(1, u64::from(error));
        if error {
            self.evidence.add(u64::from(of_new), 1, self.share(drawn_from));
            self.log_e = self.log_e.max(self.evidence.log_e());
        }
    }

    /// Takes in what somebody else counted on this edge.
    pub(super) fn take_counts(&mut self, edge: &EdgeReport) {
        let (mut requests, mut errors) = (0, 0);
        for version in edge
            .versions
            .iter()
            .filter(|version| self.new.contains(&version.version))
        {
            requests += version.count;
            errors += version.errors;
        }
        self.of_new.add(requests, errors);
        self.of_others.add(edge.n - requests, edge.errors - errors);
        let share = self.ways[0].new;
        self.evidence.add(errors, edge.errors, share);
        self.log_e = self.log_e.max(self.evidence.log_e());
    }

    /// Probability that a request gets a new version, if it is drawn from these and comes this way.
    fn share(&self, drawn_from: &[usize]) -> f64 {
        let ways = self
            .ways
            .iter()
            .filter(|way| drawn_from.contains(&way.claim.variant));
        let (mut all, mut new) = (0.0, 0.0);
        for way in ways {
            all += way.traffic;
            new += way.traffic * way.new;
        }
        new / all
    }

    pub(super) fn edge(&self) -> &Edge {
        &self.edge
    }

    /// Whether the new versions fail more often: wrong with probability `alpha` at most.
    pub(super) fn alarm(&self) -> bool {
        self.log_e >= -self.alpha.ln()
    }

    pub(super) fn report(&self) -> ErrorReport {
        ErrorReport {
            path: self.path,
            edge: self.edge.clone(),
            new: self.new.iter().cloned().collect(),
            others: self.others.iter().cloned().collect(),
            new_requests: self.of_new.requests,
            new_errors: self.of_new.errors,
            other_requests: self.of_others.requests,
            other_errors: self.of_others.errors,
            slower_than_ms: self.slower_than.map(|limit| limit.as_secs_f64() * 1_000.0),
            log_e: self.log_e,
            alpha: self.alpha,
            alarm: self.alarm(),
        }
    }
}

/// The versions of a hop that are new: see the module's head.
fn newcomers(hop: &[&Claim], before: Option<&[Claim]>) -> BTreeSet<String> {
    let mut new = BTreeSet::new();
    for claim in hop {
        let same = |other: &&Claim| other.variant == claim.variant && other.given == claim.given;
        let old = before.and_then(|claims| claims.iter().find(same)?.expected.as_ref());
        let is_new = |version: &str, share: f64| match old {
            Some(old) => share > old.share_of(version) + ROUNDING,
            None => claim.variant == 0 && share < 0.5 - ROUNDING,
        };
        let versions = claim.expected.iter().flat_map(Expected::versions);
        new.extend(
            versions
                .filter(|(version, share)| is_new(version, *share))
                .map(|(version, _)| version.to_owned()),
        );
    }
    new
}

/// The part of its requests that reach an edge.
fn traffic(claim: &Claim, all: &[Claim]) -> f64 {
    let Some(given) = &claim.given else { return 1.0 };
    let first = |other: &&Claim| other.variant == claim.variant && other.given.is_none();
    let first = all.iter().find(first).and_then(|first| first.expected.as_ref());
    first.map_or(0.0, |expected| expected.share_of(given))
}
