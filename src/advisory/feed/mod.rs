//! Feeds: one file a kind, each a pure function from bytes to [`Feed`](super::record::Feed).
