//! Command lines: `ExecStart=` and its like.

use super::is_white;
use super::words::{Escapes, first};

/// One command of an `Exec...=` value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The special characters before the program: of `-`, `@`, `:`, `+`, `!`, `|`, in that order
    /// of writing.
    pub prefixes: String,
    /// The program: an absolute path, or a name that is looked for in systemd's own search path.
    pub program: String,
    /// What follows the program, quotes and escapes resolved. With the prefix `@` the first one
    /// is the name that the process sees.
    pub arguments: Vec<String>,
    /// The command as written, without the prefixes.
    pub text: String,
}

impl Command {
    /// Whether it runs as root whatever `User=` says (`+`, `!`; `!!` only on kernels without
    /// ambient capabilities, so it does not count).
    pub fn keeps_root(&self) -> bool {
        self.prefixes.contains('+') || self.prefixes.matches('!').count() == 1
    }
}

/// The commands of one `Exec...=` value, separated by lone semicolons. A command that systemd
/// would refuse (no program, a relative path, a quote that is not closed) ends the list.
pub fn commands(value: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut rest = value.trim_matches(is_white);
    loop {
        let start = rest;
        let Ok(Some((word, after))) = first(rest, Escapes::Decode) else { break };
        rest = after;
        if word == ";" {
            continue;
        }
        let (prefixes, program) = split_prefixes(&word);
        if !is_program(program) {
            break;
        }
        let Some((arguments, end, more)) = arguments(rest) else { break };
        let written = start.get(..start.len() - end.len()).unwrap_or_default();
        let text = written.trim_end_matches(is_white);
        // The prefixes are written before the program, or inside the quotes that hold it.
        let text = text.strip_prefix(prefixes).unwrap_or(text);
        commands.push(Command {
            prefixes: prefixes.to_owned(),
            program: program.to_owned(),
            arguments,
            text: text.to_owned(),
        });
        rest = after_separator(end);
        if !more {
            break;
        }
    }
    commands
}

/// The arguments up to the end or to a lone `;`, what follows them, and whether that is a `;`.
fn arguments(mut rest: &str) -> Option<(Vec<String>, &str, bool)> {
    let mut arguments = Vec::new();
    while !rest.is_empty() {
        if is_lone(rest, ";") {
            return Some((arguments, rest, true));
        }
        if is_lone(rest, "\\;") {
            arguments.push(";".to_owned());
            rest = rest.get(2..).unwrap_or_default().trim_start_matches(is_white);
            continue;
        }
        let Some((word, after)) = first(rest, Escapes::Decode).ok()? else { break };
        arguments.push(word);
        rest = after;
    }
    Some((arguments, "", false))
}

fn is_lone(text: &str, token: &str) -> bool {
    text.strip_prefix(token).is_some_and(|after| after.is_empty() || after.starts_with(is_white))
}

fn after_separator(rest: &str) -> &str {
    rest.strip_prefix(';').unwrap_or(rest).trim_start_matches(is_white)
}

/// Each special character counts once, `!` twice; `+` and `!` exclude each other. What comes after
/// that belongs to the program's name.
fn split_prefixes(word: &str) -> (&str, &str) {
    let mut end = 0;
    let mut seen = String::new();
    for c in word.chars() {
        let allowed = match c {
            '-' | '@' | ':' | '|' => !seen.contains(c),
            '+' => !seen.contains(['+', '!']),
            '!' => !seen.contains('+') && seen.matches('!').count() < 2,
            _ => false,
        };
        if !allowed {
            break;
        }
        seen.push(c);
        end += 1;
    }
    word.split_at_checked(end).unwrap_or(("", word))
}

/// An absolute path that does not end in a slash, or a plain file name.
fn is_program(program: &str) -> bool {
    let usable = !program.is_empty() && !program.chars().any(|c| c.is_ascii_control());
    usable
        && if program.starts_with('/') {
            !program.ends_with('/')
        } else {
            !program.contains('/') && program != "." && program != ".."
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(value: &str) -> Vec<(String, String, Vec<String>, String)> {
        commands(value).into_iter().map(|c| (c.prefixes, c.program, c.arguments, c.text)).collect()
    }

    fn row(
        prefixes: &str,
        program: &str,
        arguments: &[&str],
        text: &str,
    ) -> (String, String, Vec<String>, String) {
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        (prefixes.into(), program.into(), arguments, text.into())
    }

    #[test]
    fn prefixes_are_taken_off() {
        assert_eq!(
            seen("-/sbin/agetty -o '-p -- \\\\u' %I"),
            [row(
                "-",
                "/sbin/agetty",
                &["-o", "-p -- \\u", "%I"],
                "/sbin/agetty -o '-p -- \\\\u' %I"
            )]
        );
        assert_eq!(seen("!!/lib/x"), [row("!!", "/lib/x", &[], "/lib/x")]);
        assert_eq!(seen("@/bin/a b c"), [row("@", "/bin/a", &["b", "c"], "/bin/a b c")]);
        assert!(commands("--/bin/a").is_empty() || commands("--/bin/a")[0].program == "-/bin/a");
        assert!(commands("+/x")[0].keeps_root());
        assert!(!commands("!!/x")[0].keeps_root());
    }

    #[test]
    fn semicolons_separate() {
        assert_eq!(
            seen("/bin/a 1 ; -/bin/b '2;' \\; 3"),
            [
                row("", "/bin/a", &["1"], "/bin/a 1"),
                row("-", "/bin/b", &["2;", ";", "3"], "/bin/b '2;' \\; 3"),
            ]
        );
        assert_eq!(seen("/bin/a;x"), [row("", "/bin/a;x", &[], "/bin/a;x")]);
        assert_eq!(seen("; ; /bin/a ;").len(), 1);
    }

    #[test]
    fn what_systemd_refuses_is_no_command() {
        for bad in ["", " ", "-", "bin/a", "/bin/", "/bin/a 'x", ".."] {
            assert!(commands(bad).is_empty(), "{bad:?}");
        }
        assert_eq!(commands("true")[0].program, "true");
        assert_eq!(commands("\"/opt/my app/x\" 1")[0].program, "/opt/my app/x");
    }
}
