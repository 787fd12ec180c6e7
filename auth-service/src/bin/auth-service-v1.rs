//! auth-service v1.
fn main() {}
