//! A raw HTTP/1.1 client: what a case says is what goes out.

mod connection;
mod request;
mod senders;

pub use connection::{Connection, Response};
pub use request::{InvalidRequest, LAB_ID, Request, hops};
pub use senders::send;
