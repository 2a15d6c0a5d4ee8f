//! Rank 3. Targets in, reports out: many hosts in parallel, gates, exclusions.
