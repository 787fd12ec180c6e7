//! The load client from outside.
#![allow(clippy::unwrap_used, missing_docs)]

mod board; // what the live page knows
mod causing; // why observed and declared differ
mod command; // the command line
mod diagnosing; // answers that are no independent draws
mod doctor; // will the demo run here
mod doctor_command; // the same, asked on the command line
mod edges; // where doubles are at their limits
mod error_gate; // what the error gate promises
mod error_rates; // what the verdict promises, by simulation
mod evidence; // properties of the evidence
mod exact; // what the verdict promises, exactly
mod expectations; // what the manifests declare
mod folding; // the order of dispatch
mod forecasting; // load-client plan
mod forms; // reports elsewhere than on a terminal
mod judging; // from outcomes to a decision
mod kit; // drawing from a split
mod lab; // the manifests of the project, and a mesh drawn from a hat
mod live_page; // what the live page shows, and to whom
mod load; // sending, connections, failures
mod long_runs; // changes, chains, canaries
mod memory; // that does not grow
mod merging; // several clients and one
mod mesh_state; // what recorded proxies hold
mod mesh_state_command; // the same, asked on the command line
mod planning; // requests that a verdict takes
mod proxies; // what a proxy holds
mod reconciling; // payments and ledgers
mod reporting; // what people and programs get to see
mod rollout; // the walk
mod saved; // reports that are kept
mod units; // what is drawn once
mod upstream; // a server to send to
mod vectors; // reference values
mod verify; // the verdict
mod versions; // reading the version of an answer
