//! Rank 2. A plan and facts to judgements: pure, total, deterministic.
