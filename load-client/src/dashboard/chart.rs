//! How the share of an edge converges: one small picture for each edge.

use std::fmt::Write;

use maud::{Markup, html};

use super::board::{Board, EdgeRow};
use super::curve::{Point, subject};
use super::edge::VersionNow;
use super::facts::{share, verdict_of};
use super::field;
use crate::report::number;

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 150.0;
/// Left of the curve are the shares, below it the requests.
const LEFT: f64 = 42.0;
const RIGHT: f64 = 312.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 126.0;
/// The axis of requests is logarithmic and begins here.
const FIRST: f64 = 10.0;
/// It ends here, or further on.
const LAST: f64 = 1_000.0;
/// How many tolerances above and below the declared share are shown.
const TOLERANCES: f64 = 4.0;

/// All edges, the first hop first.
pub(super) fn charts(board: &Board) -> Markup {
    let names = field::names(board);
    html! {
        @if board.edges.is_empty() {
            p.quiet { (nothing(board)) }
        }
        @for row in &board.edges {
            @if let Some(subject) = subject(&row.now.versions) {
                (chart(row, subject, field::class(&names, &subject.version)))
            }
        }
    }
}

fn nothing(board: &Board) -> &'static str {
    if board.command == "run" {
        "A run judges nothing; verify and rollout do."
    } else {
        "No request has been judged yet."
    }
}

/// Where things are in the picture.
struct Frame {
    low: f64,
    high: f64,
    last: f64,
}

impl Frame {
    fn new(row: &EdgeRow, declared: f64) -> Self {
        let around = TOLERANCES * row.now.tolerance;
        // Where it is now is always to be seen.
        let seen = row.curve.points.last().map_or(declared, |last| last.observed);
        #[allow(clippy::cast_precision_loss)] // counts below 2^53
        let last = (row.now.n as f64).max(LAST);
        Frame {
            low: (declared - around).min(seen).max(0.0),
            high: (declared + around).max(seen).min(1.0),
            last,
        }
    }

    #[allow(clippy::cast_precision_loss)] // counts below 2^53
    fn x(&self, n: u64) -> f64 {
        let part = (n as f64 / FIRST).ln() / (self.last / FIRST).ln();
        LEFT + part.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn y(&self, share: f64) -> f64 {
        let part = (share.clamp(self.low, self.high) - self.low) / (self.high - self.low);
        BOTTOM - part * (BOTTOM - TOP)
    }

    /// Powers of ten on the axis of requests.
    fn decades(&self) -> impl Iterator<Item = u64> {
        let last = self.last;
        #[allow(clippy::cast_precision_loss)]
        let shown = move |n: &u64| *n as f64 <= last;
        (1..19).map(|power| 10_u64.pow(power)).take_while(shown)
    }
}

fn chart(row: &EdgeRow, subject: &VersionNow, class: &str) -> Markup {
    let frame = Frame::new(row, subject.declared);
    html! {
        figure {
            figcaption {
                strong { (row.now.name()) }
                br;
                strong.(class) { (subject.version) } " " (caption(row, subject)) " " (verdict_of(row.now.verdict))
            }
            svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(described(row, subject)) {
                (grid(&frame, row, subject.declared))
                g.(class) { (curve(&frame, &row.curve.points)) }
            }
        }
    }
}

/// `10.2 % of 12,345, declared 10 %`.
fn caption(row: &EdgeRow, subject: &VersionNow) -> String {
    let decimals = number::decimals(row.now.tolerance);
    let declared = number::declared(subject.declared);
    match subject.observed {
        Some(observed) => format!(
            "{} of {}, declared {declared}",
            number::observed(observed, decimals),
            number::count(row.now.n)
        ),
        None => format!("not seen yet, declared {declared}"),
    }
}

/// The picture in a sentence.
fn described(row: &EdgeRow, subject: &VersionNow) -> String {
    let interval = share(subject, row.now.tolerance).interval;
    format!(
        "Share of {} on {}: {}; it lies within {interval} %",
        subject.version,
        row.now.name(),
        caption(row, subject),
    )
}

fn grid(frame: &Frame, row: &EdgeRow, declared: f64) -> Markup {
    let tolerance = row.now.tolerance;
    let (above, below) = (frame.y(declared + tolerance), frame.y(declared - tolerance));
    let line = frame.y(declared);
    let decimals = usize::from(tolerance < 0.01);
    let percent = |share: f64| format!("{:.decimals$} %", share * 100.0);
    // The declared share is labelled in any case, the ends of the axis if they are somewhere else.
    let ends = [frame.low, frame.high]
        .into_iter()
        .filter(|end| (end - declared).abs() > 1e-9);
    html! {
        rect.tolerance x=(LEFT) y=(places(above)) width=(RIGHT - LEFT) height=(places(below - above)) {}
        @for end in ends { (label(&percent(end), LEFT - 5.0, frame.y(end) + 4.0, "end")) }
        (label(&number::declared(declared), LEFT - 5.0, line + 4.0, "end"))
        path.axis d=(format!("M{LEFT} {TOP}V{BOTTOM}H{RIGHT}")) {}
        path.declared d=(format!("M{LEFT} {}H{RIGHT}", places(line))) {}
        @for n in frame.decades() {
            path.axis d=(format!("M{} {BOTTOM}v4", places(frame.x(n)))) {}
            (label(&short(n), frame.x(n), BOTTOM + 16.0, "middle"))
        }
    }
}

fn label(text: &str, x: f64, y: f64, anchor: &str) -> Markup {
    html! { text x=(places(x)) y=(places(y)) text-anchor=(anchor) { (text) } }
}

/// The interval as an area, the observed share as a line, and where it is now.
fn curve(frame: &Frame, points: &[Point]) -> Markup {
    let Some(last) = points.last() else {
        return html! {};
    };
    let (mut line, mut area) = (String::new(), String::new());
    let to = |path: &mut String, n: u64, share: f64| {
        let letter = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{} {}", places(frame.x(n)), places(frame.y(share))); // a String does not fail
    };
    for point in points {
        to(&mut line, point.n, point.observed);
        to(&mut area, point.n, point.interval.low);
    }
    for point in points.iter().rev() {
        to(&mut area, point.n, point.interval.high);
    }
    let (x, y) = (frame.x(last.n), frame.y(last.observed));
    let (low, high) = (frame.y(last.interval.low), frame.y(last.interval.high));
    html! {
        path.interval d=(format!("{area}Z")) {}
        path.observed d=(line) {}
        path.observed d=(format!("M{} {}V{}", places(x), places(low), places(high))) {}
        circle cx=(places(x)) cy=(places(y)) r="3.5" {}
    }
}

/// To a tenth of a unit: more cannot be seen.
fn places(value: f64) -> String {
    format!("{value:.1}")
}

/// `10`, `1k`, `100k`, `1M`.
fn short(n: u64) -> String {
    match n {
        1_000_000.. => format!("{}M", n / 1_000_000),
        1_000.. => format!("{}k", n / 1_000),
        _ => n.to_string(),
    }
}
