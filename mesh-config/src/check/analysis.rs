//! What an analysis of all objects together finds.

use super::catalogue::{Check, Istioctl, Layer, Severity};

/// A destination names a subset that no rule defines.
pub(crate) static SUBSET: Check = Check {
    code: "TL0302",
    istio: Some("IST0101"),
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "a subset that no DestinationRule defines",
    why: "Requests that come here are answered 503, flag NC.",
    fix: "Define the subset in a DestinationRule for the host, or correct its name.",
    istioctl: Istioctl::Files,
};
