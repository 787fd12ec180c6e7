//! An embedded data plane with Istio's semantics.

pub mod proxy;
