//! From outcomes to a decision.

use load_client::judge::{Conclusion, Judge};
use load_client::outcome::{Failure, Outcome};
use load_client::stats::Verdict;
use load_client::stats::plan::Chance;

use crate::lab::{Hat, STAGES, answered, declared, failed, feed, hop, lenient, spread, stage, stated, terms};

/// Judges what one stage declares while the mesh does what another one says.
fn judged(declared_by: &str, done_by: &str, seed: u64) -> (Judge, load_client::judge::Decision) {
    let mut judge = Judge::new(declared(&stage(declared_by)), &terms()).unwrap();
    let mut hat = Hat::new(&declared(&stage(done_by)), seed);
    let decision = feed(&mut judge, |variant| hat.draw(variant));
    (judge, decision)
}

fn v1(status: u16) -> Outcome {
    answered(0, status, &[hop("shop", "v1")])
}

/// The budget leaves each stage undecided with a probability of at most 0.02, and alpha is 0.001.
#[test]
fn a_mesh_that_does_what_is_declared_is_confirmed_at_every_stage_within_the_budget() {
    for name in STAGES {
        let (judge, decision) = judged(name, name, 7);
        assert_eq!(decision.conclusion, Conclusion::Confirmed, "{name}: {decision:?}");
        assert!(decision.requests <= judge.budget());
        assert_eq!(decision.requests, judge.tally().requests());
        assert_eq!(decision.conclusion.exit_code(), 0);
    }
}

/// Every pair of stages differs by so much that a mistake has a probability below 0.001 each.
#[test]
fn a_mesh_at_another_stage_is_found_out() {
    for declared_by in STAGES {
        for done_by in STAGES.into_iter().filter(|name| *name != declared_by) {
            // What a header does is not declared by a stage without a rule for it.
            if (declared_by, done_by) == ("10-stable", "20-header-canary") {
                continue;
            }
            let (_, decision) = judged(declared_by, done_by, 11);
            assert_eq!(
                decision.conclusion.exit_code(),
                1,
                "{done_by} passed for {declared_by}: {decision:?}"
            );
        }
    }
}

#[test]
fn a_header_canary_that_the_mesh_ignores_is_found_although_plain_requests_are_right() {
    let (judge, decision) = judged("20-header-canary", "10-stable", 3);
    assert_eq!(decision.conclusion, Conclusion::Leak);
    let wrong = judge
        .edges()
        .iter()
        .find(|edge| edge.verdict() == Some(Verdict::Leak))
        .unwrap();
    assert_eq!(
        wrong.edge().to_string(),
        "client -> payment-service [x-canary: true]"
    );
}

/// The exact 99 % point is 558; a hundred runs are all below 1,000 except with a probability below 0.001.
#[test]
fn eighty_twenty_told_as_ninety_ten_is_a_violation_after_a_few_hundred_requests() {
    for seed in 0..100 {
        let mut judge = stated("v1=90,v2=10");
        let mut draws = crate::kit::Draws::new(0.2, seed);
        let decision = feed(&mut judge, |_| {
            answered(0, 200, &[hop("shop", ["v1", "v2"][draws.draw()])])
        });
        assert_eq!(decision.conclusion, Conclusion::Violation);
        assert!((10..1_000).contains(&decision.requests), "{decision:?}");
        assert_eq!(decision.conclusion.exit_code(), 1);
    }
}

#[test]
fn who_tolerates_a_deviation_gets_a_violation_only_beyond_the_tolerance() {
    assert_eq!(
        feed(&mut lenient(), spread(115)).conclusion,
        Conclusion::Confirmed
    );
    let decision = feed(&mut lenient(), spread(130));
    assert_eq!(decision.conclusion, Conclusion::Violation);
    assert!(
        decision.requests > 558,
        "a point beyond the tolerance takes long to see: {decision:?}"
    );
}

#[test]
fn one_answer_of_a_version_that_gets_nothing_decides_at_once() {
    for (split, stray, label) in [
        ("v1=1,v2=0", hop("shop", "v2"), "v2"),
        ("v1=1,v2=0", hop("shop", "v3"), "v3"),
    ] {
        let mut judge = stated(split);
        for _ in 0..30 {
            assert_eq!(judge.take(&v1(200)), None);
        }
        let decision = judge.take(&answered(0, 200, &[stray])).unwrap();
        assert_eq!((decision.conclusion, decision.requests), (Conclusion::Leak, 31));
        let edge = &judge.edges()[0];
        let index = edge
            .versions()
            .iter()
            .position(|version| version == label)
            .unwrap();
        assert_eq!(edge.stream().unwrap().counts()[index], 1);
    }
}

#[test]
fn an_answer_of_another_service_is_a_leak_although_the_version_is_right() {
    let mut judge = Judge::new(declared(&stage("10-stable")), &terms()).unwrap();
    let decision = judge
        .take(&answered(0, 200, &[hop("auth-service", "v1")]))
        .unwrap();
    assert_eq!(decision.conclusion, Conclusion::Leak);
}

#[test]
fn a_decision_stands_and_what_comes_later_is_not_counted() {
    let mut judge = stated("v1=1");
    let decision = feed(&mut judge, |_| v1(200));
    assert_eq!(decision.conclusion, Conclusion::Confirmed);
    assert_eq!(judge.take(&failed(Failure::Closed)), Some(&decision));
    assert_eq!(
        (judge.tally().requests(), judge.tally().errors()),
        (decision.requests, 0)
    );
    assert_eq!(judge.stop(), &decision);
}

#[test]
fn when_nobody_answers_the_reason_is_given_after_a_few_requests() {
    for (failure, wanted) in [
        (Failure::Connect, "nobody listens there"),
        (Failure::Closed, "closed before an answer"),
        (Failure::Timeout, "raise --timeout"),
        (Failure::Protocol, "does not speak HTTP/1.1"),
    ] {
        let decision = feed(&mut stated("v1=90,v2=10"), |_| failed(failure));
        assert_eq!(
            (decision.conclusion, decision.requests),
            (Conclusion::CouldNotMeasure, 20)
        );
        assert_eq!(decision.conclusion.exit_code(), 2);
        let reason = decision.reason.unwrap();
        assert!(reason.contains(wanted), "{reason}");
    }
}

#[test]
fn answers_without_a_version_lead_to_the_flag_that_says_where_it_is() {
    let decision = feed(&mut stated("v1=90,v2=10"), |_| answered(0, 404, &[]));
    assert_eq!(
        (decision.conclusion, decision.requests),
        (Conclusion::CouldNotMeasure, 20)
    );
    let reason = decision.reason.unwrap();
    for wanted in ["header:x-served-by", "404 (20)", "--version-from", "--url"] {
        assert!(reason.contains(wanted), "{reason}");
    }
}

#[test]
fn a_second_hop_that_no_answer_names_cannot_be_judged() {
    let mut judge = Judge::new(declared(&stage("10-stable")), &terms()).unwrap();
    let decision = feed(&mut judge, |_| answered(0, 200, &[hop("payment-service", "v1")]));
    assert_eq!(
        (decision.conclusion, decision.requests),
        (Conclusion::CouldNotMeasure, 20)
    );
    let reason = decision.reason.unwrap();
    assert!(reason.contains("payment-service v1 -> auth-service"), "{reason}");
}

#[test]
fn too_many_failures_are_no_confirmation() {
    let mut judge = stated("v1=1");
    let mut n = 0;
    let decision = feed(&mut judge, |_| {
        n += 1;
        if n % 20 == 0 {
            failed(Failure::Timeout)
        } else {
            v1(200)
        }
    });
    assert_eq!(decision.conclusion, Conclusion::CouldNotMeasure);
    assert_eq!(decision.requests, judge.budget());
    let reason = decision.reason.unwrap();
    assert!(reason.contains("more than half of the tolerance"), "{reason}");
}

#[test]
fn a_lost_answer_counts_against_both_hops_unless_the_request_never_left() {
    let mut judge = Judge::new(declared(&stage("10-stable")), &terms()).unwrap();
    judge.take(&failed(Failure::Timeout));
    judge.take(&failed(Failure::Connect));
    let unattributed = |index: usize| judge.edges()[index].stream().unwrap().unattributed();
    assert_eq!((unattributed(0), unattributed(1)), (2, 1));
    assert_eq!(judge.tally().errors(), 2);
}

#[test]
fn an_error_that_names_its_version_is_an_answer_of_that_version() {
    let mut judge = stated("v1=90,v2=10");
    judge.take(&v1(503));
    let edge = &judge.edges()[0];
    assert_eq!((edge.stream().unwrap().counts(), edge.errors()), (&[1, 0][..], 1));
}

#[test]
fn at_the_budget_it_is_undecided_and_says_how_many_more_it_needs() {
    let mut limited = terms();
    limited.budget = Some(500);
    let mut judge = Judge::new(declared(&stage("40-canary-50")), &limited).unwrap();
    let mut hat = Hat::new(&declared(&stage("40-canary-50")), 5);
    let decision = feed(&mut judge, |variant| hat.draw(variant));
    assert_eq!(
        (decision.conclusion, decision.requests),
        (Conclusion::Undecided, 500)
    );
    let reason = decision.reason.unwrap();
    assert!(
        reason.contains("client -> payment-service needs about"),
        "{reason}"
    );
}

#[test]
fn a_judgement_that_is_stopped_early_is_undecided() {
    let mut judge = stated("v1=90,v2=10");
    assert_eq!(
        judge.stop().conclusion,
        Conclusion::CouldNotMeasure,
        "nothing was sent"
    );
    let mut judge = stated("v1=90,v2=10");
    judge.take(&v1(200));
    assert_eq!(judge.stop().conclusion, Conclusion::Undecided);
}

#[test]
fn requests_go_to_the_variants_that_still_need_them() {
    let claims = declared(&stage("20-header-canary"));
    let mut judge = Judge::new(claims.clone(), &terms()).unwrap();
    let mut hat = Hat::new(&claims, 1);
    let mut sent = [0u64; 2];
    let decision = feed(&mut judge, |variant| {
        sent[variant] += 1;
        hat.draw(variant)
    });
    assert_eq!(decision.conclusion, Conclusion::Confirmed);
    assert_eq!(sent[0].abs_diff(sent[1]), 0, "both need the same: {sent:?}");
}

#[test]
fn alpha_is_shared_by_the_edges_that_are_used() {
    let alpha = |name| {
        let judge = Judge::new(declared(&stage(name)), &terms()).unwrap();
        judge.edges()[0].gate().unwrap().alpha()
    };
    assert!((alpha("30-canary-10") - 0.001 / 3.0).abs() < 1e-12);
    assert!((alpha("10-stable") - 0.001 / 2.0).abs() < 1e-12);
    assert!((alpha("20-header-canary") - 0.001 / 4.0).abs() < 1e-12);
}

#[test]
fn the_budget_pays_for_the_edge_that_a_tenth_of_the_traffic_reaches() {
    let judge = Judge::new(declared(&stage("30-canary-10")), &terms()).unwrap();
    let first = load_client::stats::plan::to_confirm(
        judge.edges()[0].expected().unwrap().split(),
        judge.edges()[0].gate().unwrap(),
        Chance::High,
    );
    assert!(
        judge.budget() > first.unwrap(),
        "the second hop of v2 takes longer"
    );
    assert!(judge.budget() < 40_000, "{}", judge.budget());
    assert!(judge.plan(Chance::NearlyCertain) > judge.budget());
}

#[test]
fn terms_that_lead_nowhere_are_refused() {
    let mut wrong = terms();
    wrong.alpha = 0.0;
    let message = Judge::new(Vec::new(), &wrong).unwrap_err().to_string();
    assert!(message.contains("alpha 0 is not between 0 and 1"), "{message}");
    let mut wrong = terms();
    wrong.tolerance = 2.0;
    let message = Judge::new(Vec::new(), &wrong).unwrap_err().to_string();
    assert!(
        message.contains("200 percentage points") && message.contains("2pp"),
        "{message}"
    );
}
