//! Which kinds exist, in which API versions, and whether they live in a namespace.

use crate::text::similar;

/// What a pair of apiVersion and kind is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Read and acted on.
    Ours,
    /// A real kind (or one of a group not known here) that nothing here acts on.
    Other,
    /// No such kind or version; with advice.
    Wrong { what: Wrong, advice: Option<String> },
}

/// Which of the two is wrong.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Wrong {
    Kind,
    Version,
}

const ISTIO: &str = "istio.io";
const NETWORKING: &str = "networking.istio.io";

/// Kinds that are read here, with their group.
const OURS: &[(&str, &str)] = &[
    ("Namespace", ""),
    ("ServiceAccount", ""),
    ("Service", ""),
    ("Deployment", "apps"),
    ("WorkloadEntry", NETWORKING),
    ("ServiceEntry", NETWORKING),
    ("Sidecar", NETWORKING),
    ("Gateway", NETWORKING),
    ("VirtualService", NETWORKING),
    ("DestinationRule", NETWORKING),
];

/// Groups whose kinds are known, with their versions and those kinds that are not in `OURS`.
const GROUPS: &[(&str, &[&str], &[&str])] = &[
    (
        "",
        &["v1"],
        &[
            "Binding",
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
        ],
    ),
    (
        "apps",
        &["v1"],
        &["ControllerRevision", "DaemonSet", "ReplicaSet", "StatefulSet"],
    ),
    ("batch", &["v1"], &["CronJob", "Job"]),
    ("autoscaling", &["v1", "v2"], &["HorizontalPodAutoscaler"]),
    ("policy", &["v1"], &["PodDisruptionBudget", "Eviction"]),
    ("discovery.k8s.io", &["v1"], &["EndpointSlice"]),
    (
        "networking.k8s.io",
        &["v1"],
        &[
            "Ingress",
            "IngressClass",
            "NetworkPolicy",
            "IPAddress",
            "ServiceCIDR",
        ],
    ),
    (
        "rbac.authorization.k8s.io",
        &["v1"],
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    (
        NETWORKING,
        &["v1", "v1beta1", "v1alpha3"],
        &["EnvoyFilter", "ProxyConfig", "WorkloadGroup"],
    ),
    (
        "security.istio.io",
        &["v1", "v1beta1"],
        &[
            "AuthorizationPolicy",
            "PeerAuthentication",
            "RequestAuthentication",
        ],
    ),
    ("telemetry.istio.io", &["v1", "v1alpha1"], &["Telemetry"]),
    (
        "extensions.istio.io",
        &["v1alpha1"],
        &["WasmPlugin", "TrafficExtension"],
    ),
];

/// Kinds without a namespace.
const CLUSTER_SCOPED: &[&str] = &[
    "Namespace",
    "Node",
    "PersistentVolume",
    "ClusterRole",
    "ClusterRoleBinding",
    "IngressClass",
    "IPAddress",
    "ServiceCIDR",
    "CustomResourceDefinition",
    "StorageClass",
    "PriorityClass",
    "RuntimeClass",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "GatewayClass",
];

pub(crate) fn is_cluster_scoped(kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&kind)
}

/// Whether objects of this kind are judged as the API server and istiod's webhook judge them, with all their fields.
pub(crate) fn is_checked(kind: &str) -> bool {
    matches!(kind, "VirtualService" | "DestinationRule")
}

/// Looks up a pair as written.
pub(crate) fn look_up(api_version: &str, kind: &str) -> Known {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let Some((_, versions, others)) = GROUPS.iter().find(|(name, ..)| *name == group) else {
        return unknown_group(group, version, kind);
    };
    let ours: Vec<&str> = OURS
        .iter()
        .filter(|(_, of)| *of == group)
        .map(|(kind, _)| *kind)
        .collect();
    let known: Vec<&str> = ours.iter().chain(others.iter()).copied().collect();
    if !known.contains(&kind) {
        return Known::Wrong {
            what: Wrong::Kind,
            advice: kind_advice(api_version, kind, &known),
        };
    }
    if !versions.contains(&version) {
        let prefix = if group.is_empty() {
            String::new()
        } else {
            format!("{group}/")
        };
        let versions: Vec<String> = versions
            .iter()
            .map(|version| format!("`{prefix}{version}`"))
            .collect();
        let advice = Some(format!("{kind} exists as {}", versions.join(", ")));
        return Known::Wrong {
            what: Wrong::Version,
            advice,
        };
    }
    if ours.contains(&kind) {
        Known::Ours
    } else {
        Known::Other
    }
}

/// A group that is not known may be somebody's own, unless it is one of the known ones misspelt.
fn unknown_group(group: &str, version: &str, kind: &str) -> Known {
    if group.contains('/') {
        return Known::Wrong {
            what: Wrong::Version,
            advice: Some("an apiVersion is GROUP/VERSION, with one `/`".to_owned()),
        };
    }
    let istio = group == ISTIO || group.ends_with(".istio.io") || group.ends_with(".k8s.io");
    if istio && is_checked(kind) {
        let advice = Some(format!("{kind} has the apiVersion `{NETWORKING}/v1`"));
        return Known::Wrong {
            what: Wrong::Version,
            advice,
        };
    }
    let groups: Vec<&str> = GROUPS
        .iter()
        .map(|(name, ..)| *name)
        .filter(|name| !name.is_empty())
        .collect();
    // Short names such as `apps` are near to too much.
    let near = if group.is_empty() {
        None
    } else {
        similar::nearest(group, &groups)
    };
    match near {
        Some(near) => {
            let advice = Some(format!("did you mean `{near}/{version}`?"));
            Known::Wrong {
                what: Wrong::Version,
                advice,
            }
        }
        None => Known::Other,
    }
}

fn kind_advice(api_version: &str, kind: &str, known: &[&str]) -> Option<String> {
    let elsewhere = GROUPS.iter().find(|(group, _, others)| {
        others.contains(&kind) || OURS.iter().any(|(ours, of)| *ours == kind && of == group)
    });
    if let Some((group, versions, _)) = elsewhere {
        let version = versions.first().copied().unwrap_or_default();
        let full = if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        };
        return Some(format!("{kind} has the apiVersion `{full}`, not `{api_version}`"));
    }
    similar::did_you_mean(kind, known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_ours_others_or_wrong() {
        for (api_version, kind, expected) in [
            ("networking.istio.io/v1", "VirtualService", Known::Ours),
            ("networking.istio.io/v1alpha3", "DestinationRule", Known::Ours),
            ("apps/v1", "Deployment", Known::Ours),
            ("v1", "ConfigMap", Known::Other),
            ("networking.istio.io/v1", "ServiceEntry", Known::Ours),
            ("gateway.networking.k8s.io/v1", "Gateway", Known::Other),
            ("example.com/v1", "Anything", Known::Other),
        ] {
            assert_eq!(look_up(api_version, kind), expected, "{api_version} {kind}");
        }
        for (api_version, kind, wrong, advice) in [
            (
                "networking.istio.io/v1",
                "VirtualServce",
                Wrong::Kind,
                "did you mean `VirtualService`?",
            ),
            (
                "networking.istio.io/v2",
                "VirtualService",
                Wrong::Version,
                "VirtualService exists as",
            ),
            (
                "networking.itsio.io/v1",
                "VirtualService",
                Wrong::Version,
                "`networking.istio.io/v1`",
            ),
            (
                "v1",
                "Deployment",
                Wrong::Kind,
                "Deployment has the apiVersion `apps/v1`",
            ),
            ("v1", "Servcie", Wrong::Kind, "did you mean `Service`?"),
        ] {
            let Known::Wrong {
                what,
                advice: Some(text),
            } = look_up(api_version, kind)
            else {
                panic!("{api_version} {kind} was taken");
            };
            assert_eq!(what, wrong);
            assert!(text.contains(advice), "{text}");
        }
    }
}
