//! kind, kubectl and istioctl: are they there, and do their versions go with the node image?

use super::Finding;
use super::facts::{Facts, NoTool};
use super::version::Version;

const INSTALL_KIND: &str = "https://kind.sigs.k8s.io/docs/user/quick-start/#installation";
const INSTALL_KUBECTL: &str = "https://kubernetes.io/docs/tasks/tools/";
const INSTALL_ISTIOCTL: &str = "curl -sSL https://istio.io/downloadIstioctl | sh -";

/// `kind load` has to know the containerd of the node image. Kubernetes version of the image, the oldest kind for it, both
/// from kind's release notes (containerd 2 came with kind 0.27, its next break with 0.32).
const KIND_FOR: [((u32, u32), (u32, u32)); 2] = [((1, 36), (0, 32)), ((1, 32), (0, 27))];

/// The first Istio that serves `networking.istio.io/v1`, which the manifests are written in.
const OLDEST_ISTIO: (u32, u32) = (1, 22);

pub(super) fn examine(facts: &Facts) -> [Finding; 3] {
    let kubernetes = facts.kubernetes();
    [
        kind(&facts.kind, kubernetes.as_ref()),
        kubectl(&facts.kubectl, kubernetes.as_ref()),
        istioctl(&facts.istioctl),
    ]
}

fn missing(tool: &str, reason: &NoTool, install: &str) -> Finding {
    match reason {
        NoTool::Missing => Finding::problem(tool, "not installed, or not in PATH", install),
        NoTool::Odd(said) => Finding::warning(tool, format!("does not tell its version: {said}"), install),
    }
}

fn kind(found: &Result<Version, NoTool>, kubernetes: Option<&Version>) -> Finding {
    let version = match found {
        Ok(version) => version,
        Err(reason) => return missing("kind", reason, INSTALL_KIND),
    };
    let needs = |kubernetes: &Version| {
        let row = KIND_FOR
            .iter()
            .find(|((major, minor), _)| kubernetes.is_at_least(*major, *minor));
        row.map(|(_, kind)| *kind)
    };
    match kubernetes.and_then(|kubernetes| Some((kubernetes, needs(kubernetes)?))) {
        Some((kubernetes, (major, minor))) if !version.is_at_least(major, minor) => Finding::problem(
            "kind",
            format!(
                "version {version} cannot load images into a node of Kubernetes {kubernetes}; {major}.{minor} can"
            ),
            INSTALL_KIND,
        ),
        _ => Finding::ok("kind", format!("version {version}")),
    }
}

fn kubectl(found: &Result<Version, NoTool>, kubernetes: Option<&Version>) -> Finding {
    let version = match found {
        Ok(version) => version,
        Err(reason) => return missing("kubectl", reason, INSTALL_KUBECTL),
    };
    match kubernetes {
        Some(server) if server.major != version.major || server.minor.abs_diff(version.minor) > 1 => {
            Finding::warning(
                "kubectl",
                format!(
                    "version {version} beside Kubernetes {server}; more than one minor version apart is not supported"
                ),
                INSTALL_KUBECTL,
            )
        }
        _ => Finding::ok("kubectl", format!("version {version}")),
    }
}

fn istioctl(found: &Result<Version, NoTool>) -> Finding {
    let version = match found {
        Ok(version) => version,
        Err(reason) => return missing("istioctl", reason, INSTALL_ISTIOCTL),
    };
    let (major, minor) = OLDEST_ISTIO;
    if version.is_at_least(major, minor) {
        return Finding::ok("istioctl", format!("version {version}"));
    }
    Finding::problem(
        "istioctl",
        format!(
            "version {version}; networking.istio.io/v1, as the manifests have it, came with {major}.{minor}"
        ),
        INSTALL_ISTIOCTL,
    )
}
