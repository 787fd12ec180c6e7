//! The load client from outside.
#![allow(clippy::unwrap_used, missing_docs)]

mod command; // the command line
mod error_rates; // what the verdict promises, by simulation
mod evidence; // properties of the evidence
mod folding; // the order of dispatch
mod kit; // drawing from a split
mod load; // sending, connections, failures
mod planning; // requests that a verdict takes
mod upstream; // a server to send to
mod vectors; // reference values
mod versions; // reading the version of an answer
