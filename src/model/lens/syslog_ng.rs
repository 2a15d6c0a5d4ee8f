//! `config.syslog_ng`: what syslog-ng writes and forwards, with its includes: the destinations that
//! a log statement uses, and the mode that new files get.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const MAIN: &str = "/etc/syslog-ng/syslog-ng.conf";
/// As deep as includes are followed.
const DEPTH: usize = 10;
/// More drivers than any real configuration has.
const MAX_ROWS: usize = 20_000;
/// The mode of files where neither the destination nor the options set one.
const DEFAULT_MODE: u32 = 0o600;
/// Drivers that send to a host.
const REMOTE: [&str; 6] = ["network", "syslog", "tcp", "tcp6", "udp", "udp6"];

facts! {
    /// What syslog-ng writes and forwards.
    #[table(name = "config.syslog_ng", origin = Lens, location = "{path}")]
    pub struct SyslogNg {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// `file`, `forward`, or `default`: what holds for files of which nothing else is said.
        pub kind: Arc<str>,
        /// The file or the host.
        pub name: Arc<str>,
        /// Mode that files are made with: of `file` and `default`.
        pub mode: Option<Mode>,
        /// Whether a log statement sends something there; true of `default`.
        pub used: bool,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        SyslogNg::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reader = Reader {
            files,
            reading: Reading::of::<SyslogNg>(files),
            found: Vec::new(),
            used: BTreeSet::new(),
            default: None,
            left_out: None,
        };
        if let Some(main) = files.get(MAIN) {
            reader.file(main, 0);
        }
        let Reader { mut reading, found, used, default, left_out, .. } = reader;
        if let Some(reason) = left_out {
            reading.truncate(reason);
        }
        let mode = default.as_ref().map_or(DEFAULT_MODE, |(_, _, mode)| *mode);
        if files.get(MAIN).is_some() {
            let (path, line) = default.map_or((MAIN.into(), 1), |(path, line, _)| (path, line));
            reading.push(SyslogNg {
                path: AbsPath(path),
                line,
                kind: "default".into(),
                name: "".into(),
                mode: Some(Mode(mode)),
                used: true,
            });
        }
        for Driver { path, line, destination, kind, name, mode: own } in found {
            reading.push(SyslogNg {
                path: AbsPath(path),
                line,
                kind: kind.into(),
                name: name.into(),
                mode: (kind == "file").then_some(Mode(own.unwrap_or(mode))),
                // A destination may stand in the log statement itself.
                used: destination.is_none_or(|name| used.contains(&name)),
            });
        }
        Ok(reading.done())
    }
}

struct Driver {
    path: Arc<str>,
    line: i64,
    destination: Option<String>,
    kind: &'static str,
    name: String,
    mode: Option<u32>,
}

struct Reader<'a> {
    files: &'a ConfigFiles,
    reading: Reading,
    found: Vec<Driver>,
    used: BTreeSet<String>,
    default: Option<(Arc<str>, i64, u32)>,
    left_out: Option<String>,
}

impl<'a> Reader<'a> {
    fn file(&mut self, file: &'a Text, depth: usize) {
        let text = self.reading.text(file);
        if !self.reading.afford(text.len().max(1)) {
            return;
        }
        let tokens = tokens(text);
        let mut at = 0;
        while let Some((_, token)) = tokens.get(at) {
            if *token == "@include" {
                if let Some((_, pattern)) = tokens.get(at + 1) {
                    self.include(pattern, depth);
                }
                at += 2;
                continue;
            }
            let body = tokens.get(at..).unwrap_or_default();
            let open = body.iter().take(4).position(|(_, token)| *token == "{");
            let Some(open) = open.filter(|_| matches!(*token, "options" | "destination" | "log"))
            else {
                at += 1;
                continue;
            };
            let block = block(body.get(open..).unwrap_or_default());
            match *token {
                "options" => self.options(file, block),
                "destination" => {
                    let name = body.get(1).filter(|_| open > 1).map(|(_, t)| (*t).to_owned());
                    self.drivers(file, block, name.as_deref());
                }
                _ => self.log(file, block),
            }
            at += open + block.len().max(1);
        }
    }

    fn options(&mut self, file: &Text, block: &[(i64, &str)]) {
        for (line, argument) in calls(block, "perm") {
            if let Some(mode) = octal(argument) {
                self.default = Some((Arc::clone(&file.path), line, mode));
            }
        }
    }

    fn log(&mut self, file: &Text, block: &[(i64, &str)]) {
        for (_, name) in calls(block, "destination") {
            self.used.insert(name.to_owned());
        }
        let mut at = 0;
        while let Some((_, token)) = block.get(at) {
            at += 1;
            let rest = block.get(at..).unwrap_or_default();
            if *token == "destination" && rest.first().is_some_and(|(_, token)| *token == "{") {
                let inner = self::block(rest);
                self.drivers(file, inner, None);
                at += inner.len();
            }
        }
    }

    /// The drivers of a destination: `name(argument option(value) ...);`.
    fn drivers(&mut self, file: &Text, block: &[(i64, &str)], destination: Option<&str>) {
        let mut depth = 0usize;
        for (at, (line, token)) in block.iter().enumerate() {
            match *token {
                ")" => depth = depth.saturating_sub(1),
                "(" => depth += 1,
                name if depth == 0 => {
                    let kind = match name {
                        "file" => "file",
                        _ if REMOTE.contains(&name) => "forward",
                        _ => continue,
                    };
                    let rest = block.get(at + 1..).unwrap_or_default();
                    let Some(argument) = rest.get(1).filter(|_| opens(rest)) else { continue };
                    let inside = inside(rest);
                    let mode = calls(inside, "perm").filter_map(|(_, text)| octal(text)).last();
                    self.add(Driver {
                        path: Arc::clone(&file.path),
                        line: *line,
                        destination: destination.map(str::to_owned),
                        kind,
                        name: argument.1.to_owned(),
                        mode,
                    });
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, driver: Driver) {
        if self.found.len() < MAX_ROWS {
            self.found.push(driver);
        } else {
            self.leave_out(format!("{MAIN} has more than {MAX_ROWS} destinations"));
        }
    }

    fn leave_out(&mut self, reason: String) {
        self.left_out.get_or_insert(reason);
    }

    /// A file, a pattern, or every file of a directory; relative to the main file's directory.
    fn include(&mut self, pattern: &str, depth: usize) {
        if depth >= DEPTH {
            return self.leave_out(format!("{MAIN} includes files more than {DEPTH} deep"));
        }
        // What the package brings for drivers in /usr/share holds no destinations.
        if pattern == "scl.conf" {
            return;
        }
        let pattern = match pattern.strip_prefix('/') {
            Some(_) => pattern.to_owned(),
            None => format!("/etc/syslog-ng/{pattern}"),
        };
        let files = self.files;
        let directory = pattern.trim_end_matches('/');
        let mut found = files.globbed(&pattern, &mut self.reading);
        found.extend(files.in_directory(directory, ".conf"));
        found.into_iter().for_each(|file| self.file(file, depth + 1));
    }
}

/// Words, quoted texts without their quotes, and the signs between them, with their lines.
fn tokens(text: &str) -> Vec<(i64, &str)> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\n' => {
                line += 1;
                1
            }
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => {
                let inner = rest.get(1..).unwrap_or_default();
                let end = quoted(inner, first);
                let value = inner.get(..end).unwrap_or_default();
                found.push((line, value));
                line += i64::try_from(value.matches('\n').count()).unwrap_or(0);
                end + 2
            }
            '{' | '}' | '(' | ')' => {
                found.push((line, rest.get(..1).unwrap_or_default()));
                1
            }
            _ if first.is_whitespace() || matches!(first, ';' | ',') => first.len_utf8(),
            _ => {
                let stop = |c: char| c.is_whitespace() || "{}();,\"'#".contains(c);
                let end = rest.find(stop).unwrap_or(rest.len()).max(first.len_utf8());
                found.push((line, rest.get(..end).unwrap_or_default()));
                end
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// Where a quoted text ends: backslashes escape in double quotes.
fn quoted(inner: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if c == quote => return at,
            _ => {}
        }
    }
    inner.len()
}

fn opens(tokens: &[(i64, &str)]) -> bool {
    tokens.first().is_some_and(|(_, token)| *token == "(")
}

/// From an opening brace to its closing one.
fn block<'t, 's>(tokens: &'t [(i64, &'s str)]) -> &'t [(i64, &'s str)] {
    balanced(tokens, "{", "}")
}

/// From an opening parenthesis to its closing one.
fn inside<'t, 's>(tokens: &'t [(i64, &'s str)]) -> &'t [(i64, &'s str)] {
    balanced(tokens, "(", ")")
}

fn balanced<'t, 's>(tokens: &'t [(i64, &'s str)], open: &str, close: &str) -> &'t [(i64, &'s str)] {
    let mut depth = 0usize;
    for (at, (_, token)) in tokens.iter().enumerate() {
        if *token == open {
            depth += 1;
        } else if *token == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return tokens.get(..=at).unwrap_or_default();
            }
        }
    }
    tokens
}

/// Every `name(argument`.
fn calls<'t, 's: 't>(
    tokens: &'t [(i64, &'s str)],
    name: &'t str,
) -> impl Iterator<Item = (i64, &'s str)> + 't {
    tokens.windows(3).filter_map(move |words| match words {
        [(line, called), (_, "("), (_, argument)] if *called == name => Some((*line, *argument)),
        _ => None,
    })
}

fn octal(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{files, rows};
    use super::*;
    use crate::model::lens::Lens as _;

    #[test]
    fn destinations_and_the_modes_of_their_files() {
        let main = r#"@version: 3.5
@include "scl.conf"
options { flush_lines (0); perm(0640); dir_perm(0755); };
source s_sys { system(); internal(); };
destination d_mesg { file("/var/log/messages" perm(0644)); }; # perm(0600)
destination d_auth { file("/var/log/secure"); };
destination d_net {
  tcp("log.example.com" port(514));
};
destination d_off { udp("other.example.com"); };
log { source(s_sys); destination(d_mesg); destination(d_auth); };
log { source(s_sys); destination(d_net); };
log { source(s_sys); destination { network("inline.example.com" transport("tls")); }; };
@include "/etc/syslog-ng/conf.d/*.conf"
"#;
        let more = "destination x { file('/var/log/x' owner(root) perm(0600)); };\n";
        let texts = [(MAIN, main), ("/etc/syslog-ng/conf.d/a.conf", more)];
        let shown: Vec<String> = rows::<SyslogNg>(&Lens, &texts)
            .iter()
            .map(|row| {
                let mode = row.mode.map(|Mode(mode)| format!("{mode:o}")).unwrap_or_default();
                format!("{} {} {} {mode} {}", row.line, row.kind, row.name, row.used)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "3 default  640 true",
                "5 file /var/log/messages 644 true",
                "6 file /var/log/secure 640 true",
                "8 forward log.example.com  true",
                "10 forward other.example.com  false",
                "13 forward inline.example.com  true",
                "1 file /var/log/x 600 false",
            ]
        );
    }

    #[test]
    fn whatever_the_text_is_it_ends() {
        for text in
            ["destination", "destination d {", "log { destination {", "options { perm(", "\"é"]
        {
            Lens.load(&files(&[(MAIN, text)])).unwrap();
        }
        let circle = [(MAIN, "@include \"/etc/syslog-ng/syslog-ng.conf\"\n")];
        assert!(!Lens.load(&files(&circle)).unwrap().state.is_complete());
    }
}
