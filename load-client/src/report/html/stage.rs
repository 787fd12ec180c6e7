//! One stage: what is to be said about it, then each path into the mesh with its edges.

use maud::{Markup, html};

use super::latency::{Row, figure};
use super::{Colours, badge, causes, edge, gate};
use crate::report::{Report, StageReport};

pub(super) fn section(index: usize, stage: &StageReport, colours: &Colours) -> Markup {
    let notes = stage.notes();
    html! {
        section.stage id=(format!("stage-{index}")) {
            h2 { (stage.title()) " " (badge(stage.verdict)) }
            @if !notes.is_empty() { ul { @for note in notes { li { (note) } } } }
            @for path in &stage.paths { (of_path(path, colours, stage.paths.len() > 1)) }
            (gate::section(&stage.gates))
        }
    }
}

fn of_path(path: &Report, colours: &Colours, named: bool) -> Markup {
    let words = match path.path {
        crate::expect::Path::Gateway => "Through the gateway",
        crate::expect::Path::InMesh => "From inside the mesh",
    };
    let all = Row {
        name: "all",
        class: "other",
        latency: path.latency_ms,
    };
    html! {
        @if named { h3 { (words) } }
        table.edges.cards {
            (edge::head())
            tbody { @for one in &path.edges { (edge::row(one, colours)) } }
        }
        (causes::section(path))
        (figure(&[all]))
    }
}
