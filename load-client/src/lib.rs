//! Drives load, observes versions, judges the split against what the manifests declare.
