//! What the live page knows, folded from drawn answers.

use std::time::Duration;

use load_client::dashboard::{Board, EdgeNow, Event, Judged, StageState};
use load_client::expect::Path;
use load_client::judge::{Conclusion, Decision, Judge};
use load_client::outcome::Failure;
use load_client::report::Report;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::lab::{Hat, answered, declared, failed, hop, stage, terms};

const STAGE: &str = "30-canary-10";

fn begun(stages: &[&str]) -> Board {
    let mut board = Board::new("rollout", "http://shop/");
    board.take(Event::Begun {
        path: Path::Gateway,
        stages: stages.iter().map(|name| (*name).to_owned()).collect(),
    });
    board
}

fn applying(stage: &str, rollback: bool) -> Event {
    Event::Applying {
        stage: stage.to_owned(),
        rollback,
    }
}

fn judged(verdict: Conclusion) -> Event {
    Event::Judged(Judged {
        verdict,
        text: format!("{verdict} after 12 requests: so it is"),
        requests: 12,
        edges: Vec::new(),
        causes: Vec::new(),
    })
}

fn states(board: &Board) -> Vec<(&str, bool, StageState)> {
    let rows = board.stages.iter();
    rows.map(|row| (row.name.as_str(), row.rollback, row.state))
        .collect()
}

/// Judges answers from a hat until there is a decision, with a look after each tenth. The decision, how many answers it
/// took, and how many of them were of v2.
fn watched(board: &mut Board, judge: &mut Judge, hat: &mut Hat) -> (Decision, u64, u64) {
    let mut random = SmallRng::seed_from_u64(12);
    let (mut sent, mut v2) = (0_u64, 0_u64);
    loop {
        let wanted = judge.wanted();
        let outcome = hat.draw(wanted[usize::try_from(sent).unwrap() % wanted.len()]);
        sent += 1;
        let served_by = outcome.result.as_ref().unwrap().served_by.as_ref().unwrap();
        v2 += u64::from(served_by[0].version == "v2");
        board.answer(&outcome, &mut random);
        let decided = judge.take(&outcome).cloned();
        if sent.is_multiple_of(10) {
            board.tick(Duration::from_millis(sent));
            board.take(Event::Seen(EdgeNow::all(Path::Gateway, judge)));
        }
        if let Some(decision) = decided {
            return (decision, sent, v2);
        }
    }
}

/// A stage of the project, drawn from a hat, with a look after each tenth request. The verdict is wrong with probability
/// 0.001; the seed is one of the others.
#[test]
fn a_judgement_converges_on_the_board() {
    let claims = declared(&stage(STAGE));
    let mut judge = Judge::new(claims.clone(), &terms()).unwrap();
    let mut board = begun(&["10-stable", STAGE]);
    board.take(applying("10-stable", false));
    board.take(judged(Conclusion::Confirmed));
    board.take(applying(STAGE, false));
    board.take(Event::Judging {
        in_force_after: Some(Duration::from_millis(9)),
    });
    assert_eq!(board.now, "30-canary-10: in force after 9 ms, being judged");
    let (decision, sent, v2) = watched(&mut board, &mut judge, &mut Hat::new(&claims, 11));
    let report = Report::new(Path::Gateway, &judge, &decision);
    board.take(Event::Judged(Judged::from(&report)));

    assert_eq!(board.answers.total, sent);
    assert!(
        board.answers.versions.contains(&("v2".to_owned(), v2)),
        "{:?}",
        board.answers
    );
    assert!(
        (board.rate - 1_000.0).abs() < 1.0,
        "a request in each millisecond: {}",
        board.rate
    );
    assert_eq!(
        states(&board)[1],
        (STAGE, false, StageState::Judged(Conclusion::Confirmed))
    );
    assert_eq!(board.edges_of.as_deref(), Some(STAGE));
    assert_eq!(
        board.edges.len(),
        3,
        "the first hop, and the second of either version"
    );
    for row in &board.edges {
        let (first, last) = (row.curve.points[0], *row.curve.points.last().unwrap());
        let width = |point: load_client::dashboard::Point| point.interval.high - point.interval.low;
        assert!(width(last) < width(first) / 2.0, "{first:?} {last:?}");
        assert!(last.interval.low <= last.observed && last.observed <= last.interval.high);
        assert!(
            last.interval.within(0.1, row.now.tolerance),
            "it was confirmed: {last:?}"
        );
        assert_eq!(last.n, row.now.n);
    }
    let latest = board.latest.as_ref().unwrap();
    assert!(
        latest.text.starts_with("after "),
        "without the verdict: {}",
        latest.text
    );
    let json = serde_json::to_value(&board).unwrap();
    assert_eq!(json["stages"][1]["state"]["judged"], "CONFIRMED");
    assert_eq!(json["edges"][0]["from"], "client");
}

#[test]
fn failures_are_counted_by_what_they_are() {
    let mut board = begun(&[]);
    let mut random = SmallRng::seed_from_u64(1);
    let outcomes = [
        answered(0, 200, &[hop("shop", "v1")]),
        answered(0, 503, &[hop("shop", "v2")]),
        answered(0, 404, &[]),
        failed(Failure::Timeout),
        failed(Failure::Timeout),
    ];
    for outcome in &outcomes {
        board.answer(outcome, &mut random);
    }
    assert_eq!((board.answers.total, board.answers.failed), (5, 3));
    let errors: Vec<(&str, u64)> = board
        .answers
        .errors
        .iter()
        .map(|(what, n)| (what.as_str(), *n))
        .collect();
    assert_eq!(errors, [("503", 1), ("timeout", 2)]);
    let versions = [("v1".to_owned(), 1), ("v2".to_owned(), 1)];
    assert_eq!(board.answers.versions, versions);
}

#[test]
fn a_rollback_stands_after_the_stage_that_it_undoes() {
    use Conclusion::{Confirmed, Violation};
    let mut board = begun(&["a", "b", "c", "a"]);
    for (stage, rollback, verdict) in [
        ("a", false, Confirmed),
        ("b", false, Violation),
        ("a", true, Confirmed),
    ] {
        board.take(applying(stage, rollback));
        board.take(judged(verdict));
    }
    board.take(Event::Ended {
        verdict: Some(Violation),
        text: "VIOLATION: 2 of 3 stages confirmed".to_owned(),
    });
    assert_eq!(
        states(&board),
        [
            ("a", false, StageState::Judged(Confirmed)),
            ("b", false, StageState::Judged(Violation)),
            ("a", true, StageState::Judged(Confirmed)),
            ("c", false, StageState::NotWalked),
            ("a", false, StageState::NotWalked),
        ]
    );
    assert_eq!(board.latest.unwrap().text, "2 of 3 stages confirmed");
}

#[test]
fn the_rate_is_that_of_the_last_second() {
    let mut board = begun(&[]);
    let mut random = SmallRng::seed_from_u64(1);
    let answer = answered(0, 200, &[hop("shop", "v1")]);
    for tenth in 1..=50 {
        // 100 a second for four seconds, then 50.
        for _ in 0..if tenth <= 40 { 10 } else { 5 } {
            board.answer(&answer, &mut random);
        }
        board.tick(Duration::from_millis(tenth * 100));
        if tenth == 40 {
            assert!((board.rate - 100.0).abs() < 1e-9, "{}", board.rate);
        }
    }
    assert!((board.rate - 50.0).abs() < 1e-9, "{}", board.rate);
}
