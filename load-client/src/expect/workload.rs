//! What runs behind a service.

/// A Deployment behind a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its name, with which the names of its pods begin.
    pub name: String,
    /// Label `version` of its pods.
    pub version: String,
    /// How many pods it is to have.
    pub replicas: u32,
}
