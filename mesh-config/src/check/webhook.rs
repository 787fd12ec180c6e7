//! What istiod's admission webhook refuses, by the part of the object that it is about. Source: istiod's
//! `pkg/config/validation`.

use super::catalogue::{Check, Istioctl, Layer, Severity};

const fn refused(code: &'static str, what: &'static str, fix: &'static str) -> Check {
    Check {
        code,
        istio: Some("IST0106"),
        severity: Severity::Error,
        layer: Layer::Webhook,
        what,
        why: "istiod's webhook refuses the object, so `kubectl apply` fails.",
        fix,
        istioctl: Istioctl::Validate,
    }
}

/// By the name of the field: directly in `spec`, in a rule of `http`, in a subset or in a policy.
static SUBJECTS: &[(&str, Check)] = &[
    (
        "hosts",
        refused(
            "TL0101",
            "refused by istiod: hosts of a VirtualService",
            "Hosts are names such as `auth`, `auth.shop.svc.cluster.local`, `*.example.com`, or IP addresses; none may cover another of the list.",
        ),
    ),
    (
        "gateways",
        refused(
            "TL0102",
            "refused by istiod: names of gateways",
            "Write NAMESPACE/NAME, NAME or `mesh`.",
        ),
    ),
    (
        "exportTo",
        refused(
            "TL0103",
            "refused by istiod: `exportTo`",
            "Either `*` alone, or `.` and names of namespaces, each once.",
        ),
    ),
    (
        "http",
        refused(
            "TL0104",
            "refused by istiod: what a rule does",
            "A rule has a `route` with destinations, or a `redirect`, or a `directResponse`, or (with hosts) a `delegate`.",
        ),
    ),
    (
        "match",
        refused(
            "TL0105",
            "refused by istiod: conditions of a rule",
            "See the message.",
        ),
    ),
    (
        "headers",
        refused(
            "TL0106",
            "refused by istiod: operations on headers",
            "`Host` can be set on requests only, in one place; a percent sign is written `%%`.",
        ),
    ),
    (
        "corsPolicy",
        refused("TL0107", "refused by istiod: `corsPolicy`", "See the message."),
    ),
    (
        "fault",
        refused(
            "TL0108",
            "refused by istiod: `fault`",
            "Percentages are 0 or 0.0001 to 100, statuses 200 to 599.",
        ),
    ),
    (
        "mirror",
        refused(
            "TL0109",
            "refused by istiod: copies of requests",
            "Either `mirror` or `mirrors`; percentages are 0 to 100.",
        ),
    ),
    (
        "redirect",
        refused(
            "TL0110",
            "refused by istiod: `redirect`",
            "Codes are 3xx; `prefixRewrite` needs matches on a prefix.",
        ),
    ),
    (
        "directResponse",
        refused(
            "TL0111",
            "refused by istiod: `directResponse`",
            "Statuses are 200 to 599; a body has at most 1 MiB.",
        ),
    ),
    (
        "retries",
        refused(
            "TL0112",
            "refused by istiod: `retries`",
            "Conditions are separated by commas, without blanks; `attempts: 0` switches retries off and stands alone.",
        ),
    ),
    (
        "rewrite",
        refused(
            "TL0113",
            "refused by istiod: `rewrite`",
            "One of `uri` and `uriRegexRewrite`, and `authority`.",
        ),
    ),
    (
        "route",
        refused(
            "TL0114",
            "refused by istiod: destinations and weights",
            "Weights are whole numbers from 0; of several, one is above 0.",
        ),
    ),
    (
        "timeout",
        refused(
            "TL0115",
            "refused by istiod: `timeout`",
            "Durations have whole milliseconds; leave the field out for no timeout.",
        ),
    ),
    (
        "tls",
        refused("TL0116", "refused by istiod: `tls`", "See the message."),
    ),
    (
        "tcp",
        refused("TL0117", "refused by istiod: rules for TCP", "See the message."),
    ),
    (
        "annotations",
        refused(
            "TL0118",
            "refused by istiod: annotations of Istio's own",
            "Remove the annotation.",
        ),
    ),
    (
        "host",
        refused(
            "TL0119",
            "refused by istiod: the host of a DestinationRule",
            "A name, with `*` at most at its beginning; not an IP address.",
        ),
    ),
    (
        "subsets",
        refused(
            "TL0120",
            "refused by istiod: subsets",
            "Names are letters, digits and `-`, each once; labels are those that Kubernetes takes.",
        ),
    ),
    (
        "trafficPolicy",
        refused(
            "TL0121",
            "refused by istiod: a policy that says nothing",
            "Leave the policy out, or say something in it.",
        ),
    ),
    (
        "outlierDetection",
        refused(
            "TL0122",
            "refused by istiod: `outlierDetection`",
            "See the message.",
        ),
    ),
    (
        "connectionPool",
        refused(
            "TL0123",
            "refused by istiod: `connectionPool`",
            "Limits are whole numbers from 0; durations have whole milliseconds.",
        ),
    ),
    (
        "loadBalancer",
        refused("TL0124", "refused by istiod: `loadBalancer`", "See the message."),
    ),
    (
        "localityLbSetting",
        refused(
            "TL0125",
            "refused by istiod: localities",
            "Shares are 1 to 100 and add up to 100; `distribute` and `failover` exclude each other.",
        ),
    ),
    (
        "tunnel",
        refused(
            "TL0126",
            "refused by istiod: `tunnel`",
            "The protocol is CONNECT or POST; the target is a host or an address with a port.",
        ),
    ),
];

/// Other names for the same part.
static SAME: &[(&str, &str)] = &[
    ("mirrors", "mirror"),
    ("mirrorPercent", "mirror"),
    ("mirror_percent", "mirror"),
    ("mirrorPercentage", "mirror"),
    ("zoneAwareLbSetting", "localityLbSetting"),
    ("proxyProtocol", "tunnel"),
    ("portLevelSettings", "trafficPolicy"),
];

/// Which check a path inside an object (`spec.http[0].retries.retryOn`) belongs to: that of the last part with one of
/// its own, so that a subset's outlier detection is outlier detection. Inside of a match only the match counts.
pub(crate) fn subject(path: &str) -> &'static Check {
    let mut found = None;
    let l4 = path.starts_with("spec.tls[") || path.starts_with("spec.tcp[");
    for (depth, part) in path.split('.').enumerate() {
        let name = part.split('[').next().unwrap_or_default();
        // A connection pool has parts of these names, too.
        if depth > 1 && matches!(name, "http" | "tcp") {
            continue;
        }
        let name = SAME
            .iter()
            .find(|(other, _)| *other == name)
            .map_or(name, |same| same.1);
        found = SUBJECTS
            .iter()
            .find(|(subject, _)| *subject == name)
            .map(|(_, check)| check)
            .or(found);
        let inner = [
            "match",
            "headers",
            "corsPolicy",
            "fault",
            "redirect",
            "route",
            "mirror",
            "labels",
        ];
        if inner.contains(&name) || l4 && depth == 1 {
            break;
        }
    }
    found.unwrap_or(&OTHER)
}

/// What is said about the whole object.
static OTHER: Check = refused(
    "TL0100",
    "refused by istiod: the object as a whole",
    "See the message.",
);

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Check> {
    [&OTHER]
        .into_iter()
        .chain(SUBJECTS.iter().map(|(_, check)| check))
}

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn a_path_belongs_to_its_innermost_subject() {
        for (path, code) in [
            ("spec", "TL0100"),
            ("spec.hosts[1]", "TL0101"),
            ("spec.http[0]", "TL0104"),
            ("spec.http[0].match[0].gateways[0]", "TL0105"),
            ("spec.http[0].match[0].headers.x", "TL0105"),
            ("spec.http[0].headers.request.set.x", "TL0106"),
            ("spec.http[0].mirrors[0].percentage", "TL0109"),
            ("spec.http[0].route[0].destination.host", "TL0114"),
            ("spec.tls[0].match[0].sniHosts[0]", "TL0116"),
            ("spec.subsets[0].labels.a", "TL0120"),
            ("spec.subsets[0].labels.x.timeout", "TL0120"),
            ("spec.subsets[0].trafficPolicy.tls", "TL0116"),
            (
                "spec.trafficPolicy.portLevelSettings[0].connectionPool.http",
                "TL0123",
            ),
            (
                "spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[0]",
                "TL0125",
            ),
            ("metadata.annotations", "TL0118"),
        ] {
            assert_eq!(subject(path).code, code, "{path}");
        }
    }
}
