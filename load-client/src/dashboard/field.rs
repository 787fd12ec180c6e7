//! The picture of the traffic: squares of versions.

use std::fmt::Write;

use maud::{Markup, html};

use super::board::Board;
use super::squares::{COLUMNS, ROWS, Square};
use crate::report::number;

/// Side of a cell in the units of the picture.
const SIDE: usize = 10;
/// Versions with a colour and a shape of their own: as many as the page has colours.
const COLOURED: usize = 4;
/// What has no version, and those beyond.
const OTHER: usize = COLOURED;
/// What failed.
const FAILED: usize = COLOURED + 1;
const CLASSES: [&str; FAILED + 1] = ["v1", "v2", "v3", "v4", "other", "failed-answer"];

/// The names of all versions in their order, which gives each its colour wherever it is shown.
pub(super) fn names(board: &Board) -> Vec<&str> {
    let answered = board.answers.versions.iter().map(|(name, _)| name.as_str());
    let expected = board.edges.iter().flat_map(|row| &row.now.versions);
    let mut names: Vec<&str> = answered
        .chain(expected.map(|version| version.version.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The class of a version: its colour.
pub(super) fn class(names: &[&str], version: &str) -> &'static str {
    CLASSES[look(names, version)]
}

fn look(names: &[&str], version: &str) -> usize {
    let place = names.iter().position(|name| *name == version);
    place.unwrap_or(OTHER).min(OTHER)
}

/// The picture, and what is what in it.
pub(super) fn field(board: &Board) -> Markup {
    let names = names(board);
    let looks = |square: Square| match (square.failed, square.version) {
        (true, _) => FAILED,
        (false, Some(version)) => look(&names, &board.answers.versions[version].0),
        (false, None) => OTHER,
    };
    let mut paths = [const { String::new() }; FAILED + 1];
    let mut counts = [0_u64; FAILED + 1];
    for (cell, square) in board.squares.shown() {
        let look = looks(square);
        counts[look] += 1;
        shape(
            &mut paths[look],
            look,
            cell % COLUMNS * SIDE,
            cell / COLUMNS * SIDE,
        );
    }
    let view = format!("0 0 {} {}", COLUMNS * SIDE, ROWS * SIDE);
    html! {
        svg.squares viewBox=(view) role="img" aria-label=(described(&names, &counts)) {
            @for (path, class) in paths.iter().zip(CLASSES).filter(|(path, _)| !path.is_empty()) {
                path.(class) d=(path) {}
            }
        }
        (legend(board, &names))
    }
}

/// `A sample of the latest 400 answers: v1 360, v2 40, failed 0`.
fn described(names: &[&str], counts: &[u64; FAILED + 1]) -> String {
    let total: u64 = counts.iter().sum();
    let mut text = format!("A sample of {total} of the latest answers:");
    for (name, count) in names.iter().zip(&counts[..COLOURED]) {
        let _ = write!(text, " {name} {count},"); // writing to a String does not fail
    }
    if counts[OTHER] > 0 {
        let _ = write!(text, " others {},", counts[OTHER]);
    }
    let _ = write!(text, " failed {}", counts[FAILED]);
    text
}

fn legend(board: &Board, names: &[&str]) -> Markup {
    let count = |name: &str| {
        let mut versions = board.answers.versions.iter();
        versions
            .find(|(known, _)| known == name)
            .map_or(0, |(_, count)| *count)
    };
    html! {
        ul.legend {
            @for name in names {
                li { (sample(look(names, name))) (name) " " span.figures { (number::count(count(name))) } }
            }
            li { (sample(FAILED)) "failed " span.figures { (number::count(board.answers.failed)) } }
        }
    }
}

fn sample(look: usize) -> Markup {
    let mut path = String::new();
    shape(&mut path, look, 0, 0);
    html! { svg.sample viewBox="0 0 10 10" aria-hidden="true" { path.(CLASSES[look]) d=(path) {} } }
}

/// Adds a shape in the cell at `x`, `y`: square, diamond, triangle, circle, a small square, a cross. Each has a unit of
/// space around it.
fn shape(path: &mut String, look: usize, x: usize, y: usize) {
    let (right, down, drawn) = match look {
        0 => (1.0, 1.0, "h8v8h-8z"),
        1 => (5.0, 0.4, "l4.6 4.6-4.6 4.6-4.6-4.6z"),
        2 => (5.0, 1.0, "l4.4 8h-8.8z"),
        3 => (1.0, 5.0, "a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"),
        FAILED => (2.0, 2.0, "l6 6m0-6l-6 6"),
        _ => (3.0, 3.0, "h4v4h-4z"),
    };
    #[allow(clippy::cast_precision_loss)] // a place in a picture
    let (x, y) = (x as f64 + right, y as f64 + down);
    let _ = write!(path, "M{x} {y}{drawn}"); // writing to a String does not fail
}
