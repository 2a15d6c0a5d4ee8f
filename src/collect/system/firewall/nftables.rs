//! nftables (nft(8)): /etc/nftables.conf and what it includes. Tables in blocks and commands in
//! lines, chains with their hooks and policies, rules as written.

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::GlobBuilder;

use super::{Rules, folded, row};
use crate::model::table::FirewallRule;

mod scan;

use scan::{Scanner, Statement};

/// Debian and Arch; the RHEL family.
const FILES: [&str; 2] = ["/etc/nftables.conf", "/etc/sysconfig/nftables.conf"];
/// nft's own limit.
const DEEPEST_INCLUDE: usize = 16;
/// Most files of one host.
const MOST_FILES: usize = 1_000;
/// Longest statement after its variables have got their values.
const LONGEST: usize = 64 * 1024;
/// Most commands that take rules away again; each goes through all rows.
const MOST_FLUSHES: usize = 1_000;
const FAMILIES: [&str; 6] = ["ip", "ip6", "inet", "arp", "bridge", "netdev"];

pub(super) fn collect(rules: &mut Rules<'_>) {
    let (chains, defined) = (BTreeMap::new(), BTreeMap::new());
    let mut reader = Reader { rules, chains, defined, files: 0, flushes: 0 };
    for path in FILES {
        reader.file(path, 0);
    }
}

/// Family, table.
type Table = (Arc<str>, Arc<str>);

struct Reader<'a, 'r> {
    rules: &'a mut Rules<'r>,
    /// Rows of the chains.
    chains: BTreeMap<(Table, Arc<str>), usize>,
    /// Values of variables.
    defined: BTreeMap<String, String>,
    files: usize,
    flushes: usize,
}

impl Reader<'_, '_> {
    fn file(&mut self, path: &str, depth: usize) {
        self.files += 1;
        if depth > DEEPEST_INCLUDE || self.files > MOST_FILES {
            return self.trouble("nftables files include one another too deep or too often");
        }
        let Some(text) = self.rules.text(path) else { return };
        let origin: Arc<str> = path.into();
        let mut scanner = Scanner::new(&text);
        while let Some(statement) = scanner.next() {
            match statement {
                Statement::Line { text, line } => self.command(&text, &origin, line, depth),
                Statement::Open { text, line } => self.block(&mut scanner, &text, &origin, line),
                Statement::Close => {}
            }
        }
    }

    fn trouble(&mut self, trouble: &str) {
        if !self.rules.troubles.iter().any(|known| known == trouble) {
            self.rules.troubles.push(trouble.to_owned());
        }
    }

    /// A block at the top level: a table, or a command that takes one.
    fn block(&mut self, scanner: &mut Scanner<'_>, head: &str, origin: &Arc<str>, line: usize) {
        let words = without_verb(head);
        match words.split_first() {
            Some((&"table", rest)) => match table_of(rest) {
                Some((table, [])) => self.table(scanner, &table, origin, line),
                _ => scanner.skip(),
            },
            Some((&"chain", rest)) => match table_of(rest) {
                Some((table, [chain])) => self.chain(scanner, &table, chain, origin, line),
                _ => scanner.skip(),
            },
            _ => scanner.skip(),
        }
    }

    fn table(&mut self, scanner: &mut Scanner<'_>, table: &Table, origin: &Arc<str>, line: usize) {
        while let Some(statement) = scanner.next() {
            match statement {
                Statement::Close => break,
                Statement::Line { text, .. } => self.define(&text),
                Statement::Open { text, line } => {
                    let words: Vec<&str> = text.split_whitespace().collect();
                    match words.as_slice() {
                        ["chain", name] => self.chain(scanner, table, name, origin, line),
                        _ => scanner.skip(),
                    }
                }
            }
        }
        self.empty_table(table, origin, line);
    }

    /// A table without a chain has a row of its own.
    fn empty_table(&mut self, table: &Table, origin: &Arc<str>, line: usize) {
        let known = |row: &FirewallRule| {
            row.family.as_ref() == Some(&table.0) && row.table.as_ref() == Some(&table.1)
        };
        let of_nft = self.rules.rows.iter().filter(|row| &*row.engine == "nftables");
        if !of_nft.into_iter().any(known) {
            self.rules.push(FirewallRule { chain: None, ..place(table, "", origin, line) });
        }
    }

    /// Keeps the value of a variable.
    fn define(&mut self, text: &str) {
        let Some((head, value)) = text.split_once('=') else { return };
        if let ["define" | "redefine", name] = head.split_whitespace().collect::<Vec<_>>()[..] {
            let value = self.expanded(value.trim());
            self.defined.insert(name.to_owned(), value);
        }
    }

    /// The text with the values of its variables.
    fn expanded(&self, text: &str) -> String {
        let mut parts = text.split('$');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
            match self.defined.get(name) {
                Some(value) if out.len() + value.len() + rest.len() <= LONGEST => {
                    out.push_str(value);
                }
                _ => {
                    out.push('$');
                    out.push_str(name);
                }
            }
            out.push_str(rest);
        }
        out
    }

    fn chain(
        &mut self,
        scanner: &mut Scanner<'_>,
        table: &Table,
        name: &str,
        origin: &Arc<str>,
        line: usize,
    ) {
        self.declare(table, name, origin, line);
        while let Some(statement) = scanner.next_rule() {
            match statement {
                Statement::Close => return,
                Statement::Line { text, line } | Statement::Open { text, line } => {
                    self.in_chain(table, name, &text, origin, line);
                }
            }
        }
    }

    /// What stands in a chain: its hook, its policy, or a rule.
    fn in_chain(&mut self, table: &Table, name: &str, text: &str, origin: &Arc<str>, line: usize) {
        let text = &self.expanded(text);
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            [] | ["comment" | "flags" | "devices" | "device" | "define" | "redefine", ..] => {
                self.define(text);
            }
            ["type", _, "hook", hook, ..] => {
                if let Some(row) = self.chain_row(table, name) {
                    row.hook = Some((*hook).into());
                    // Without a word about it, a base chain accepts.
                    row.policy.get_or_insert_with(|| "accept".into());
                }
            }
            ["policy", policy] => {
                let policy = policy.trim_matches('"').to_ascii_lowercase();
                if let Some(row) = self.chain_row(table, name) {
                    row.policy = Some(policy.into());
                }
            }
            _ => self.rule(table, name, text, origin, line),
        }
    }

    fn chain_row(&mut self, table: &Table, name: &str) -> Option<&mut FirewallRule> {
        let at = *self.chains.get(&(table.clone(), Arc::from(name)))?;
        self.rules.rows.get_mut(at)
    }

    fn declare(&mut self, table: &Table, name: &str, origin: &Arc<str>, line: usize) {
        let key = (table.clone(), Arc::from(name));
        if self.chains.contains_key(&key) {
            return;
        }
        if let Some(at) = self.rules.push(place(table, name, origin, line)) {
            self.chains.insert(key, at);
        }
    }

    fn rule(&mut self, table: &Table, name: &str, text: &str, origin: &Arc<str>, line: usize) {
        let mut row = place(table, name, origin, line);
        row.hook = self.chain_row(table, name).and_then(|chain| chain.hook.clone());
        row.rule = Some(folded(text));
        self.rules.push(row);
    }

    /// A command in a line of its own.
    fn command(&mut self, text: &str, origin: &Arc<str>, line: usize, depth: usize) {
        if let Some(pattern) = text.trim().strip_prefix("include") {
            return self.include(pattern.trim().trim_matches(['"', '\'']), depth);
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["flush", "ruleset"] => self.forget(|_| true, true),
            ["flush", "ruleset", family] => self.forget(|(of, _)| **of == **family, true),
            ["delete" | "destroy", "table", rest @ ..] => {
                if let Some((table, _)) = table_of(rest) {
                    self.forget(|of| *of == table, true);
                }
            }
            ["flush", "table", rest @ ..] => {
                if let Some((table, _)) = table_of(rest) {
                    self.forget(|of| *of == table, false);
                }
            }
            ["define" | "redefine", ..] => self.define(text),
            ["add" | "create", "table", rest @ ..] | ["table", rest @ ..] => {
                if let Some((table, [])) = table_of(rest) {
                    self.empty_table(&table, origin, line);
                }
            }
            ["add" | "create", "chain", rest @ ..] | ["chain", rest @ ..] => {
                if let Some((table, [chain, ..])) = table_of(rest) {
                    self.declare(&table, chain, origin, line);
                }
            }
            ["add" | "insert", "rule", rest @ ..] => {
                let Some((table, [chain, rule @ ..])) = table_of(rest) else { return };
                let rule = match rule {
                    ["position" | "index" | "handle", _, rule @ ..] => rule,
                    rule => rule,
                };
                let rule = self.expanded(&rule.join(" "));
                self.rule(&table, chain, &rule, origin, line);
            }
            _ => {}
        }
    }

    /// Takes the rows of some tables away: all of them, or only the rules.
    fn forget(&mut self, which: impl Fn(&Table) -> bool, chains: bool) {
        self.flushes += 1;
        if self.flushes > MOST_FLUSHES {
            return self.trouble("nftables files flush too often");
        }
        let gone = |row: &FirewallRule| {
            let (Some(family), Some(table)) = (&row.family, &row.table) else { return false };
            &*row.engine == "nftables"
                && which(&(Arc::clone(family), Arc::clone(table)))
                && (chains || row.rule.is_some())
        };
        self.rules.rows.retain(|row| !gone(row));
        self.chains.clear();
        for (at, row) in self.rules.rows.iter().enumerate() {
            if let (None, Some(family), Some(table), Some(chain)) =
                (&row.rule, &row.family, &row.table, &row.chain)
            {
                let table = (Arc::clone(family), Arc::clone(table));
                self.chains.insert((table, Arc::clone(chain)), at);
            }
        }
    }

    /// Files are looked for from /etc; a pattern may stand for several, in the order of names.
    fn include(&mut self, pattern: &str, depth: usize) {
        let pattern =
            if pattern.starts_with('/') { pattern.to_owned() } else { format!("/etc/{pattern}") };
        let Some((directory, name)) = pattern.rsplit_once('/') else { return };
        if !name.contains(['*', '?', '[']) {
            return self.file(&pattern, depth + 1);
        }
        let matcher = GlobBuilder::new(name).literal_separator(true).build();
        let Ok(matcher) = matcher.map(|glob| glob.compile_matcher()) else { return };
        for file in self.rules.names(directory, "") {
            if matcher.is_match(&file) && !file.starts_with('.') {
                self.file(&format!("{directory}/{file}"), depth + 1);
            }
        }
    }
}

fn place(table: &Table, chain: &str, origin: &Arc<str>, line: usize) -> FirewallRule {
    FirewallRule {
        family: Some(Arc::clone(&table.0)),
        table: Some(Arc::clone(&table.1)),
        chain: Some(chain.into()),
        ..row("nftables", origin, line)
    }
}

/// The words of a command without `add` or `create`.
fn without_verb(head: &str) -> Vec<&str> {
    let words = head.split_whitespace();
    let mut words: Vec<&str> = words.collect();
    if matches!(words.first(), Some(&("add" | "create"))) {
        words.remove(0);
    }
    words
}

/// A family (`ip` where there is none) and a table, and the words after it.
fn table_of<'a, 'w>(words: &'w [&'a str]) -> Option<(Table, &'w [&'a str])> {
    let (family, rest) = match words.split_first()? {
        (family, rest) if FAMILIES.contains(family) => (*family, rest),
        _ => ("ip", words),
    };
    let (table, rest) = rest.split_first()?;
    Some(((family.into(), (*table).into()), rest))
}
