//! Tokens across versions and keys, and the binaries as processes.
#![allow(clippy::unwrap_used, missing_docs)]

mod process;
mod signer;
mod support;
mod tokens;
