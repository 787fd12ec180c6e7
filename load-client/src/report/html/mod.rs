//! A report as one page: every fact as text, pictures beside it, nothing loaded from elsewhere, no scripts.

mod causes;
mod edge;
mod evidence;
mod gate;
mod guide;
mod interval;
mod latency;
mod overview;
mod prose;
mod shares;
mod stage;
mod svg;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use prose::{capital, prose};

use super::document::Document;
use super::made::{HIDDEN, in_lines};
use super::{Made, number};
use crate::judge::Conclusion;

/// Colours and type of this page and the live one, then what is this page's own.
const STYLE: [&str; 2] = [include_str!("../../page/page.css"), include_str!("report.css")];

/// The classes that give versions their colours, in the order of the versions' names.
const COLOURS: [&str; 5] = ["v1", "v2", "v3", "v4", "other"];

/// Which colour a version has, on the whole page.
pub(super) struct Colours(Vec<String>);

impl Colours {
    fn of(&self, version: &str) -> &'static str {
        let index = self.0.iter().position(|name| name == version);
        COLOURS[index.unwrap_or(COLOURS.len()).min(COLOURS.len() - 1)]
    }
}

/// HTML that every browser of the last years shows.
pub(super) fn render(document: &Document) -> String {
    let colours = Colours(document.versions());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(document))
            body {
                header { (top(document)) }
                main {
                    @if document.walked { (overview::section(document, &colours)) }
                    @for (index, (name, stage)) in document.named().enumerate() {
                        (stage::section(index, &name, stage, &colours))
                    }
                    @if let Some(made) = &document.made { (again(document, made)) }
                    (guide::section(document))
                }
            }
        }
    };
    page.into_string()
}

fn head(document: &Document) -> Markup {
    // Nothing may be fetched, should a text ever manage to ask for it.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta http-equiv="Content-Security-Policy" content=(policy);
            title { (document.verdict) ": " (document.title) }
            style { (PreEscaped(STYLE.concat())) }
        }
    }
}

fn top(document: &Document) -> Markup {
    // The headline of a verification begins with the verdict, which stands above it.
    let verdict = document.verdict.to_string();
    let headline = document
        .headline
        .strip_prefix(&verdict)
        .unwrap_or(&document.headline);
    html! {
        p.kicker { @if document.walked { "Rollout" } @else { "Verification" } " of a traffic split" }
        h1 { (badge(document.verdict)) " " (document.title) }
        p.lead { (capital(headline.trim())) "." }
        @if let Some(reason) = &document.reason { p { (prose(reason)) "." } }
        @if document.walked { (wrong(document)) }
        p.quiet {
            @if let Some(worth) = document.worth() { (capital(&worth)) ". " }
            @if let Some(made) = &document.made {
                (made.by) ", " time datetime=(made.began) { (made.began.replace('T', " ").replace('Z', " UTC")) }
                ", took " (number::time(made.seconds)) "."
            }
        }
    }
}

/// Each stage that was not confirmed, with what was found there.
fn wrong(document: &Document) -> Markup {
    let stages = document.named().enumerate();
    let wrong: Vec<_> = stages
        .filter(|(_, (_, stage))| stage.verdict != Conclusion::Confirmed)
        .collect();
    html! {
        @if !wrong.is_empty() {
            ul.wrong {
                @for (index, (name, stage)) in wrong {
                    li { a href=(format!("#stage-{index}")) { (name) } ": " (prose(&stage.headline())) }
                }
            }
        }
    }
}

/// The command that made it, one for each stage that failed, and how to show the result again.
fn again(document: &Document, made: &Made) -> Markup {
    let failed = document
        .stages
        .iter()
        .filter(|stage| stage.verdict != Conclusion::Confirmed && document.walked);
    html! {
        section {
            h2 { "To measure again" }
            pre tabindex="0" { code { (in_lines(&made.command)) } }
            @if made.command.contains(HIDDEN) { p { code { (HIDDEN) } " stands for what is not for everybody's eyes." } }
            @for stage in failed {
                p { "Only " strong { (stage.stage) } ", which was not confirmed:" }
                pre tabindex="0" { code { (in_lines(&made.command_for(&stage.stage))) } }
            }
            p { "To show this result again, if it was saved as JSON (" code { "--report result.json" } "):" }
            pre tabindex="0" { code { "load-client report result.json -o html > result.html" } }
        }
    }
}

/// A verdict in its colour, with a sign that needs none.
fn badge(verdict: Conclusion) -> Markup {
    let (class, sign) = match verdict {
        Conclusion::Confirmed => ("confirmed", "✓"),
        Conclusion::Violation => ("violation", "✗"),
        Conclusion::Leak => ("leak", "✗"),
        Conclusion::Errors => ("violation", "✗"),
        Conclusion::Undecided | Conclusion::CouldNotMeasure => ("undecided", "?"),
    };
    html! { span.verdict.(class) { span aria-hidden="true" { (sign) " " } (verdict) } }
}
