//! What the words and the pictures mean.

use maud::{Markup, html};

use crate::report::document::Document;

pub(super) fn section(document: &Document) -> Markup {
    html! {
        section.guide {
            h2 { "How to read this" }
            dl {
                dt { "CONFIRMED" }
                dd { "The true share of every version is within the accepted distance of the declared one." }
                dt { "VIOLATION" }
                dd { "The answers are not drawn from the declared split." }
                dt { "LEAK" }
                dd { "A version answered that is declared to get nothing." }
                @if document.walked {
                    dt { "ERRORS" }
                    dd { "The new version fails more often than the others: the error gate." }
                }
                dt { "UNDECIDED" }
                dd { "The requests were not enough for either." }
                dt { "interval" }
                dd { "Where the true shares lie, for all versions of an edge and at every moment together, except with probability alpha." }
                dt { "evidence" }
                dd { "How many times as much the answers speak for another split as for the declared one (an e-value). "
                    "If the declared split is the true one it ever reaches 1/alpha with probability alpha at most, "
                    "however often one looks; then it is enough for a VIOLATION." }
                dt { "edge" }
                dd { "Who calls whom: the client a service, or a version of that service the next one." }
            }
        }
    }
}
