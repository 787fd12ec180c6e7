//! End-to-end scenarios over a target: local-mesh now, a cluster later.
