//! Firewall rules as they are configured: nftables, iptables, ufw and firewalld.
//!
//! The rows say what the files hold. Whether something loads them at boot is a matter of the
//! `services` table, and for ufw of the row with `ENABLED=`.

mod firewalld;
mod iptables;
mod nftables;
mod ufw;
mod xml;

use std::io;
use std::sync::Arc;

use crate::collect::Root;
use crate::collect::redact;
use crate::model::state::TableState;
use crate::model::table::{FileKind, FirewallRule, ONLY_CONFIGURED};

/// Largest file that is read.
const LARGEST: u64 = 8 * 1024 * 1024;
/// Most rows of one host.
const MOST_ROWS: usize = 200_000;

/// Configured firewall rules, in the order of engine, file and line.
///
/// Policies are in lower case for every engine; firewalld's targets become `accept`, `drop` or
/// `reject`. The kernel shows the rules that are in force through no file, so on the running host
/// the table is truncated and says so.
pub fn firewall(root: &dyn Root) -> (TableState, Vec<FirewallRule>) {
    let mut rules = Rules { root, rows: Vec::new(), troubles: Vec::new() };
    nftables::collect(&mut rules);
    iptables::collect(&mut rules);
    ufw::collect(&mut rules);
    firewalld::collect(&mut rules);
    if root.is_live() {
        rules.troubles.push(ONLY_CONFIGURED.to_owned());
    }
    let state = match rules.troubles.as_slice() {
        [] => TableState::Collected,
        troubles => {
            let shown = troubles.get(..troubles.len().min(3)).unwrap_or_default();
            TableState::truncated(shown.join("; "))
        }
    };
    (state, rules.rows)
}

/// The rows so far.
struct Rules<'r> {
    root: &'r dyn Root,
    rows: Vec<FirewallRule>,
    troubles: Vec<String>,
}

impl Rules<'_> {
    /// The text of a file; none where there is no such file.
    fn text(&mut self, path: &str) -> Option<String> {
        match self.root.read(path, LARGEST) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => {
                self.trouble(path, &error);
                None
            }
        }
    }

    /// The names of the files (links among them) in a directory that end so.
    fn names(&mut self, directory: &str, ending: &str) -> Vec<String> {
        let entries = self.root.list(directory).unwrap_or_else(|error| {
            self.trouble(directory, &error);
            Vec::new()
        });
        let wanted = |(name, kind): &(String, FileKind)| {
            name.ends_with(ending) && matches!(kind, FileKind::File | FileKind::Link)
        };
        entries.into_iter().filter(wanted).map(|(name, _)| name).collect()
    }

    /// That a file is not there is no trouble.
    fn trouble(&mut self, path: &str, error: &io::Error) {
        if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
            self.troubles.push(format!("{path} could not be read ({error})"));
        }
    }

    /// Adds a row while there is room, and says where it went.
    fn push(&mut self, row: FirewallRule) -> Option<usize> {
        if self.rows.len() >= MOST_ROWS {
            let trouble = format!("there are more than {MOST_ROWS} firewall rules");
            if !self.troubles.contains(&trouble) {
                self.troubles.push(trouble);
            }
            return None;
        }
        self.rows.push(row);
        Some(self.rows.len() - 1)
    }
}

/// A row of which only the place is known.
fn row(engine: &str, origin: &Arc<str>, line: usize) -> FirewallRule {
    FirewallRule {
        engine: engine.into(),
        origin: Arc::clone(origin),
        line: i64::try_from(line).ok(),
        family: None,
        table: None,
        chain: None,
        hook: None,
        policy: None,
        rule: None,
    }
}

/// A rule's text with white space folded and secrets redacted.
fn folded(text: &str) -> Arc<str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    redact::command_line(&words.join(" ")).into()
}
