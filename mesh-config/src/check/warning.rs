//! What istiod's admission webhook warns of.

use super::catalogue::{Check, Istioctl, Layer, Severity};

const fn warned(
    code: &'static str,
    istio: &'static str,
    what: &'static str,
    why: &'static str,
    fix: &'static str,
) -> Check {
    Check {
        code,
        istio: Some(istio),
        severity: Severity::Warning,
        layer: Layer::Webhook,
        what,
        why,
        fix,
        istioctl: Istioctl::Validate,
    }
}

/// `gateways: [name.namespace]`.
pub(crate) static DOTTED_GATEWAY: Check = warned(
    "TL0151",
    "IST0133",
    "a gateway's name in the old form",
    "`name.namespace` still works and will not for ever.",
    "Write NAMESPACE/NAME.",
);

/// `mirrorPercent`.
pub(crate) static MIRROR_PERCENT: Check = warned(
    "TL0152",
    "IST0133",
    "`mirrorPercent` is deprecated",
    "It knows whole percents only.",
    "Write `mirrorPercentage: {value: 5}`.",
);

/// A body of more than 100 KiB.
pub(crate) static LARGE_BODY: Check = warned(
    "TL0153",
    "IST0133",
    "a large body in `directResponse`",
    "istiod sends it to every proxy with every change of routes.",
    "Let a small web server answer.",
);

/// An address as SNI.
pub(crate) static SNI_ADDRESS: Check = warned(
    "TL0154",
    "IST0133",
    "an IP address as SNI host",
    "Clients do not send addresses as server names.",
    "Name a host.",
);

/// `consecutiveErrors`.
pub(crate) static CONSECUTIVE_ERRORS: Check = warned(
    "TL0155",
    "IST0133",
    "`consecutiveErrors` is deprecated",
    "istiod ignores it: the default of 5 errors in a row counts.",
    "Write `consecutive5xxErrors` or `consecutiveGatewayErrors`.",
);

/// `minimumRingSize` beside `ringHash`.
pub(crate) static RING_SIZE: Check = warned(
    "TL0156",
    "IST0133",
    "`minimumRingSize` of `consistentHash` is deprecated",
    "It has moved.",
    "Write `ringHash: {minimumRingSize: 1024}`.",
);

/// Failover that nothing triggers.
pub(crate) static FAILOVER_ALONE: Check = warned(
    "TL0157",
    "IST0133",
    "failover without outlier detection",
    "Without outlier detection no endpoint is ever found unhealthy, so traffic never fails over.",
    "Add `outlierDetection` beside `loadBalancer`.",
);

/// `workloadSelector: {}`.
pub(crate) static EMPTY_SELECTOR: Check = warned(
    "TL0158",
    "IST0133",
    "a workload selector without labels",
    "The rule is for every workload of its namespace.",
    "Add `matchLabels`, or remove the selector.",
);

/// A warning that istiod has for the policy of the rule and forgets for those of its subsets and ports.
pub(crate) static UNSAID: Check = Check {
    code: "TL0159",
    istio: None,
    severity: Severity::Warning,
    layer: Layer::Analysis,
    what: "what istiod warns of in a rule's policy, in that of a subset or port",
    why: "istiod looks, and loses the warning on its way out.",
    fix: "See the message.",
    istioctl: Istioctl::Never,
};

/// All of them.
pub(crate) static ALL: &[&Check] = &[
    &DOTTED_GATEWAY,
    &MIRROR_PERCENT,
    &LARGE_BODY,
    &SNI_ADDRESS,
    &CONSECUTIVE_ERRORS,
    &RING_SIZE,
    &FAILOVER_ALONE,
    &EMPTY_SELECTOR,
    &UNSAID,
];
