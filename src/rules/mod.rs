//! Rank 1. YAML to spanned syntax to a checked plan.
