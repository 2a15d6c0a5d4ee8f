//! One line of audit.rules(7) as fields, in one spelling: auditctl(8). Pure and total.

use std::borrow::Cow;

/// A rule or a control.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// The option of a control, for example `-e`.
    pub option: Option<String>,
    /// The value of a control.
    pub value: Option<String>,
    /// Whether it takes a rule back.
    pub deletes: bool,
    /// Whether it goes before the rules that are there (`-A`).
    pub goes_first: bool,
    /// The list, for example `exit`.
    pub list: Option<String>,
    /// `always` or `never`.
    pub action: Option<String>,
    /// `b64` or `b32`.
    pub arch: Option<String>,
    /// System calls in byte order.
    pub syscalls: Vec<String>,
    /// The file or directory that is watched.
    pub target: Option<String>,
    /// Kinds of access, of `a`, `r`, `w`, `x`.
    pub perms: Vec<String>,
    /// The other fields, in byte order.
    pub fields: Vec<String>,
    /// Comparisons of two fields, in byte order.
    pub comparisons: Vec<String>,
    /// Keys.
    pub keys: Vec<String>,
}

/// Options that take a value and belong to a rule.
const OF_RULES: &str = "aAdwWSFCkp";
/// Controls that take a value.
const WITH_VALUE: &str = "efrbRmq";
/// Operators, longer ones first.
const OPERATORS: [&str; 8] = ["!=", ">=", "<=", "&=", "=", ">", "<", "&"];
const LISTS: [&str; 7] = ["task", "entry", "exit", "user", "exclude", "filesystem", "io_uring"];
/// Fields whose values are user or group ids.
const IDS: [&str; 13] = [
    "auid",
    "egid",
    "euid",
    "fsgid",
    "fsuid",
    "gid",
    "obj_gid",
    "obj_uid",
    "sessionid",
    "sgid",
    "suid",
    "uid",
    "loginuid",
];

impl Rule {
    /// `rule`, `delete` or `control`.
    pub fn kind(&self) -> &'static str {
        match (&self.option, self.deletes) {
            (Some(_), _) => "control",
            (None, true) => "delete",
            (None, false) => "rule",
        }
    }

    /// Whether it deletes every rule before it.
    pub fn is_delete_all(&self) -> bool {
        self.option.as_deref() == Some("-D") && self.keys.is_empty()
    }

    /// Whether it keeps the kernel from auditing system calls of any new process.
    pub fn is_never_task(&self) -> bool {
        self.kind() == "rule"
            && self.list.as_deref() == Some("task")
            && self.action.as_deref() == Some("never")
            && self.fields.is_empty()
            && self.comparisons.is_empty()
    }

    /// Whether it takes back this other rule, which has to be the same in everything.
    pub fn takes_back(&self, other: &Self) -> bool {
        self.deletes
            && !other.deletes
            && (self.option.is_none() && other.option.is_none())
            && (&self.list, &self.action, &self.arch, &self.target)
                == (&other.list, &other.action, &other.arch, &other.target)
            && (&self.syscalls, &self.perms, &self.fields, &self.comparisons, &self.keys)
                == (&other.syscalls, &other.perms, &other.fields, &other.comparisons, &other.keys)
    }

    /// Whether it keeps system calls from being recorded.
    pub fn is_never_exit(&self) -> bool {
        self.kind() == "rule"
            && self.list.as_deref() == Some("exit")
            && self.action.as_deref() == Some("never")
    }

    /// Takes from the rule what this one, which the kernel asks before it, keeps from being
    /// recorded. Whether anything is left of it.
    pub fn leaves(&self, other: &mut Self) -> bool {
        let within = |ours: &[String], theirs: &[String]| ours.iter().all(|it| theirs.contains(it));
        let speaks = other.kind() == "rule"
            && other.list.as_deref() == Some("exit")
            && other.action.as_deref() == Some("always")
            && (self.arch.is_none() || other.arch.is_none() || self.arch == other.arch)
            && (self.target.is_none() || self.target == other.target)
            && (self.perms.is_empty()
                || !other.perms.is_empty() && within(&other.perms, &self.perms))
            && within(&self.fields, &other.fields)
            && within(&self.comparisons, &other.comparisons);
        if !speaks || !self.syscalls.is_empty() && other.syscalls.is_empty() {
            return true;
        }
        if !self.syscalls.is_empty() {
            other.syscalls.retain(|call| !self.syscalls.contains(call));
        }
        !(self.syscalls.is_empty() || other.syscalls.is_empty())
    }

    /// Whether the kernel takes no rules after it.
    pub fn is_lock(&self) -> bool {
        self.option.as_deref() == Some("-e") && self.value.as_deref() == Some("2")
    }
}

/// Reads a line; none for a comment and for what is no option. Only spaces separate words, and a
/// backslash keeps one.
pub fn parse(line: &str) -> Option<Rule> {
    let words = words(line);
    if words.first()?.starts_with('#') {
        return None;
    }
    let mut rule = Rule::default();
    let mut words = words.into_iter();
    let mut any = false;
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None if long == "backlog_wait_time" => (long, words.next()),
                None => (long, None),
            };
            (rule.option, rule.value) = (Some(format!("--{name}")), value);
            any = true;
            continue;
        }
        let mut letters = word.chars();
        let (Some('-'), Some(letter)) = (letters.next(), letters.next()) else { continue };
        let attached = letters.as_str();
        let takes_value = OF_RULES.contains(letter) || WITH_VALUE.contains(letter);
        let value = match (takes_value, attached) {
            (true, "") => words.next().unwrap_or_default(),
            (_, attached) => attached.to_owned(),
        };
        any = true;
        if OF_RULES.contains(letter) {
            rule.add(letter, &value);
        } else {
            rule.option = Some(format!("-{letter}"));
            rule.value = takes_value.then_some(value);
        }
    }
    rule.finish();
    any.then_some(rule)
}

/// Words at spaces; a backslash keeps a space and itself.
fn words(line: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut word = String::new();
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' => list.push(std::mem::take(&mut word)),
            '\\' => match characters.next_if(|next| matches!(next, ' ' | '\\')) {
                Some(kept) => word.push(kept),
                None => word.push('\\'),
            },
            other => word.push(other),
        }
    }
    list.push(word);
    list.retain(|word| !word.is_empty());
    list
}

impl Rule {
    fn add(&mut self, letter: char, value: &str) {
        match letter {
            'a' | 'A' | 'd' => {
                self.deletes = letter == 'd';
                self.goes_first = letter == 'A';
                for part in value.split(',') {
                    let slot =
                        if LISTS.contains(&part) { &mut self.list } else { &mut self.action };
                    *slot = Some(part.to_owned());
                }
            }
            'w' | 'W' => {
                self.deletes = letter == 'W';
                self.target = Some(trimmed(value));
                (self.list, self.action) = (Some("exit".into()), Some("always".into()));
                if self.perms.is_empty() {
                    self.perms = perms("rwxa");
                }
            }
            'p' => self.perms = perms(value),
            'k' => self.keys.push(value.to_owned()),
            'S' => self.syscalls.extend(value.split(',').map(str::to_owned)),
            'C' => self.comparisons.extend(comparison(value)),
            _ => self.field(value),
        }
    }

    fn field(&mut self, text: &str) {
        // The operator that begins first, the longest where several begin there.
        let found = OPERATORS
            .iter()
            .filter_map(|operator| text.find(operator).map(|at| (at, *operator)))
            .min_by_key(|(at, operator)| (*at, usize::MAX - operator.len()));
        let Some((at, operator)) = found else {
            self.fields.push(text.to_owned());
            return;
        };
        let name = text[..at].to_ascii_lowercase();
        let name = if name == "loginuid" { "auid" } else { name.as_str() };
        let value = &text[at + operator.len()..];
        match (name, operator) {
            ("key", "=") => self.keys.push(value.to_owned()),
            ("path" | "dir", "=") => self.target = Some(trimmed(value)),
            ("perm", "=") => self.perms = perms(value),
            ("arch", "=") => self.arch = Some(arch(value)),
            (_, ">")
                if IDS.contains(&name) && value.parse::<u32>().is_ok_and(|id| id < u32::MAX) =>
            {
                let least = value.parse::<u32>().unwrap_or_default() + 1;
                self.fields.push(format!("{name}>={least}"));
            }
            _ => self.fields.push(format!("{name}{operator}{}", spelled(name, value))),
        }
    }

    fn finish(&mut self) {
        for list in [&mut self.syscalls, &mut self.fields, &mut self.comparisons] {
            list.retain(|item| !item.is_empty());
            list.sort_unstable();
            list.dedup();
        }
        // All of them are what a rule is about that names none.
        if self.syscalls.iter().any(|name| name == "all") {
            self.syscalls.clear();
        }
    }
}

/// The path without slashes at its end.
fn trimmed(path: &str) -> String {
    match path.trim_end_matches('/') {
        "" if path.starts_with('/') => "/".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

fn perms(text: &str) -> Vec<String> {
    let text = text.to_ascii_lowercase();
    ["a", "r", "w", "x"].into_iter().filter(|one| text.contains(one)).map(str::to_owned).collect()
}

fn arch(value: &str) -> String {
    match value.to_ascii_lowercase().as_str() {
        "x86_64" | "aarch64" | "ppc64" | "ppc64le" | "s390x" | "riscv64" | "ia64" => "b64".into(),
        "i386" | "i486" | "i586" | "i686" | "arm" | "armv7l" | "ppc" | "s390" => "b32".into(),
        other => other.to_owned(),
    }
}

/// A value in its usual spelling.
fn spelled<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if IDS.contains(&name) {
        return match value {
            "-1" | "4294967295" => "unset".into(),
            "root" => "0".into(),
            other => other.into(),
        };
    }
    match (name, value) {
        ("exit", "-1") => "-EPERM".into(),
        ("exit", "-13") => "-EACCES".into(),
        // Arguments of a system call, which the kernel lists in hexadecimal.
        ("a0" | "a1" | "a2" | "a3", number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            let radix = if number.starts_with('0') { 8 } else { 10 };
            u64::from_str_radix(number, radix)
                .map_or(number.into(), |number| format!("0x{number:x}").into())
        }
        (_, other) => other.into(),
    }
}

/// `-C` of two fields, the lesser first.
fn comparison(text: &str) -> Option<String> {
    let operator = if text.contains("!=") { "!=" } else { "=" };
    let (a, b) = text.split_once(operator)?;
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    Some(format!("{a}{operator}{b}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rules_that_are_asked_before_keep_calls_back() {
        let left = |before: &str, text: &str| {
            let mut rule = parse(text).unwrap();
            parse(before).unwrap().leaves(&mut rule).then(|| rule.syscalls.join(","))
        };
        let mounts = "-a always,exit -F arch=b64 -S mount,umount2 -F auid>=1000 -k m";
        assert_eq!(left("-a never,exit", mounts), None);
        assert_eq!(left("-a never,exit -F arch=b64 -S mount", mounts), Some("umount2".into()));
        assert_eq!(
            left("-a never,exit -F arch=b32 -S mount", mounts),
            Some("mount,umount2".into())
        );
        assert_eq!(left("-a never,exit -S mount -F uid=5", mounts), Some("mount,umount2".into()));
        assert_eq!(left("-a never,exit -S mount,umount2 -F auid>=1000", mounts), None);
        assert_eq!(left("-a never,exit -F path=/a -F perm=wa", "-w /a -p wa"), None);
        assert_eq!(left("-a never,exit -F path=/a -F perm=w", "-w /a -p wa"), Some(String::new()));
        assert_eq!(left("-a never,exit -F path=/b", "-w /a -p wa"), Some(String::new()));
    }

    #[test]
    fn a_rule_is_taken_back_by_its_like() {
        let back = |text: &str, rule: &str| parse(text).unwrap().takes_back(&parse(rule).unwrap());
        assert!(back("-W /a -p wa -k x", "-w /a/ -k x -p aw"));
        assert!(!back("-W /a -p wa", "-w /a -k x -p aw"));
        assert!(back(
            "-d exit,always -S mount -F auid!=-1",
            "-a always,exit -S mount -F auid!=unset"
        ));
        assert!(!back("-w /a", "-w /a"));
    }

    #[test]
    fn spellings_of_one_rule_are_equal() {
        for (a, b) in [
            ("-w /etc/x/ -p wa -k id", "-a always,exit -F path=/etc/x -F perm=aw -F key=id"),
            ("-w /etc/x", "-w /etc/x -p rwxa"),
            ("-a always,exit -F auid>999", "-a always,exit -F auid>=1000"),
            ("-a exit,always -Fdir=/a -k k", "-a always,exit -F dir=/a/ -F key=k"),
            (
                "-a always,exit -F arch=b64 -S open,creat -F exit=-13 -F auid>=1000 -F auid!=-1 -kx",
                "-a always,exit -F arch=x86_64 -S creat -S open -F AUID!=unset -F auid>=1000 -F exit=-EACCES -F key=x",
            ),
            (
                "-a always,exit -C euid!=uid -F auid!=4294967295",
                "-a always,exit -C uid!=euid -F loginuid!=unset",
            ),
        ] {
            assert_eq!(parse(a), parse(b), "{a}");
        }
        assert_ne!(parse("-w /a -p r"), parse("-w /a -p w"));
    }

    #[test]
    fn fields_are_taken_apart() {
        let rule =
            parse("-a never,exit -F arch=b32 -S all -F a1&=0100 -F exe=/usr/bin/a\\ b -F uid>0")
                .unwrap();
        assert_eq!(rule.action.as_deref(), Some("never"));
        assert_eq!(rule.fields, ["a1&=0x40", "exe=/usr/bin/a b", "uid>=1"]);
        assert_eq!((rule.arch.as_deref(), rule.kind()), (Some("b32"), "rule"));
    }

    #[test]
    fn controls_are_options_with_values() {
        let control = |text: &str| parse(text).map(|rule| (rule.option.unwrap(), rule.value));
        assert_eq!(control("-e 2"), Some(("-e".into(), Some("2".into()))));
        assert_eq!(control("-b8192"), Some(("-b".into(), Some("8192".into()))));
        assert_eq!(control(" -D"), Some(("-D".into(), None)));
        assert_eq!(
            control("--backlog_wait_time 60000"),
            Some(("--backlog_wait_time".into(), Some("60000".into())))
        );
        assert_eq!(control("--loginuid-immutable"), Some(("--loginuid-immutable".into(), None)));
        assert_eq!(parse("# -e 2"), None);
        assert_eq!(parse("x"), None);
        assert_eq!(parse("-W /a -p r").unwrap().kind(), "delete");
    }

    proptest! {
        #[test]
        fn any_line_is_read_calmly(line in "[ \\\\=,!<>&#a-zA-Z0-9-]{0,80}") {
            let _ = parse(&line);
        }
    }
}
