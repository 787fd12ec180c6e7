//! What `up` tells the person who started it, on standard error.

use std::fmt;
use std::io::{self, Write};

/// Writes one notice. A closed standard error is no reason to stop.
pub(crate) fn note(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "local-mesh: {text}");
}
