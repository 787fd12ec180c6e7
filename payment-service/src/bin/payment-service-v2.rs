//! payment-service v2.
fn main() {}
