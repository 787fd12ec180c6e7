//! What a check is: its code, how much it weighs, who else would say it, and what to do.

use serde::Serialize;

/// One thing that is looked for. The code is stable: people suppress and script by it.
#[derive(Debug, Eq)]
pub struct Check {
    /// `TL` and four digits.
    pub code: &'static str,
    /// The code under which Istio's own tools report it, if they do.
    pub istio: Option<&'static str>,
    /// How much it weighs.
    pub severity: Severity,
    /// Who else would refuse or report it.
    pub layer: Layer,
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// What happens if it stays.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Whether istioctl reports it: not at all, on a cluster, or on files as well.
    pub istioctl: Istioctl,
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Check {
    /// The code that Istio's users know, else our own.
    #[must_use]
    pub fn shown_code(&self) -> &'static str {
        self.istio.unwrap_or(self.code)
    }
}

/// How much a finding weighs, the lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Works, and probably not as meant.
    Warning,
    /// Is refused, or breaks requests.
    Error,
}

/// Who else would refuse or report a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// kubectl or the API server, by Istio's CRDs.
    Schema,
    /// istiod's admission webhook, whose code `istioctl validate` is.
    Webhook,
    /// Envoy refuses what istiod makes of it.
    Proxy,
    /// An analysis, ours or that of `istioctl analyze`.
    Analysis,
    /// Nobody: it is valid, and local-mesh alone does not act on it.
    LocalMesh,
}

/// Where `istioctl` reports a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Istioctl {
    /// Nowhere.
    Never,
    /// `istioctl validate`, and `istioctl analyze` on files and on a cluster.
    Validate,
    /// `istioctl analyze` on files and on a cluster.
    Files,
    /// `istioctl analyze` on a cluster only.
    Cluster,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}
