//! What can be said about all objects together. One file per subject; each says what it looks for and finds it.

mod ca_certificates;
mod claims;
mod delegates;
mod deprecated;
mod destination_host;
mod duplicate_subset;
mod export_to;
mod faults;
mod gateways;
mod hashing;
mod hosts;
mod ingress_subset;
mod mirrors;
mod outlier;
mod ports;
mod retries;
mod rule_host;
mod same_host;
mod services;
mod sources;
mod subset;
mod subset_pods;
mod tls_modes;
mod unreachable;
mod weights;
mod workloads;

pub(crate) use subset::UNKNOWN as UNKNOWN_SUBSET;

use super::catalogue::Check;
use super::facts::{Facts, Findings};

/// A subject.
pub(crate) struct Analyzer {
    /// What it can find.
    pub(crate) checks: &'static [&'static Check],
    pub(crate) run: fn(&Facts<'_>, &mut Findings),
}

/// All of them.
pub(crate) static ALL: &[Analyzer] = &[
    destination_host::ANALYZER,
    subset::ANALYZER,
    gateways::ANALYZER,
    same_host::ANALYZER,
    unreachable::ANALYZER,
    ca_certificates::ANALYZER,
    ingress_subset::ANALYZER,
    claims::ANALYZER,
    rule_host::ANALYZER,
    subset_pods::ANALYZER,
    deprecated::ANALYZER,
    delegates::ANALYZER,
    hosts::ANALYZER,
    weights::ANALYZER,
    export_to::ANALYZER,
    duplicate_subset::ANALYZER,
    ports::ANALYZER,
    sources::ANALYZER,
    services::ANALYZER,
    outlier::ANALYZER,
    hashing::ANALYZER,
    faults::ANALYZER,
    mirrors::ANALYZER,
    retries::ANALYZER,
    workloads::ANALYZER,
    tls_modes::ANALYZER,
];
