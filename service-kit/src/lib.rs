//! What the demo services share: configuration, probes, metrics, version report, drain.
