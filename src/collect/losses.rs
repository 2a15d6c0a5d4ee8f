//! What a collector could not see, as one reason.

use crate::model::state::TableState;

/// How many are named.
const NAMED: usize = 3;

/// Places or files that could not be read, counted, the first ones named.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses {
    count: usize,
    first: Vec<String>,
}

impl Losses {
    /// One more.
    pub(super) fn add(&mut self, path: &str, reason: &str) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(format!("{path} ({reason})"));
        }
    }

    /// The state of a table that lacks them; `things` says what they are, in the plural.
    pub(super) fn state(&self, things: &str) -> TableState {
        let named = self.first.join(", ");
        match self.count {
            0 => TableState::Collected,
            count if count == self.first.len() => {
                TableState::truncated(format!("{things} could not be read: {named}"))
            }
            count => TableState::truncated(format!(
                "{count} {things} could not be read, the first are {named}"
            )),
        }
    }
}
