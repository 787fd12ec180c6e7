//! The page: what has to be read at a glance, rendered here, with the script and without it alike.

use maud::{DOCTYPE, Markup, html};

use super::board::Board;
use super::stages::{StageRow, StageState};
use super::{chart, facts, field};
use crate::judge::Conclusion;
use crate::report::number;

/// Colours and type are those of the report.
pub(super) const STYLE: &str = concat!(include_str!("../page/page.css"), include_str!("board.css"));

/// An element of the page whose content changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Of the element.
    pub(super) id: &'static str,
    /// Its content.
    pub(super) html: String,
}

/// Everything that changes.
pub(super) fn parts(board: &Board) -> Vec<Part> {
    contents(board)
        .into_iter()
        .map(|(id, html)| Part {
            id,
            html: html.into_string(),
        })
        .collect()
}

fn contents(board: &Board) -> [(&'static str, Markup); 8] {
    [
        ("headline", headline(board)),
        ("numbers", numbers(board)),
        ("field", field::field(board)),
        ("stages", stages(&board.stages)),
        ("edges", chart::charts(board)),
        ("facts", facts::table(board)),
        ("errors", facts::errors(board)),
        ("causes", facts::causes(board)),
    ]
}

/// The whole page as of now.
pub(super) fn page(board: &Board) -> String {
    let [headline, numbers, field, stages, edges, facts, errors, causes] =
        contents(board).map(|(_, html)| html);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Traffic, live" }
                link rel="icon" href="icon.svg";
                link rel="stylesheet" href="page.css";
                noscript { meta http-equiv="refresh" content="2"; }
                script src="page.js" defer {}
            }
            body {
                header {
                    div {
                        h1 { "Traffic, live" }
                        p.quiet { code { (board.command) " " (board.url) } }
                    }
                    div.controls {
                        p #connection role="status" {}
                        button #pause type="button" aria-pressed="false" hidden { "Pause" }
                    }
                }
                noscript { p.note { "Without JavaScript this page is loaded anew every two seconds." } }
                main {
                    div #headline role="status" aria-atomic="true" { (headline) }
                    div.columns {
                        section aria-labelledby="answers" {
                            h2 #answers { "Answers" }
                            div #field { (field) }
                            dl #numbers { (numbers) }
                        }
                        section aria-labelledby="walk" {
                            h2 #walk { "Stages" }
                            ol #stages { (stages) }
                        }
                    }
                    section aria-labelledby="shares" {
                        h2 #shares { "Shares over requests" }
                        div #edges { (edges) }
                    }
                    section aria-labelledby="figures" {
                        h2 #figures { "Figures" }
                        div #facts .scroll role="region" tabindex="0" aria-labelledby="figures" { (facts) }
                    }
                    div.halves {
                        section aria-labelledby="why" {
                            h2 #why { "Causes" }
                            div #causes { (causes) }
                        }
                        section aria-labelledby="failed" {
                            h2 #failed { "Errors" }
                            div #errors { (errors) }
                        }
                    }
                    (reading())
                }
            }
        }
    };
    page.into_string()
}

fn reading() -> Markup {
    html! {
        details {
            summary { "How to read this" }
            p { "Answers: a sample of what comes back, in the order in which it comes, at most eight in a tenth of a second; each "
                "is as likely to be shown as any other. Shape and colour are the version that answered the client; a cross is an "
                "answer of 500 or above, or none." }
            p { "Shares: dashed is what the manifests declare, the band around it what is accepted; the line is what was observed, "
                "and the area where the true share lies, however often one looks. CONFIRMED is when the area lies within the band." }
            p { "For programs: " a href="board.json" { "the same as JSON" } "." }
        }
    }
}

fn headline(board: &Board) -> Markup {
    html! {
        @if let Some(latest) = &board.latest {
            p.latest {
                (verdict(latest.verdict))
                @if let Some(stage) = &latest.stage { strong { (stage) } ", " }
                (latest.text)
            }
        }
        @if board.ended { p.now.ended { "This is the end: nothing more is sent." } }
        @else { p.now { (board.now) } }
    }
}

fn verdict(verdict: Option<Conclusion>) -> Markup {
    html! {
        @match verdict {
            Some(verdict) => strong.verdict.(class(verdict)) { (verdict) },
            None => strong.verdict.quiet { "DONE" },
        }
        " "
    }
}

/// The colour of a verdict.
pub(super) fn class(verdict: Conclusion) -> &'static str {
    match verdict {
        Conclusion::Confirmed => "confirmed",
        Conclusion::Violation | Conclusion::Errors => "violation",
        Conclusion::Leak => "leak",
        Conclusion::Undecided => "undecided",
        Conclusion::CouldNotMeasure => "failed",
    }
}

fn numbers(board: &Board) -> Markup {
    let rate = format!("{:.0}", board.rate);
    let number = |name: &str, value: &str| html! { div { dt { (name) } dd.figures { (value) } } };
    html! {
        (number("answers", &number::count(board.answers.total)))
        (number("answers a second", rate.parse().map_or(rate.clone(), number::count).as_str()))
        (number("failed", &number::count(board.answers.failed)))
        (number("elapsed", &clock(board.elapsed_seconds)))
    }
}

/// `0:07`, `12:30`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the seconds of a run
fn clock(seconds: f64) -> String {
    let seconds = seconds as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn stages(rows: &[StageRow]) -> Markup {
    html! { @for row in rows { (stage(row)) } }
}

fn stage(row: &StageRow) -> Markup {
    let (class, state) = match row.state {
        StageState::Waiting => ("waiting", "waits".to_owned()),
        StageState::Applying => ("current", "being applied".to_owned()),
        StageState::Judging => ("current", "being judged".to_owned()),
        StageState::Judged(verdict) => (class(verdict), verdict.to_string()),
        StageState::NotWalked => ("waiting", "not walked".to_owned()),
    };
    let current = matches!(row.state, StageState::Applying | StageState::Judging);
    let after = row
        .in_force_after_seconds
        .map(|after| format!("in force after {}", number::time(after)));
    let requests = (row.requests > 0).then(|| format!("{} requests", number::count(row.requests)));
    let detail: Vec<String> = [requests, after].into_iter().flatten().collect();
    html! {
        li .current[current] aria-current=[current.then_some("step")] {
            span.name { (row.name) @if row.rollback { " (rollback)" } }
            " " strong.state.(class) { (state) }
            @if !detail.is_empty() { " " span.quiet.detail { (detail.join(", ")) } }
        }
    }
}
