//! The forms of a report for people and programs elsewhere: HTML, Markdown, JUnit.

use load_client::judge::Conclusion;
use load_client::report::{Made, Outcome, RolloutReport, SavedReport, StageReport};
use roxmltree::{Document, Node};

use crate::reporting::{leaked, undecided, violated, walked};

/// A rollout with one stage of each ending, and text that tries to be markup wherever text can be.
fn mixed() -> SavedReport {
    let bad = |name: &str, path, verdict| StageReport {
        stage: name.to_owned(),
        verdict,
        paths: vec![path],
        change_errors: 3,
        ..walked("30-canary-10")
    };
    let mut hostile = bad(HOSTILE, violated(), Conclusion::Violation);
    hostile.reason = Some(format!("the apply command said:\n{HOSTILE}\u{7}"));
    hostile.paths[0].edges[0].versions[0].version = HOSTILE.to_owned();
    let stages = vec![
        walked("10-stable"),
        hostile,
        bad("40-leak", leaked(), Conclusion::Leak),
        bad("50-open", undecided(), Conclusion::Undecided),
    ];
    let report = RolloutReport::new(stages, Outcome::RolledBack, Some(HOSTILE.to_owned()));
    let words = ["load-client", "rollout", "--apply", HOSTILE].map(str::to_owned);
    SavedReport::from(report).made(Made::new(&words, "2026-01-02T03:04:05Z".to_owned(), 1.5))
}

const HOSTILE: &str = "\"><script src=http://evil>alert('1')</script> ]]> `x` | @all";

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    for report in [mixed(), violated().into(), leaked().into(), undecided().into()] {
        let page = report.html();
        for forbidden in [
            "<script",
            "<link",
            "<img",
            "<iframe",
            "@import",
            "url(",
            "javascript:",
            " on",
        ] {
            let found = page
                .match_indices(forbidden)
                .map(|(at, _)| &page[at..(at + 60).min(page.len())]);
            // ` on` begins words of the text as well; an event handler has a value.
            let found: Vec<&str> = found
                .filter(|text| forbidden != " on" || text[..12].contains("=\""))
                .collect();
            assert!(found.is_empty(), "{found:?}");
        }
        for attribute in [" src=", " href=\""] {
            for (at, _) in page.match_indices(attribute) {
                let value = &page[at + attribute.len()..];
                // Escaped text of the hostile stage may say `src=`.
                assert!(
                    value.starts_with('#') || value.starts_with("http://evil&gt;"),
                    "{}",
                    &value[..40]
                );
            }
        }
    }
}

#[test]
fn every_picture_says_in_words_what_it_shows() {
    let page = mixed().html();
    let pictures: Vec<&str> = page
        .split("<svg")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
        .collect();
    assert!(pictures.len() > 20, "{}", pictures.len());
    for picture in &pictures {
        assert!(picture.contains("role=\"img\""), "{picture}");
        let label = picture
            .split("aria-label=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        assert!(
            label.len() > 20 && label.contains(|c: char| c.is_ascii_digit()),
            "{picture}"
        );
    }
    let of = |text: &str| pictures.iter().any(|picture| picture.contains(text));
    assert!(
        of("v2: 21.6 % observed, interval 10.1–37.2 %, 10 % declared"),
        "{pictures:#?}"
    );
    assert!(
        of("Evidence against the declared split over 199 requests: enough after 199 "),
        "{pictures:#?}"
    );
}

#[test]
fn the_page_has_the_facts_as_text() {
    let page = mixed().html();
    for wanted in [
        "Rolled back: a stage was not confirmed",
        "10-stable",
        "VIOLATION",
        "LEAK",
        "UNDECIDED",
        "v3 answered 1 of 50, and is declared to get nothing",
        "3 of 1,234 requests failed while the stage was put into force",
        "in force 212 ms after the end of the apply command",
        "not used: no traffic is declared for it",
        "at most 1 in 500 times",
        "load-client rollout \\\n    --apply ",
        "--only 40-leak",
        "2026-01-02 03:04:05 UTC",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    assert!(page.len() < 300_000, "{} bytes", page.len());
}

/// What Jenkins' schema allows, as far as it is used here.
fn children(node: Node) -> &'static [&'static str] {
    match node.tag_name().name() {
        "testsuites" => &["testsuite"],
        "testsuite" => &["properties", "testcase", "system-out"],
        "properties" => &["property"],
        "testcase" => &["skipped", "failure", "error"],
        "property" | "skipped" | "failure" | "error" | "system-out" => &[],
        other => panic!("{other}"),
    }
}

fn elements<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

#[test]
fn junit_has_a_suite_for_each_stage_and_a_case_for_each_edge() {
    let text = mixed().junit();
    let document = Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    for node in document.descendants().filter(Node::is_element) {
        let known = children(node);
        let inner = node.children().filter(Node::is_element);
        assert!(
            inner
                .clone()
                .all(|child| known.contains(&child.tag_name().name())),
            "{node:?}"
        );
        assert!(
            node.has_tag_name("testcase") || inner.count() > 0 || known.is_empty(),
            "{node:?}"
        );
    }
    let suites: Vec<Node> = elements(document.root_element(), "testsuite").collect();
    let found: Vec<_> = suites
        .iter()
        .map(|suite| {
            let ended = |name| {
                elements(*suite, "testcase")
                    .filter(|case| elements(*case, name).count() == 1)
                    .count()
            };
            let counted = |name| suite.attribute(name).unwrap().parse::<usize>().unwrap();
            let cases = elements(*suite, "testcase").count();
            let each = [cases, ended("failure"), ended("error"), ended("skipped")];
            assert_eq!(each, ["tests", "failures", "errors", "skipped"].map(counted));
            (suite.attribute("name").unwrap(), each)
        })
        .collect();
    // Of a stage that is confirmed the unused edges are skipped; others have one edge.
    let expected = [
        ("10-stable", [6, 0, 0, 2]),
        (HOSTILE, [1, 1, 0, 0]),
        ("40-leak", [1, 1, 0, 0]),
        ("50-open", [1, 0, 1, 0]),
    ];
    assert_eq!(found, expected);
    assert_eq!(document.root_element().attribute("tests"), Some("9"));
}

#[test]
fn a_stage_that_failed_without_an_edge_that_did_is_a_case_of_its_own() {
    let stage = StageReport {
        verdict: Conclusion::CouldNotMeasure,
        reason: Some("`kubectl apply` failed".to_owned()),
        paths: Vec::new(),
        ..walked("20-header-canary")
    };
    let text = SavedReport::from(RolloutReport::new(vec![stage], Outcome::Stopped, None)).junit();
    let document = Document::parse(&text).unwrap();
    let error = document
        .descendants()
        .find(|node| node.has_tag_name("error"))
        .unwrap();
    assert_eq!(error.attribute("type"), Some("COULD NOT MEASURE"));
    assert!(
        error
            .attribute("message")
            .unwrap()
            .contains("`kubectl apply` failed")
    );
}

#[test]
fn markdown_keeps_its_tables_and_nothing_in_it_is_markup_that_was_not_meant() {
    let text = mixed().markdown();
    println!("{text}");
    let mut widths = std::collections::BTreeMap::new();
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        *widths.entry(cells(line)).or_insert(0) += 1;
    }
    // Two tables: stages with two paths, edges.
    assert_eq!(widths.keys().copied().collect::<Vec<_>>(), [8, 10], "{widths:?}");
    assert!(text.starts_with("### ❌ VIOLATION: Rolled back: a stage was not confirmed\n"));
    let outside: String = text.split("```").step_by(2).collect();
    assert!(
        !outside.contains("<script") && !outside.contains("@all"),
        "{outside}"
    );
    for wanted in [
        "1 of 4 stages confirmed",
        "21.6 %",
        "<details>",
        "--apply",
        "v2 gets 21.6 %",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
}
