//! Rank 1. A report to bytes. Total: every format carries the same findings, nothing is filtered here.
