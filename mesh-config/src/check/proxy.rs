//! What passes the API server and istiod and is refused by Envoy, and what is an error here alone.

use super::catalogue::{Check, Istioctl, Layer, Severity};

/// In a table of routes.
pub(crate) static ENVOY_ROUTES: Check = Check {
    code: "TL0201",
    istio: None,
    severity: Severity::Error,
    layer: Layer::Proxy,
    what: "routes that Envoy refuses",
    why: "Everybody accepts the object, and Envoy refuses the whole table of routes made of it: every host on the port \
          answers 404 in proxies that start, and the others keep the routes they had.",
    fix: "See the message.",
    istioctl: Istioctl::Never,
};

/// In a cluster.
pub(crate) static ENVOY_CLUSTER: Check = Check {
    code: "TL0202",
    istio: None,
    severity: Severity::Error,
    layer: Layer::Proxy,
    what: "a cluster that Envoy refuses",
    why: "Everybody accepts the object, and Envoy refuses the cluster made of it: requests to it are answered 503.",
    fix: "See the message.",
    istioctl: Istioctl::Never,
};

/// Valid, and not acted on here.
pub(crate) static NOT_SUPPORTED: Check = Check {
    code: "TL0211",
    istio: None,
    severity: Severity::Error,
    layer: Layer::LocalMesh,
    what: "a field that local-mesh does not act on yet",
    why: "The object is valid; `local-mesh up` and `apply` refuse it, because they would not do what it says.",
    fix: "Use a cluster for this, or remove the field.",
    istioctl: Istioctl::Never,
};

/// Objects of other kinds, read for what they contribute.
pub(crate) static OTHER_KIND: Check = Check {
    code: "TL0210",
    istio: None,
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "an object of another kind that cannot be read",
    why: "`local-mesh up` and `apply` refuse it, and nothing can be said about rules that refer to it.",
    fix: "See the message.",
    istioctl: Istioctl::Never,
};

/// Text behind the end of a document.
pub(crate) static UNREAD: Check = Check {
    code: "TL0212",
    istio: None,
    severity: Severity::Error,
    layer: Layer::Analysis,
    what: "text behind the end of a document",
    why: "kubectl reads one document between two lines `---`, and nothing behind a line `...`: objects there are lost in silence.",
    fix: "Write `---` instead of `...`, or remove what is behind it.",
    istioctl: Istioctl::Never,
};

/// All of them that a report can have.
pub(crate) static ALL: &[&Check] = &[&ENVOY_ROUTES, &ENVOY_CLUSTER, &OTHER_KIND, &UNREAD];
