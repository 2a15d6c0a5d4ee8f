//! What a command line runs: its program, the script that an interpreter is given, what wrappers
//! start, and the commands of a shell.

use crate::model::unit::{Escapes, words};

/// How deep commands that start commands are followed.
const DEPTH: u8 = 8;

/// Something that a command runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Runs {
    /// A program or script: an absolute path, or a name that is looked for in the search path.
    Program(String),
    /// Every program in a directory.
    Directory(String),
}

/// What a command is given, and where the part that it runs begins.
enum Kind {
    /// A shell: a script, or a text after `-c`.
    Shell,
    /// An interpreter of scripts: options that take a value, and options after which there is no
    /// script.
    Interpreter { valued: &'static [&'static str], none: &'static [&'static str] },
    /// `java -jar FILE`, `php -f FILE`, `awk -f FILE`: the script is the value of an option.
    Option(&'static str),
    /// Runs what follows its options and so many other words.
    Wrapper { valued: &'static [&'static str], skip: usize },
    /// Runs what is in a directory.
    RunParts,
    /// Runs something as another user, or is an ordinary program.
    Other,
}

fn kind(program: &str) -> Kind {
    let name = program.rsplit('/').next().unwrap_or_default();
    // python3.11 is python, php8.2 is php.
    match name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh" | "rbash" => Kind::Shell,
        "python" | "pypy" => Kind::Interpreter { valued: &["-W", "-X"], none: &["-c", "-m"] },
        "perl" => Kind::Interpreter { valued: &["-I"], none: &["-e", "-E"] },
        "ruby" => Kind::Interpreter { valued: &["-r", "-I", "-C", "-E"], none: &["-e"] },
        "node" | "nodejs" => Kind::Interpreter {
            valued: &["-r", "--require", "--import", "-C"],
            none: &["-e", "--eval", "-p", "--print"],
        },
        "lua" => Kind::Interpreter { valued: &["-l"], none: &["-e"] },
        "tclsh" | "wish" | "Rscript" | "guile" => Kind::Interpreter { valued: &[], none: &["-e"] },
        "expect" => Kind::Interpreter { valued: &[], none: &["-c"] },
        "java" => Kind::Option("-jar"),
        "php" => Kind::Interpreter { valued: &["-c", "-d", "-z"], none: &["-r", "-a", "-S"] },
        "awk" | "gawk" | "mawk" | "sed" => Kind::Option("-f"),
        "env" => Kind::Wrapper { valued: &["-u", "--unset", "-C", "--chdir"], skip: 0 },
        "nice" => Kind::Wrapper { valued: &["-n", "--adjustment"], skip: 0 },
        "ionice" => Kind::Wrapper { valued: &["-c", "-n", "--class", "--classdata"], skip: 0 },
        "timeout" => Kind::Wrapper { valued: &["-s", "--signal", "-k", "--kill-after"], skip: 1 },
        "flock" => {
            Kind::Wrapper { valued: &["-w", "--timeout", "-E", "--conflict-exit-code"], skip: 1 }
        }
        "chrt" => Kind::Wrapper { valued: &["-T", "-P", "-D"], skip: 1 },
        "taskset" => Kind::Wrapper { valued: &[], skip: 1 },
        "stdbuf" => Kind::Wrapper { valued: &["-i", "-o", "-e"], skip: 0 },
        "nohup" | "setsid" | "time" | "exec" | "command" | "chronic" | "eatmydata" => {
            Kind::Wrapper { valued: &[], skip: 0 }
        }
        "busybox" => Kind::Wrapper { valued: &[], skip: 0 },
        "tini" | "dumb-init" => Kind::Wrapper { valued: &["-p", "-e", "-r", "--rewrite"], skip: 0 },
        "systemd-cat" => Kind::Wrapper {
            valued: &["-t", "--identifier", "-p", "--priority", "--stderr-priority"],
            skip: 0,
        },
        "systemd-inhibit" => Kind::Wrapper { valued: &[], skip: 0 },
        "run-parts" => Kind::RunParts,
        _ => Kind::Other,
    }
}

/// What is found, and the directory that relative paths begin at, where it is known.
struct Search {
    directory: Option<String>,
    found: Vec<Runs>,
}

/// What a command line in a unit runs: systemd's words, prefixes still there or not, in a working
/// directory. One that cannot be taken apart as systemd does (a secret was redacted in quotes) is
/// split at white space.
pub(super) fn of_unit(command: &str, directory: Option<&str>) -> Vec<Runs> {
    let parsed = crate::model::unit::commands(command);
    let mut search = Search { directory: directory.map(str::to_owned), found: Vec::new() };
    for command in &parsed {
        let mut line = vec![command.program.clone()];
        // With `@` the first argument is only the name that the process sees.
        let skip = usize::from(command.prefixes.contains('@'));
        line.extend(command.arguments.iter().skip(skip).cloned());
        search.line(&line, DEPTH);
    }
    if parsed.is_empty() {
        let quotes = ['"', '\''];
        let line: Vec<String> =
            command.split_whitespace().map(|word| word.trim_matches(quotes).to_owned()).collect();
        search.line(&line, DEPTH);
    }
    search.found
}

/// What the words of a command line run.
pub(super) fn of_line(line: &[String]) -> Vec<Runs> {
    let mut search = Search { directory: None, found: Vec::new() };
    search.line(line, DEPTH);
    search.found
}

/// What a text that a shell reads runs.
pub(super) fn of_shell(text: &str) -> Vec<Runs> {
    let mut search = Search { directory: None, found: Vec::new() };
    search.shell(text, DEPTH);
    search.found
}

/// What the first line of a script names: `#!/usr/bin/env python3`.
pub(super) fn of_script(text: &str) -> Vec<Runs> {
    let line = text.lines().next().and_then(|line| line.strip_prefix("#!")).unwrap_or_default();
    of_line(&words(line, Escapes::Keep).unwrap_or_default())
}

impl Search {
    fn program(&mut self, path: &str) {
        match path.contains('/') {
            true => self.script(path),
            false => self.found.push(Runs::Program(path.to_owned())),
        }
    }

    /// A path, which begins at the working directory where it is relative.
    fn script(&mut self, path: &str) {
        // What a variable stands for is not known.
        if path.is_empty() || path == "-" || path.contains('$') {
            return;
        }
        if path.starts_with('/') {
            self.found.push(Runs::Program(path.to_owned()));
        } else if let Some(directory) = &self.directory {
            self.found.push(Runs::Program(format!("{directory}/{path}")));
        }
    }

    fn line(&mut self, line: &[String], depth: u8) {
        let Some((program, arguments)) = line.split_first() else { return };
        if program.is_empty() || program.contains('$') || depth == 0 {
            return;
        }
        self.program(program);
        match kind(program) {
            Kind::Shell => self.shell_arguments(arguments, depth),
            Kind::Interpreter { valued, none } => {
                let ends = |word: &str| {
                    none.contains(&word)
                        // Short options may stand together: `python3 -uc TEXT`.
                        || none.iter().any(|none| {
                            none.len() == 2 && is_short(word) && word.ends_with(&none[1..])
                        })
                };
                let rest = after_options(arguments, valued, &ends);
                if let Some(script) = rest.and_then(<[String]>::first) {
                    self.script(script);
                }
            }
            Kind::Option(option) => {
                let mut after = arguments.iter().skip_while(|word| *word != option);
                if let (Some(_), Some(script)) = (after.next(), after.next()) {
                    self.script(script);
                }
            }
            Kind::Wrapper { valued, skip } => {
                let rest = after_options(arguments, valued, &|_| false).unwrap_or_default();
                let rest = rest.get(skip..).unwrap_or_default();
                let start = rest.iter().position(|word| !is_assignment(word));
                self.line(rest.get(start.unwrap_or(rest.len())..).unwrap_or_default(), depth - 1);
            }
            Kind::RunParts => {
                if let Some(directory) = arguments.iter().rfind(|word| word.starts_with('/')) {
                    self.found.push(Runs::Directory(directory.clone()));
                }
            }
            Kind::Other => {}
        }
    }

    fn shell_arguments(&mut self, arguments: &[String], depth: u8) {
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            match word.as_str() {
                "--" => {
                    if let Some(script) = rest.next() {
                        self.script(script);
                    }
                    return;
                }
                "-o" | "+o" | "-O" | "+O" | "--rcfile" | "--init-file" => {
                    rest.next();
                }
                _ if is_short(word) && word.contains('c') => {
                    if let Some(text) = rest.find(|word| !word.starts_with(['-', '+'])) {
                        self.shell(text, depth - 1);
                    }
                    return;
                }
                // `sh -s` reads what it is sent.
                _ if is_short(word) && word.contains('s') => return,
                _ if word.starts_with(['-', '+']) => {}
                _ => return self.script(word),
            }
        }
    }

    fn shell(&mut self, text: &str, depth: u8) {
        if depth == 0 {
            return;
        }
        for command in split(text) {
            let start = command
                .iter()
                .position(|word| !is_assignment(word) && !KEYWORDS.contains(&word.as_str()));
            match start.and_then(|start| command.get(start..)).unwrap_or_default() {
                [changes, directory, ..] if changes == "cd" => {
                    self.directory = directory.starts_with('/').then(|| directory.clone());
                }
                [sources, script, ..] if matches!(sources.as_str(), "." | "source") => {
                    self.script(script);
                }
                command => self.line(command, depth - 1),
            }
        }
    }
}

/// The words after the options; none where one of them says that there is nothing to run.
fn after_options<'a>(
    words: &'a [String],
    valued: &[&str],
    ends: &dyn Fn(&str) -> bool,
) -> Option<&'a [String]> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            return words.get(at + 1..);
        }
        if ends(word) {
            return None;
        }
        if !word.starts_with('-') || word == "-" {
            return words.get(at..);
        }
        at += 1 + usize::from(valued.contains(&word.as_str()));
    }
    None
}

fn is_short(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && !word.starts_with("--")
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// Words after which another command begins, and those that only shape the text.
const KEYWORDS: [&str; 13] =
    ["{", "}", "!", "if", "then", "else", "elif", "fi", "while", "until", "do", "done", "builtin"];

/// The commands of a text as a shell takes them apart, quotes resolved. Substitutions stay text.
fn split(text: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word = String::new();
    let mut begun = false;
    let mut chars = text.chars().peekable();
    let end_word = |word: &mut String, begun: &mut bool, commands: &mut Vec<Vec<String>>| {
        if std::mem::take(begun)
            && let Some(command) = commands.last_mut()
        {
            command.push(std::mem::take(word));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                begun = true;
                while let Some(inner) = chars.next().filter(|inner| *inner != c) {
                    match inner {
                        '\\' if c == '"' => word.extend(chars.next()),
                        inner => word.push(inner),
                    }
                }
            }
            '\\' => {
                begun = true;
                word.extend(chars.next());
            }
            '#' if !begun => while chars.next_if(|c| *c != '\n').is_some() {},
            // A redirection's target is no word of the command.
            '>' | '<' => {
                if begun && word.bytes().all(|b| b.is_ascii_digit()) {
                    word.clear();
                    begun = false;
                }
                end_word(&mut word, &mut begun, &mut commands);
                while chars.next_if(|c| matches!(c, '>' | '<' | '&' | ' ')).is_some() {}
                while chars.next_if(|c| !c.is_whitespace() && !";|&()".contains(*c)).is_some() {}
            }
            ';' | '|' | '&' | '(' | ')' | '\n' => {
                end_word(&mut word, &mut begun, &mut commands);
                if commands.last().is_some_and(|command| !command.is_empty()) {
                    commands.push(Vec::new());
                }
            }
            c if c.is_whitespace() => end_word(&mut word, &mut begun, &mut commands),
            c => {
                begun = true;
                word.push(c);
            }
        }
    }
    end_word(&mut word, &mut begun, &mut commands);
    commands.retain(|command| !command.is_empty());
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(found: Vec<Runs>) -> String {
        let words = found.into_iter().map(|runs| match runs {
            Runs::Program(path) => path,
            Runs::Directory(path) => format!("{path}/*"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn scripts_and_wrappers_in_units() {
        for (command, expected) in [
            ("/opt/a -x /opt/b", "/opt/a"),
            ("\"/opt/my app/x\" 1", "/opt/my app/x"),
            ("@/bin/sh sh /opt/x.sh", "/bin/sh /opt/x.sh"),
            ("/usr/bin/sh -eu /opt/x.sh /opt/y", "/usr/bin/sh /opt/x.sh"),
            ("/bin/bash -o pipefail /opt/x.sh", "/bin/bash /opt/x.sh"),
            ("/bin/bash -- /opt/x.sh", "/bin/bash /opt/x.sh"),
            ("/bin/sh -s /opt/x", "/bin/sh"),
            ("/usr/bin/python3.11 -u -W ignore /opt/x.py", "/usr/bin/python3.11 /opt/x.py"),
            ("/usr/bin/python3 -m http.server", "/usr/bin/python3"),
            ("/usr/bin/python3 -uc 'import x'", "/usr/bin/python3"),
            ("/usr/bin/env -u X A=b python3 /opt/x.py", "/usr/bin/env python3 /opt/x.py"),
            ("/usr/bin/perl -w /opt/x.pl", "/usr/bin/perl /opt/x.pl"),
            ("/usr/bin/java -Xmx1g -jar /opt/x.jar", "/usr/bin/java /opt/x.jar"),
            ("/usr/bin/php8.2 -f /opt/x.php", "/usr/bin/php8.2 /opt/x.php"),
            ("/usr/bin/flock -n /run/lock/x /opt/x", "/usr/bin/flock /opt/x"),
            ("/usr/bin/timeout -k 5 10 /opt/x", "/usr/bin/timeout /opt/x"),
            ("/usr/bin/nice -n 5 ionice -c 3 /opt/x", "/usr/bin/nice ionice /opt/x"),
            ("/sbin/runuser -u www -- /opt/x", "/sbin/runuser"),
            (
                "/bin/sh -c 'cd /srv && A=1 exec /opt/x >/dev/null 2>&1; /opt/y | /opt/z'",
                "/bin/sh exec /opt/x /opt/y /opt/z",
            ),
            ("/bin/sh -ec \"if [ -x /opt/a ]; then /opt/a; fi\"", "/bin/sh [ /opt/a"),
            ("/bin/sh -c '. /opt/env; $DAEMON; \"/opt/a b\"'", "/bin/sh /opt/env /opt/a b"),
            ("/opt/x --password \"[redacted] b", "/opt/x"),
            ("busybox sh /opt/x", "busybox sh /opt/x"),
            ("/usr/bin/node --inspect server.js", "/usr/bin/node /srv/app/server.js"),
            ("/bin/sh -c 'cd /opt/b; ./run; cd x; ./run'", "/bin/sh /opt/b/./run"),
        ] {
            assert_eq!(shown(of_unit(command, Some("/srv/app"))), expected, "{command}");
        }
        assert_eq!(shown(of_unit("/usr/bin/node x.js", None)), "/usr/bin/node");
    }

    #[test]
    fn commands_of_a_shell() {
        for (text, expected) in [
            ("cd / && run-parts --report /etc/cron.hourly", "run-parts /etc/cron.hourly/*"),
            (
                "test -x /usr/sbin/anacron || { cd / && run-parts /etc/cron.daily; }",
                "test run-parts /etc/cron.daily/*",
            ),
            ("/opt/x 2>> /var/log/x < /opt/in # /opt/no", "/opt/x"),
            ("(/opt/a; /opt/b)&/opt/c", "/opt/a /opt/b /opt/c"),
            ("/opt/a\\ b 'c'", "/opt/a b"),
            ("", ""),
        ] {
            assert_eq!(shown(of_shell(text)), expected, "{text}");
        }
        assert_eq!(shown(of_script("#!/usr/bin/env -S python3 -u\nx")), "/usr/bin/env python3");
        assert_eq!(shown(of_script("#! /opt/sh\n")), "/opt/sh");
        assert_eq!(shown(of_script("echo")), "");
    }

    #[test]
    fn commands_that_start_commands_come_to_an_end() {
        let deep = format!("{} /opt/x", "env ".repeat(1000));
        assert_eq!(of_shell(&deep).len(), usize::from(DEPTH) - 1);
    }
}
