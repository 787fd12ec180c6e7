use super::*;

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn differs() -> Verdict {
    Verdict::Differs(vec![Difference::new("status", 200, 503).at(1)])
}

fn report(verdicts: &[(&str, Verdict)], pending: &[&str], by_nature: &[&str]) -> Report {
    let verdicts: BTreeMap<String, Verdict> = verdicts
        .iter()
        .map(|(id, v)| ((*id).to_owned(), v.clone()))
        .collect();
    let asked = verdicts.keys().cloned().collect();
    Report::new(
        &asked,
        verdicts,
        &Known {
            pending: set(pending),
            by_nature: set(by_nature),
        },
    )
}

#[test]
fn what_fails_and_is_listed_is_settled_but_does_not_agree() {
    let report = report(&[("a/b", differs()), ("a/c", Verdict::Agrees)], &["a/b"], &[]);
    assert!(report.settled());
    assert!(!report.agrees());
}

#[test]
fn what_passes_and_is_listed_must_go_from_the_list() {
    for (pending, by_nature, file) in [
        (&["a/b"][..], &[][..], "pending.txt"),
        (&[][..], &["a/b"][..], "DIFFERENCES.md"),
    ] {
        let report = report(&[("a/b", Verdict::Agrees)], pending, by_nature);
        assert!(!report.settled());
        assert!(report.agrees());
        let mut text = Vec::new();
        report.write(&mut text, false).unwrap();
        assert!(
            String::from_utf8(text)
                .unwrap()
                .contains(&format!("remove it from {file}"))
        );
    }
}

#[test]
fn what_differs_by_nature_is_settled_and_agrees() {
    let report = report(&[("a/b", differs())], &[], &["a/b"]);
    assert!(report.settled() && report.agrees());
}

#[test]
fn a_case_without_verdict_fails() {
    let report = Report::new(&set(&["a/b"]), BTreeMap::new(), &Known::default());
    assert!(!report.settled());
}

#[test]
fn cases_that_did_not_run_stay_pending() {
    let report = report(
        &[("a/b", differs()), ("a/c", Verdict::Agrees)],
        &["a/c", "x/y"],
        &[],
    );
    assert_eq!(report.pending(&set(&["a/c", "x/y"])), set(&["a/b", "x/y"]));
}

#[test]
fn failures_and_topics_are_lines() {
    let verdicts = [
        ("a/b", differs()),
        ("a/c", Verdict::Agrees),
        ("b/d", Verdict::Skipped("no right".into())),
    ];
    let mut text = Vec::new();
    report(&verdicts, &[], &[]).write(&mut text, false).unwrap();
    let expected = "\
a/b: step 1: status: expected 200, got 503
b/d: skipped: no right
topic                passed failed pending by nature skipped
a                         1      1       0         0       0
b                         0      0       0         0       1
all                       1      1       0         0       1
";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}
