//! Rank 1. The container: the only place that knows its bytes.
