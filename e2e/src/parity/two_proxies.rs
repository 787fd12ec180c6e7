//! What the receiver's sidecar changes: on a cluster two proxies are in the path, in the recording there was the caller's
//! only. Each thing is listed with its reason, taken out of the comparison, and noted when it was seen.

use std::collections::BTreeSet;

use conformance::case::{Asked, Observed, Seen};
use serde::Serialize;

/// A header of requests at workloads, and why the receiver's sidecar makes the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Lower case.
    pub header: &'static str,
    /// What becomes of it, and why.
    pub reason: &'static str,
}

/// It adds these.
const ADDED: [Change; 1] = [Change {
    header: "x-forwarded-client-cert",
    reason: "added: the identity that the caller proved by mutual TLS",
}];

/// It takes these away.
const TAKEN: [Change; 1] = [Change {
    header: "x-envoy-expected-rq-timeout-ms",
    reason: "taken away: the caller's proxy says how long it waits, the receiver's route has no timeout and says nothing",
}];

/// Seconds by which an answer over two proxies and a relay may come later than in the recording.
const LATER: f64 = 0.5;

/// All that is listed.
pub fn listed() -> impl Iterator<Item = Change> {
    ADDED.into_iter().chain(TAKEN)
}

/// Takes out of both sides what is listed, and notes what of it was seen.
pub(super) fn without(asked: &Asked, got: Observed, noted: &mut BTreeSet<Change>) -> (Asked, Observed) {
    let (mut asked, mut got) = (asked.clone(), got);
    if let (Observed::One(recorded), Observed::One(got)) = (&mut asked.observed, &mut got) {
        for seen in got.upstream.iter_mut().chain(&mut got.mirrored) {
            take(seen, &ADDED, noted);
        }
        // Only where it is not there now: if it should come through one day, that is a difference.
        let there = got.upstream.iter().any(|seen| {
            TAKEN
                .iter()
                .any(|change| seen.headers.contains_key(change.header))
        });
        if !there {
            for seen in recorded.upstream.iter_mut().chain(&mut recorded.mirrored) {
                take(seen, &TAKEN, noted);
            }
        }
        if let (Some(recorded), Some(got)) = (recorded.seconds, &mut got.seconds)
            && (recorded..recorded + LATER).contains(got)
        {
            *got = recorded;
        }
    }
    (asked, got)
}

fn take(seen: &mut Seen, changes: &[Change], noted: &mut BTreeSet<Change>) {
    for change in changes {
        if seen.headers.remove(change.header).is_some() {
            noted.insert(*change);
        }
    }
}

#[cfg(test)]
mod tests {
    use conformance::case::{Case, One, Step};
    use conformance::known;

    use super::*;

    const CASE: &str = "
case: a
title: b
steps:
- send: {url: 'http://a/'}
  observed:
    status: 200
    flags: '-'
    seconds: 0.3
    upstream: [{workload: w, method: GET, path: /, headers: {x-envoy-expected-rq-timeout-ms: '300', x-mine: a}}]
";

    fn asked() -> Asked {
        let case = Case::parse(CASE).unwrap();
        let [
            Step {
                action: conformance::case::Action::Send(asked),
            },
        ] = case.steps.as_slice()
        else {
            panic!("one step sends")
        };
        (**asked).clone()
    }

    fn one(observed: &Observed) -> &One {
        let Observed::One(one) = observed else {
            panic!("one request")
        };
        one
    }

    /// What a cluster showed: another header, none of the timeout, and later.
    fn got(headers: &[(&str, &str)], seconds: f64) -> Observed {
        let mut got = one(&asked().observed).clone();
        got.seconds = Some(seconds);
        let lines = |value: &str| conformance::case::Lines(vec![value.to_owned()]);
        got.upstream[0].headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), lines(value)))
            .collect();
        Observed::One(got)
    }

    #[test]
    fn what_is_listed_is_taken_out_of_both_sides_and_noted() {
        let mut noted = BTreeSet::new();
        let seen = got(
            &[("x-mine", "a"), ("x-forwarded-client-cert", "By=spiffe://")],
            0.7,
        );
        let (asked, seen) = without(&asked(), seen, &mut noted);
        assert_eq!(one(&asked.observed).upstream, one(&seen).upstream);
        assert_eq!(one(&seen).seconds, Some(0.3));
        assert_eq!(noted, listed().collect());
    }

    #[test]
    fn what_is_not_listed_stays_a_difference() {
        let mut noted = BTreeSet::new();
        let seen = got(&[("x-mine", "b"), ("x-envoy-expected-rq-timeout-ms", "200")], 1.2);
        let (asked, seen) = without(&asked(), seen, &mut noted);
        assert_ne!(one(&asked.observed).upstream, one(&seen).upstream);
        assert_eq!(one(&seen).seconds, Some(1.2));
        let left = &one(&asked.observed).upstream[0].headers;
        assert!(
            left.contains_key("x-envoy-expected-rq-timeout-ms"),
            "it came through, with another value"
        );
        assert!(noted.is_empty());
    }

    #[test]
    fn the_page_says_what_the_code_does() {
        let page = std::fs::read_to_string(known::folder().join(known::TWO_PROXIES)).unwrap();
        for Change { header, reason } in listed() {
            assert!(page.contains(&format!("| {header} | {reason} |")), "{header}");
        }
    }
}
