//! Prepares the embedded rulesets.

fn main() {}
