//! Why an edge may not be as declared.

use maud::{Markup, html};

use super::prose::{arrows, prose};
use crate::cause::Cause;
use crate::report::Report;
use crate::report::table::likelihood;

/// The causes of every edge of a path.
pub(super) fn section(path: &Report) -> Markup {
    html! {
        @for edge in path.edges.iter().filter(|edge| !edge.causes.is_empty()) {
            h4 { "Why " (arrows(&edge.edge.to_string())) "?" }
            ol.causes { @for cause in &edge.causes { (one(cause)) } }
        }
    }
}

fn one(cause: &Cause) -> Markup {
    html! {
        li {
            p { strong { (prose(&cause.what)) } " " span.quiet { "(" (likelihood(cause)) ")" } }
            p { (prose(&cause.evidence)) }
            p.advice { span aria-hidden="true" { "→ " } (prose(&cause.advice)) }
        }
    }
}
