//! What a service gets from the kit, seen over sockets.
#![allow(clippy::unwrap_used, missing_docs)]

mod config;
mod endpoints;
mod errors;
mod faults;
mod headers;
mod lifecycle;
mod support;
