//! Gateway.

use std::collections::BTreeMap;

use crate::problem::Placed;

/// `Gateway`: ports and hosts that the selected gateway pods serve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gateway {
    /// Labels of the gateway pods; empty selects all.
    pub selector: BTreeMap<String, String>,
    /// What they serve.
    pub servers: Vec<Server>,
}

/// One server of a Gateway.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Server {
    /// Listener port.
    pub port: u16,
    /// Name of the port.
    pub name: String,
    /// Whether it speaks plain HTTP; others are not served here.
    pub http: bool,
    /// `host`, `namespace/host`, `./host`, `*/host`.
    pub hosts: Vec<Placed<String>>,
}
