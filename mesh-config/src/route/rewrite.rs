//! Rewriting of path and authority.

/// `rewrite` of a route, compiled.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {}
