//! The `dify-api` binary.

fn main() {}
