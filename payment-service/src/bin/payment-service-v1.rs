//! payment-service v1.
fn main() {}
