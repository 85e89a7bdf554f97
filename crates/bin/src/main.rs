//! customer-service
fn main() {}
