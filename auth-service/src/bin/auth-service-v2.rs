//! auth-service v2.
fn main() {}
