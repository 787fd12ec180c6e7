//! Why an edge may not be as declared.

use maud::{Markup, html};

use crate::cause::Cause;
use crate::report::Report;
use crate::report::table::likelihood;

/// The causes of every edge of a path.
pub(super) fn section(path: &Report) -> Markup {
    html! {
        @for edge in path.edges.iter().filter(|edge| !edge.causes.is_empty()) {
            h4 { "Why " (edge.edge) "?" }
            ol.causes { @for cause in &edge.causes { (one(cause)) } }
        }
    }
}

fn one(cause: &Cause) -> Markup {
    html! {
        li {
            p { strong { (cause.what) } " " span.quiet { "(" (likelihood(cause)) ")" } }
            p { (cause.evidence) }
            p.advice { span aria-hidden="true" { "→ " } (cause.advice) }
        }
    }
}
