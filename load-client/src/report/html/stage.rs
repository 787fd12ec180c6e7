//! One stage: what is to be said about it, then each path into the mesh with its edges.

use maud::{Markup, html};

use super::prose::{capital, prose};
use super::{Colours, badge, causes, edge, gate, latency};
use crate::expect::Path;
use crate::report::{Report, StageReport, number};

pub(super) fn section(index: usize, name: &str, stage: &StageReport, colours: &Colours) -> Markup {
    let notes = stage.notes();
    html! {
        section.stage id=(format!("stage-{index}")) {
            h2 { (capital(name)) " " (badge(stage.verdict)) }
            p.quiet {
                (number::count(stage.requests())) " requests in " (number::time(stage.seconds))
                @if let Some(seconds) = stage.in_force_after_seconds {
                    "; in force " (number::time(seconds)) " after the end of the apply command"
                }
            }
            @if !notes.is_empty() { ul { @for note in notes { li { (prose(&note)) } } } }
            @for path in &stage.paths { (of_path(path, colours, stage.paths.len() > 1)) }
            (gate::section(&stage.gates))
        }
    }
}

fn of_path(path: &Report, colours: &Colours, named: bool) -> Markup {
    let words = match path.path {
        Path::Gateway => "Through the gateway",
        Path::InMesh => "From inside the mesh",
    };
    html! {
        @if named { h3 { (words) } }
        table.edges.cards {
            (edge::head())
            tbody { @for one in &path.edges { (edge::row(one, colours)) } }
        }
        (causes::section(path))
        (latency::section(path, colours))
    }
}
