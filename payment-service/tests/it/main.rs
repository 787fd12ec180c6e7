//! Payments against a real auth-service, and against a mesh that answers in its place.
#![allow(clippy::unwrap_used, missing_docs)]

mod fees;
mod idempotency;
mod ledger;
mod payments;
mod proxy;
mod refusals;
mod second_hop;
mod support;
