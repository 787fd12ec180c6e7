//! Istio manifests in, routing decisions out: pure, no I/O.
