//! A report as JUnit's XML, in the shape that Jenkins, GitLab and GitHub's reporters read: a suite for each stage, in it
//! a case for each edge of each path, one for the error gate of each comparison, and one for keys if these were asked
//! about. What is wrong is a failure, what is not known an error, an edge without traffic is skipped.

use maud::{Markup, PreEscaped, html};

use super::document::Document;
use super::{EdgeReport, EdgeVerdict, ErrorReport, Report, StageReport, number};
use crate::judge::Conclusion;
use crate::stats::Verdict;

/// Between elements, for whoever looks at the file.
const LINE: PreEscaped<&str> = PreEscaped("\n");

/// How a case ended; with what there is to say.
enum Ending {
    Passed,
    Skipped(String),
    /// Its type and its text.
    Failed(String, String),
    NotKnown(String, String),
}

struct Suite<'a> {
    name: String,
    stage: &'a StageReport,
    cases: Vec<Case>,
}

struct Case {
    /// Where: stage and path.
    class: String,
    name: String,
    ending: Ending,
}

/// Well-formed XML 1.0.
pub(super) fn render(document: &Document) -> String {
    let suites: Vec<Suite> = document
        .named()
        .map(|(name, stage)| Suite {
            cases: cases(stage, &name),
            name,
            stage,
        })
        .collect();
    let sum = |of: fn(&Ending) -> bool| suites.iter().map(|suite| count(&suite.cases, of)).sum::<usize>();
    let name = if document.walked {
        "load-client rollout"
    } else {
        "load-client verify"
    };
    let time = document.made.as_ref().map(|made| format!("{:.3}", made.seconds));
    let text = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"))
        testsuites name=(name) tests=(sum(|_| true)) failures=(sum(failed)) errors=(sum(not_known)) time=[time] {
            @for (index, one) in suites.iter().enumerate() { (LINE) (suite(document, index, one)) }
            (LINE)
        }
    };
    legal(&text.into_string())
}

fn suite(document: &Document, index: usize, suite: &Suite) -> Markup {
    let Suite { name, stage, cases } = suite;
    let began = document
        .made
        .as_ref()
        .map(|made| made.began.trim_end_matches('Z'));
    let properties = [
        ("verdict", stage.verdict.to_string()),
        ("requests", stage.requests().to_string()),
        ("failed requests", stage.errors().to_string()),
        ("failed while changing", stage.change_errors.to_string()),
    ];
    html! {
        testsuite id=(index) name=(name) timestamp=[began] time=(format!("{:.3}", stage.seconds)) tests=(cases.len())
            failures=(count(cases, failed)) errors=(count(cases, not_known)) skipped=(count(cases, skipped)) {
            (LINE)
            properties {
                @for (name, value) in properties { property name=(name) value=(value) {} }
            }
            @for case in cases { (LINE) (testcase(case)) }
            @let said = stage.notes();
            @if !said.is_empty() { (LINE) system-out { (said.join("\n")) } }
            (LINE)
        }
    }
}

fn testcase(case: &Case) -> Markup {
    html! {
        testcase classname=(case.class) name=(case.name) {
            @match &case.ending {
                Ending::Passed => {}
                Ending::Skipped(why) => { skipped message=(why) {} }
                Ending::Failed(kind, text) => { failure type=(kind) message=(first_line(text)) { (text) } }
                Ending::NotKnown(kind, text) => { error type=(kind) message=(first_line(text)) { (text) } }
            }
        }
    }
}

/// `name`: of the stage, as the suite has it.
fn cases(stage: &StageReport, name: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for path in &stage.paths {
        let class = format!("{name}.{}", path.path);
        let ended = path.verdict.exit_code() == 1 || stage.gates.iter().any(|gate| gate.alarm);
        cases.extend(path.edges.iter().map(|edge| Case {
            class: class.clone(),
            name: edge.edge.to_string(),
            ending: of_edge(path, edge, ended),
        }));
        cases.extend(path.sticky.as_ref().map(|sticky| {
            let text = sticky.text(path.alpha);
            Case {
                class,
                name: format!("sticky by {}", sticky.key),
                ending: if sticky.flips == 0 {
                    Ending::Passed
                } else {
                    Ending::Failed("VIOLATION".into(), text)
                },
            }
        }));
    }
    cases.extend(stage.gates.iter().map(|gate| of_gate(name, gate)));
    // Why the stage is not confirmed has to be seen, even if no edge says it.
    if stage.verdict != Conclusion::Confirmed
        && !cases
            .iter()
            .any(|case| failed(&case.ending) || not_known(&case.ending))
    {
        let (kind, text) = (stage.verdict.to_string(), stage.headline());
        let wrong = stage.verdict.exit_code() == 1;
        cases.push(Case {
            class: name.to_owned(),
            name: "the stage".to_owned(),
            ending: if wrong {
                Ending::Failed(kind, text)
            } else {
                Ending::NotKnown(kind, text)
            },
        });
    }
    cases
}

/// `ended`: something else decided, so that this edge need not be known.
fn of_edge(path: &Report, edge: &EdgeReport, ended: bool) -> Ending {
    let said = || {
        let note = edge.note.clone().or_else(|| path.reason.clone());
        let mut lines = vec![note.unwrap_or_else(|| path.headline())];
        lines.extend(edge.versions.iter().map(|version| facts(edge, version)));
        for cause in &edge.causes {
            lines.push(format!(
                "why: {}; {}\n-> {}",
                cause.what, cause.evidence, cause.advice
            ));
        }
        lines.join("\n")
    };
    let kind = edge.verdict.text().to_owned();
    match edge.verdict {
        EdgeVerdict::Used(Verdict::Confirmed) => Ending::Passed,
        EdgeVerdict::NotUsed => Ending::Skipped("no traffic is declared for this edge".to_owned()),
        EdgeVerdict::Used(Verdict::Violation | Verdict::Leak) => Ending::Failed(kind, said()),
        EdgeVerdict::Used(Verdict::Undecided) if ended => {
            Ending::Skipped("undecided when the stage failed for another reason".to_owned())
        }
        EdgeVerdict::Used(Verdict::Undecided) => Ending::NotKnown(kind, said()),
    }
}

fn facts(edge: &EdgeReport, version: &super::VersionReport) -> String {
    let decimals = number::decimals(edge.tolerance.unwrap_or(1.0));
    let observed = version
        .observed
        .map_or("-".to_owned(), |share| number::observed(share, decimals));
    let interval = version
        .interval
        .map(|found| format!(" ({} %)", number::interval(found, decimals)));
    format!(
        "{}: declared {}, observed {observed}{}, {} answers, {} errors",
        version.version,
        number::declared(version.declared),
        interval.unwrap_or_default(),
        number::count(version.count),
        number::count(version.errors),
    )
}

fn of_gate(stage: &str, gate: &ErrorReport) -> Case {
    Case {
        class: format!("{stage}.{}", gate.path),
        name: format!("{}: {} fails no more often", gate.edge, gate.new.join(" and ")),
        ending: if gate.alarm {
            Ending::Failed("ERRORS".to_owned(), gate.to_string())
        } else {
            Ending::Passed
        },
    }
}

fn failed(ending: &Ending) -> bool {
    matches!(ending, Ending::Failed(..))
}

fn not_known(ending: &Ending) -> bool {
    matches!(ending, Ending::NotKnown(..))
}

fn skipped(ending: &Ending) -> bool {
    matches!(ending, Ending::Skipped(_))
}

fn count(cases: &[Case], of: fn(&Ending) -> bool) -> usize {
    cases.iter().filter(|case| of(&case.ending)).count()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// XML 1.0 has no place for most control characters, not even escaped; the output of a command may have some.
fn legal(text: &str) -> String {
    let bad = |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars()
        .map(|c| if bad(c) { '\u{fffd}' } else { c })
        .collect()
}
