//! Header operations.

/// `headers` of a route or of a destination, compiled.
#[derive(Clone, Debug, Default)]
pub struct HeaderRules {}
