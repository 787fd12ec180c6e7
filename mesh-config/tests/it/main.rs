//! What the crate promises, seen from outside.
#![allow(clippy::unwrap_used, missing_docs)]

mod actions;
mod balancing;
mod cases;
mod checks;
mod delegates;
mod endpoints;
mod explaining;
mod gateway;
mod generate;
mod headers;
mod hosts;
mod kit;
mod matching;
mod parsing;
mod planning;
mod policies;
mod properties;
mod refusing;
mod renderings;
mod routes;
mod validity;
mod visibility;
