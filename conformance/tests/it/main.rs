//! The harness from outside: its sockets and its files, without local-mesh.
#![allow(clippy::unwrap_used, missing_docs)]

mod behaviours; // what a workload does over HTTP/1.1
mod client; // what the client makes of good and bad answers
mod corpus; // the committed cases
mod http2; // a workload over HTTP/2
mod kit; // a fleet of one, requests
