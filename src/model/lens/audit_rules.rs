//! `config.audit_rules`: the audit rules that are loaded at boot, auditctl(8), audit.rules(7),
//! augenrules(8). Files of /etc/audit/rules.d are put together in the order of their names, where
//! numbers count as numbers, as cat(1) does; /etc/audit/audit.rules, which is made from them, counts only where
//! there are none. Two spellings of one rule give equal columns.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::facts;
use crate::model::audit_rule::{self, Rule};
use crate::model::cell::{AbsPath, Fact};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::unit;
use crate::model::view::Loaded;

const DIRECTORY: &str = "/etc/audit/rules.d";
const MAIN: &str = "/etc/audit/audit.rules";
/// More rules with `never`, or that take another back, than any real host has; each is compared
/// with every other.
const MAX_EXCEPTIONS: usize = 200;

/// What loads the rules when the host starts; the second since audit 4.
const UNITS: [&str; 2] = ["auditd.service", "audit-rules.service"];
const UNIT_DIRECTORIES: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

facts! {
    /// Audit rules on disk, as fields: two spellings of one rule are equal.
    #[table(name = "config.audit_rules", origin = Lens, location = "{path}")]
    pub struct AuditRule {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// Position in the order of loading, from 1.
        pub order: i64,
        /// `rule`, `delete` (takes one rule back), or `control` (-b, -D, -e, -f and their like).
        pub kind: Arc<str>,
        /// For a control: the option, for example `-e` or `--backlog_wait_time`.
        pub option: Option<Arc<str>>,
        /// For a control: its value.
        pub value: Option<Arc<str>>,
        /// `exit`, `task`, `user`, `exclude`, `filesystem`, `io_uring`; a watch is on `exit`.
        pub list: Option<Arc<str>>,
        /// `always` or `never`; a watch is `always`.
        pub action: Option<Arc<str>>,
        /// `b64` or `b32`, also where a machine is named; none where the rule names none.
        pub arch: Option<Arc<str>>,
        /// System calls, in byte order, without those that a rule `never,exit` keeps back; empty where the rule names none, which means all.
        pub syscalls: Vec<Arc<str>>,
        /// The file or directory that is watched, by -w, path= or dir=.
        pub target: Option<AbsPath>,
        /// Kinds of access, of `a`, `r`, `w`, `x` in this order; a watch without -p has all. Empty where the rule names none.
        pub perms: Vec<Arc<str>>,
        /// The other fields as name, operator, value, in byte order: `auid!=unset`, `auid>=1000`, `exit=-EACCES`. Other spellings of unset (-1, 4294967295) and root are replaced.
        pub fields: Vec<Arc<str>>,
        /// Comparisons of two fields (-C), the lesser name first, in byte order.
        pub comparisons: Vec<Arc<str>>,
        /// Keys, by -k or key=.
        pub keys: Vec<Arc<str>>,
        /// Whether it counts: no later -D, -d or -W deletes it, no earlier -e 2 locks it out, its file is one that is loaded, and, for rules of `exit`, no rule `never,task` keeps the kernel from looking at them, nor a rule `never,exit` that it asks before.
        pub effective: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        AuditRule::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reading = Reading::of::<AuditRule>(files);
        let mut parts: Vec<&Text> = files.in_directory(DIRECTORY, ".rules").collect();
        parts.sort_by(|a, b| by_version(a.name(), b.name()));
        let loaded = augmented(lines(&mut reading, &parts));
        let main: Vec<&Text> = files.get(MAIN).into_iter().collect();
        let main = lines(&mut reading, &main);
        let only_main = parts.is_empty() || loads_main(files);
        for (list, counts) in [(loaded, !only_main), (main, only_main)] {
            let cleared = list.iter().rposition(|line| line.rule.is_delete_all());
            let locked = list.iter().position(|line| line.rule.is_lock());
            let is_loaded = |order: usize| {
                cleared.is_none_or(|at| order >= at) && locked.is_none_or(|at| order <= at)
            };
            let quiet = list
                .iter()
                .enumerate()
                .any(|(order, line)| line.rule.is_never_task() && is_loaded(order));
            let mut list: Vec<(Line, bool)> = list
                .into_iter()
                .enumerate()
                .map(|(order, line)| {
                    let is_quiet = quiet && line.rule.list.as_deref() == Some("exit");
                    (line, counts && is_loaded(order) && !is_quiet)
                })
                .collect();
            if !hold_back(&mut list) {
                reading.truncate(format!(
                    "more than {MAX_EXCEPTIONS} audit rules that record nothing"
                ));
            }
            for (order, (line, effective)) in list.into_iter().enumerate() {
                reading.push(row(line, order, effective));
            }
        }
        Ok(reading.done())
    }
}

/// Takes the mark from rules that a later one takes back, and from those that another one with
/// `never`, which the kernel asks before, keeps from recording anything. False where there are too
/// many such rules to compare.
fn hold_back(list: &mut [(Line, bool)]) -> bool {
    let of = |list: &[(Line, bool)], wanted: fn(&Rule) -> bool| -> Vec<(usize, Rule)> {
        let counting =
            list.iter().enumerate().filter(|(_, (line, counts))| *counts && wanted(&line.rule));
        counting.map(|(at, (line, _))| (at, line.rule.clone())).collect()
    };
    let deletions = of(list, |rule| rule.deletes);
    for (at, deletion) in deletions.iter().take(MAX_EXCEPTIONS) {
        let before = list.iter_mut().take(*at).rev();
        let taken =
            before.into_iter().find(|(line, counts)| *counts && deletion.takes_back(&line.rule));
        if let Some((_, counts)) = taken {
            *counts = false;
        }
    }
    let nevers = of(list, Rule::is_never_exit);
    for (at, never) in nevers.iter().take(MAX_EXCEPTIONS) {
        for (place, (line, counts)) in
            list.iter_mut().enumerate().filter(|(_, (_, counts))| *counts)
        {
            let asked_before = match (never.goes_first, line.rule.goes_first) {
                (true, false) => true,
                (false, true) => false,
                (true, true) => *at > place,
                (false, false) => *at < place,
            };
            if asked_before && !never.leaves(&mut line.rule) {
                *counts = false;
            }
        }
    }
    deletions.len().max(nevers.len()) <= MAX_EXCEPTIONS
}

/// Whether what loads the rules has auditctl read the main file, and not augenrules the parts: the
/// last word of the units has it, or, before systemd, /etc/sysconfig/auditd.
fn loads_main(files: &ConfigFiles) -> bool {
    let mut commands: Vec<String> = Vec::new();
    for name in UNITS {
        let place = UNIT_DIRECTORIES.iter().find_map(|at| files.get(&format!("{at}/{name}")));
        let directories = UNIT_DIRECTORIES.map(|at| format!("{at}/{name}.d"));
        let directories: Vec<&str> = directories.iter().map(String::as_str).collect();
        let drop_ins = files.drop_ins(&directories, ".conf");
        for text in place.into_iter().chain(drop_ins).filter_map(|file| file.text.as_ref().ok()) {
            for entry in unit::parse(text).assignments {
                if matches!(entry.key.as_str(), "ExecStart" | "ExecStartPost") {
                    match entry.value.as_str() {
                        "" => commands.clear(),
                        value => commands.push(value.to_owned()),
                    }
                }
            }
        }
    }
    let has = |program: &str| commands.iter().any(|command| command.contains(program));
    let old = || {
        let text = files.get("/etc/sysconfig/auditd").and_then(|file| file.text.as_ref().ok());
        let mut lines = text.into_iter().flat_map(|text| text.lines());
        let said = lines.rfind(|line| line.trim_start().starts_with("USE_AUGENRULES"));
        said.is_some_and(|line| line.to_ascii_lowercase().contains("no"))
    };
    match commands.is_empty() {
        true => old(),
        false => has("auditctl") && !has("augenrules"),
    }
}

/// One rule and where it stands.
struct Line {
    path: AbsPath,
    line: i64,
    rule: Rule,
}

/// The rules of files that are put together as they are: a last line without an end goes on with
/// the first line of the next file.
fn lines(reading: &mut Reading, files: &[&Text]) -> Vec<Line> {
    let mut out = Vec::new();
    let mut begun: Option<(AbsPath, i64, String)> = None;
    let mut end = |begun: &mut Option<(AbsPath, i64, String)>| {
        let Some((path, line, text)) = begun.take() else { return };
        let rule = audit_rule::parse(text.trim_end_matches(['\n', '\r']));
        out.extend(rule.map(|rule| Line { path, line, rule }));
    };
    for file in files {
        for (line, text) in (1..).zip(reading.text(file).split_inclusive('\n')) {
            begun
                .get_or_insert_with(|| (AbsPath(Arc::clone(&file.path)), line, String::new()))
                .2
                .push_str(text);
            if text.ends_with('\n') {
                end(&mut begun);
            }
        }
    }
    end(&mut begun);
    out
}

/// As augenrules puts them together: of -D alone, -b and -f only the last, first of all, and of -e
/// the last, last of all.
fn augmented(lines: Vec<Line>) -> Vec<Line> {
    const FIRST: [&str; 3] = ["-D", "-b", "-f"];
    let (mut head, mut rest, mut end): ([Option<Line>; 3], _, _) = Default::default();
    let rest: &mut Vec<Line> = &mut rest;
    for line in lines {
        let option = line.rule.option.as_deref();
        if option == Some("-e") {
            end = Some(line);
        } else if let Some(at) = FIRST
            .iter()
            .position(|first| option == Some(*first))
            .filter(|at| *at > 0 || line.rule.is_delete_all())
        {
            head[at] = Some(line);
        } else {
            rest.push(line);
        }
    }
    head.into_iter().flatten().chain(rest.drain(..)).chain(end).collect()
}

fn row(line: Line, order: usize, effective: bool) -> AuditRule {
    let Line { path, line, rule } = line;
    let texts = |list: Vec<String>| list.into_iter().map(Arc::from).collect();
    AuditRule {
        path,
        line,
        order: i64::try_from(order).unwrap_or(i64::MAX - 1) + 1,
        kind: rule.kind().into(),
        option: rule.option.map(Arc::from),
        value: rule.value.map(Arc::from),
        list: rule.list.map(Arc::from),
        action: rule.action.map(Arc::from),
        arch: rule.arch.map(Arc::from),
        syscalls: texts(rule.syscalls),
        target: rule.target.map(|target| AbsPath(target.into())),
        perms: texts(rule.perms),
        fields: texts(rule.fields),
        comparisons: texts(rule.comparisons),
        keys: texts(rule.keys),
        effective,
    }
}

/// The order of `ls -v`: runs of digits by their number, everything else by byte.
fn by_version(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let number = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (digits_left, digits_right) = (number(left), number(right));
        let order = if digits_left > 0 && digits_right > 0 {
            let (x, y) = (&left[..digits_left], &right[..digits_right]);
            let (x, y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            (left, right) = (&left[digits_left..], &right[digits_right..]);
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            let (x, y) = (left.chars().next(), right.chars().next());
            left = left.get(x.map_or(0, char::len_utf8)..).unwrap_or_default();
            right = right.get(y.map_or(0, char::len_utf8)..).unwrap_or_default();
            x.cmp(&y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::super::testing::rows;
    use super::*;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        rows::<AuditRule>(&Lens, texts)
            .into_iter()
            .map(|row| {
                let name = row.path.0.rsplit('/').next().unwrap().to_owned();
                let what = row.option.or(row.target.map(|target| target.0)).unwrap_or_default();
                let mark = if row.effective { "" } else { " -" };
                format!("{name}:{} {}{mark}", row.line, what)
            })
            .collect()
    }

    #[test]
    fn files_are_put_together_as_augenrules_does() {
        let texts = [
            ("/etc/audit/rules.d/10-a.rules", "-e 2\n# x\n-w /a -k a\n-f 1\n"),
            ("/etc/audit/rules.d/9-b.rules", "-b 100\n-w /b\n-D\n-b 200\n"),
            ("/etc/audit/rules.d/99.txt", "-w /hidden\n"),
            (MAIN, "-w /c\n"),
        ];
        assert_eq!(
            shown(&texts),
            [
                "9-b.rules:3 -D",
                "9-b.rules:4 -b",
                "10-a.rules:4 -f",
                "9-b.rules:2 /b",
                "10-a.rules:3 /a",
                "10-a.rules:1 -e",
                "audit.rules:1 /c -",
            ]
        );
    }

    #[test]
    fn what_is_deleted_or_locked_out_does_not_count() {
        let texts = [(MAIN, "-w /a\n-D\n-w /b\n-e 2\n-w /c\n")];
        assert_eq!(
            shown(&texts),
            [
                "audit.rules:1 /a -",
                "audit.rules:2 -D",
                "audit.rules:3 /b",
                "audit.rules:4 -e",
                "audit.rules:5 /c -",
            ]
        );
    }

    #[test]
    fn the_unit_says_which_files_are_loaded() {
        let unit = "/usr/lib/systemd/system/auditd.service";
        let (parts, main) =
            (["a.rules:1 /a", "audit.rules:1 /b -"], ["a.rules:1 /a -", "audit.rules:1 /b"]);
        let by = |path: &'static str, text: &'static str| {
            shown(&[("/etc/audit/rules.d/a.rules", "-w /a\n"), (MAIN, "-w /b\n"), (path, text)])
        };
        assert_eq!(
            by(
                unit,
                "[Service]\nExecStart=/sbin/auditd\nExecStartPost=-/sbin/augenrules --load\n#ExecStartPost=-/sbin/auditctl -R x\n"
            ),
            parts
        );
        assert_eq!(
            by(unit, "[Service]\nExecStartPost=-/sbin/auditctl -R /etc/audit/audit.rules\n"),
            main
        );
        assert_eq!(by("/etc/sysconfig/auditd", "USE_AUGENRULES=\"no\"\n"), main);
        assert_eq!(by("/etc/sysconfig/auditd", "USE_AUGENRULES=yes\n"), parts);
        let drop_in = "/etc/systemd/system/auditd.service.d/a.conf";
        assert_eq!(
            by(drop_in, "[Service]\nExecStartPost=\nExecStartPost=/sbin/auditctl -R x\n"),
            main
        );
    }

    #[test]
    fn rules_that_are_taken_back_or_asked_too_late_do_not_count() {
        let texts = [(
            MAIN,
            "-a never,exit -F path=/a\n-w /a\n-w /b -p wa\n-w /c\n-W /b -p wa\n-A never,exit -F path=/c\n-a never,exit -F path=/d\n-A always,exit -F path=/d\n",
        )];
        assert_eq!(
            shown(&texts),
            [
                "audit.rules:1 /a",
                "audit.rules:2 /a -",
                "audit.rules:3 /b -",
                "audit.rules:4 /c -",
                "audit.rules:5 /b",
                "audit.rules:6 /c",
                "audit.rules:7 /d",
                "audit.rules:8 /d",
            ]
        );
    }

    #[test]
    fn rules_of_exit_do_not_count_where_no_task_is_audited() {
        let texts = [(MAIN, "-D\n-w /a\n-a exclude,always -F msgtype=CWD\n-a never,task\n")];
        assert_eq!(
            shown(&texts),
            ["audit.rules:1 -D", "audit.rules:2 /a -", "audit.rules:3 ", "audit.rules:4 "]
        );
        let some = [(MAIN, "-w /a\n-a task,never -F uid=5\n")];
        assert_eq!(shown(&some), ["audit.rules:1 /a", "audit.rules:2 "]);
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        assert_eq!(by_version("9-a", "10-a"), Ordering::Less);
        assert_eq!(by_version("a", "a1"), Ordering::Less);
        assert_eq!(by_version("01", "1"), Ordering::Less);
    }
}
