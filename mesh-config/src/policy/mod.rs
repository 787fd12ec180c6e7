//! Policies of a DestinationRule: what is written, how it is read, and what is compiled from it, one file each.

pub(crate) mod hash;
pub(crate) mod load_balancer;
pub(crate) mod locality;
pub(crate) mod outlier;
pub(crate) mod pool;
pub(crate) mod priorities;
