//! The load client from outside.
#![allow(clippy::unwrap_used, missing_docs)]

mod error_rates; // what the verdict promises, by simulation
mod evidence; // properties of the evidence
mod folding; // the order of dispatch
mod kit; // drawing from a split
mod planning; // requests that a verdict takes
mod vectors; // reference values
