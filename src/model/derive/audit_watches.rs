//! `audit_watches`: what the audit rules that name a file or directory record of it, audit.rules(7),
//! rules for 64 and for 32 bit programs put together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::audit_rules::AuditRule;
use crate::model::paths::joined;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{File, FileKind};
use crate::model::view::{Loaded, View};

/// Directories that are links on many hosts, so that what is in them has two names.
const LINKS: [&str; 8] =
    ["/bin", "/lib", "/lib32", "/lib64", "/sbin", "/usr/sbin", "/var/lock", "/var/run"];
/// More than any real host has; the kernel finds that many slow already.
const MAX_ROWS: usize = 50_000;

facts! {
    /// What the audit rules in force record of files and directories, for programs of every kind.
    #[table(name = "audit_watches", origin = Derived, location = "{path}")]
    pub struct AuditWatch {
        /// The file of the first rule.
        pub path: AbsPath,
        /// The line in it.
        pub line: i64,
        /// The file or directory as the rule names it.
        pub target: AbsPath,
        /// Every path of it, where a directory on the way is a link as /bin and /var/run are.
        pub names: Vec<Arc<str>>,
        /// Kinds of access that are recorded, of `a`, `r`, `w`, `x`: those of rules for programs of any kind, and those that both rules for 64 and for 32 bit programs name.
        pub perms: Vec<Arc<str>>,
        /// What narrows the rules: their fields and comparisons, in byte order.
        pub fields: Vec<Arc<str>>,
        /// Whether nothing narrows them.
        pub everybody: bool,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        AuditWatch::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[AuditRule::TABLE, File::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, rules) = view.typed::<AuditRule>()?;
        let mut state = state.and(view.files_state());
        let links = links(view)?;
        let mut watches: BTreeMap<(Arc<str>, Vec<Arc<str>>), Watch> = BTreeMap::new();
        for rule in rules {
            let Some(target) = named(&rule) else { continue };
            let mut narrowed = rule.fields;
            narrowed.extend(rule.comparisons);
            narrowed.sort_unstable();
            let watch = watches.entry((target, narrowed)).or_insert_with(|| Watch {
                path: rule.path,
                line: rule.line,
                perms: [""; 3].map(|_| BTreeSet::new()),
            });
            let perms = match rule.perms.is_empty() {
                true => ["a", "r", "w", "x"].map(Arc::from).to_vec(),
                false => rule.perms,
            };
            let kind = match rule.arch.as_deref() {
                None => 0,
                Some("b64") => 1,
                Some(_) => 2,
            };
            if let Some(set) = watch.perms.get_mut(kind) {
                set.extend(perms);
            }
        }
        if watches.len() > MAX_ROWS {
            state = state.and(TableState::truncated(format!("more than {MAX_ROWS} watches")));
        }
        let rows = watches.into_iter().take(MAX_ROWS).map(|((target, fields), watch)| {
            let [any, new, old] = &watch.perms;
            let both: BTreeSet<&Arc<str>> = any.iter().chain(new.intersection(old)).collect();
            AuditWatch {
                path: watch.path,
                line: watch.line,
                names: names(&target, &links),
                target: AbsPath(target),
                perms: both.into_iter().cloned().collect(),
                everybody: fields.is_empty(),
                fields,
            }
        });
        let rows = Arc::new(Rows::of(rows));
        Ok(Loaded { state, rows })
    }
}

struct Watch {
    path: AbsPath,
    line: i64,
    /// By programs of any kind, 64 bit, 32 bit.
    perms: [BTreeSet<Arc<str>>; 3],
}

/// The target of a rule that records whatever call touches it.
fn named(rule: &AuditRule) -> Option<Arc<str>> {
    let whole = rule.effective
        && &*rule.kind == "rule"
        && rule.list.as_deref() == Some("exit")
        && rule.action.as_deref() == Some("always")
        && rule.syscalls.iter().all(|call| &**call == "all");
    rule.target.as_ref().filter(|_| whole).map(|target| Arc::clone(&target.0))
}

/// The directories that are links here, with where they lead.
fn links(view: &View<'_>) -> Result<Vec<(&'static str, String)>, FactError> {
    let mut links = Vec::new();
    for directory in LINKS {
        let Some(file) = view.source().file(directory)? else { continue };
        if let (FileKind::Link, Some(target)) = (file.kind, &file.link_target) {
            links.push((directory, joined(directory, target)));
        }
    }
    Ok(links)
}

fn names(target: &Arc<str>, links: &[(&str, String)]) -> Vec<Arc<str>> {
    let mut names = vec![Arc::clone(target)];
    // Two rounds: /sbin leads to /usr/sbin, which leads to /usr/bin.
    for _ in 0..2 {
        for at in 0..names.len() {
            for (link, place) in links {
                for (from, to) in [(*link, place.as_str()), (place.as_str(), *link)] {
                    let rest = names.get(at).and_then(|name| name.strip_prefix(from));
                    let Some(rest) = rest.filter(|rest| rest.starts_with('/')) else { continue };
                    let other: Arc<str> = format!("{to}{rest}").into();
                    if !names.contains(&other) {
                        names.push(other);
                    }
                }
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::super::homes::testing::inode;
    use super::*;
    use crate::model::facts::MemoryFacts;

    fn shown(rules: &str) -> Vec<String> {
        let link = |path: &str, target: &str| File {
            link_target: Some(target.into()),
            ..inode(path, FileKind::Link, 0o777, 0)
        };
        let facts = MemoryFacts::new().with([text("/etc/audit/rules.d/a.rules", rules)]).with([
            link("/sbin", "usr/sbin"),
            link("/usr/sbin", "bin"),
            link("/var/run", "../run"),
        ]);
        let (state, rows) = View::new(&facts).typed::<AuditWatch>().unwrap();
        assert!(state.is_complete());
        let rows = rows.iter().map(|row| {
            let lists = [&row.names, &row.perms, &row.fields].map(|list| list.join(" "));
            format!("{}: {}: {}", row.line, lists.join(": "), row.everybody)
        });
        rows.collect()
    }

    #[test]
    fn rules_for_both_kinds_of_programs_are_put_together() {
        let rules = "-a always,exit -F arch=b64 -F path=/a -F perm=wa\n-a always,exit -F arch=b32 -S all -F path=/a -F perm=rw\n-w /a -p x\n-a always,exit -F arch=b64 -F path=/b -F perm=wa\n-a always,exit -F dir=/c -F uid=5 -C uid!=euid\n-a always,exit -F arch=b64 -S open -F path=/d\n-a never,exit -F path=/e\n";
        assert_eq!(
            shown(rules),
            ["1: /a: w x: : true", "4: /b: : : true", "5: /c: a r w x: euid!=uid uid=5: false",]
        );
    }

    #[test]
    fn links_give_other_names() {
        assert_eq!(
            shown("-w /run/x -p w\n-w /sbin/y -p w\n-w /var/runs -p w\n-w /run -p w\n"),
            [
                "4: /run: w: : true",
                "1: /run/x /var/run/x: w: : true",
                "2: /sbin/y /usr/sbin/y /usr/bin/y: w: : true",
                "3: /var/runs: w: : true",
            ]
        );
    }
}
