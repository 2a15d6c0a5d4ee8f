//! `config.rsyslog`: what rsyslog loads, listens on, writes and forwards: rsyslog.conf(5) with its
//! includes, in the old syntax and in RainerScript. Modes as rsyslogd 8.2302 makes them: `$` settings
//! hold for the actions of the old syntax that come after them, those of the new syntax take their
//! own or their module's; the mask holds for all.

mod scan;

use std::sync::Arc;

use self::scan::{Statement, statements};
use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::lens::{ConfigFiles, Reading, Text};
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::view::Loaded;

const MAIN: &str = "/etc/rsyslog.conf";
/// More than any real configuration nests its includes.
const DEPTH: usize = 10;
/// More statements than any real configuration has.
const MAX_ROWS: usize = 20_000;
/// The mode of log files where nothing sets one.
const DEFAULT_MODE: u32 = 0o644;

facts! {
    /// What rsyslog loads, listens on, writes and forwards, in the order in which it reads it.
    #[table(name = "config.rsyslog", origin = Lens, location = "{path}")]
    pub struct Rsyslog {
        /// The file.
        pub path: AbsPath,
        /// The line, from 1.
        pub line: i64,
        /// `module` (loaded), `input`, `file` (an action that writes one), `forward` (an action that
        /// sends to a host), or `end`: what would hold for a file after the last line.
        pub kind: Arc<str>,
        /// The module's or input's name such as `imtcp`, the file or its template, the host.
        pub name: Arc<str>,
        /// Mode that log files are made with, the mask of the configuration taken away: of `file` and `end`.
        pub mode: Option<Mode>,
        /// `tcp`, `udp` or `relp`: of `forward`.
        pub protocol: Option<Arc<str>>,
        /// The network stream driver in lower case, for example `gtls`; `tls` for RELP with TLS: of `forward`.
        pub driver: Option<Arc<str>>,
        /// The driver's mode; 1 is TLS only: of `forward`.
        pub driver_mode: Option<i64>,
    }
}

pub(super) struct Lens;

impl super::Lens for Lens {
    fn table(&self) -> &'static TableSchema {
        Rsyslog::TABLE
    }

    fn load(&self, files: &ConfigFiles) -> Result<Loaded, FactError> {
        let mut reader = Reader {
            files,
            reading: Reading::of::<Rsyslog>(files),
            rows: Vec::new(),
            state: State::new(),
            left_out: None,
        };
        if let Some(main) = files.get(MAIN) {
            reader.file(main, 0);
        }
        let writes = reader.rows.iter().any(|row| &*row.kind == "file");
        if let Some(main) = files.get(MAIN).filter(|_| !writes) {
            let lines = main.text.as_deref().map_or(0, |text| text.lines().count());
            let line = i64::try_from(lines).unwrap_or(i64::MAX).max(1);
            let mut end = reader.row(main, line, "end", "");
            end.mode = Some(Mode(reader.state.mode));
            reader.rows.push(end);
        }
        let Reader { mut reading, rows, state, left_out, .. } = reader;
        if let Some(reason) = left_out {
            reading.truncate(reason);
        }
        for mut row in rows {
            row.mode = row.mode.map(|Mode(mode)| Mode(mode & !state.mask));
            if &*row.kind == "forward" && row.driver.is_none() {
                row.driver = state.default_driver.as_deref().map(Arc::from);
            }
            reading.push(row);
        }
        Ok(reading.done())
    }
}

/// What settings have set so far.
struct State {
    /// For actions of the old syntax.
    mode: u32,
    /// For actions of the new syntax.
    module_mode: u32,
    mask: u32,
    default_driver: Option<String>,
    driver: Option<String>,
    driver_mode: i64,
}

impl State {
    const fn new() -> Self {
        Self {
            mode: DEFAULT_MODE,
            module_mode: DEFAULT_MODE,
            mask: 0,
            default_driver: None,
            driver: None,
            driver_mode: 0,
        }
    }
}

struct Reader<'a> {
    files: &'a ConfigFiles,
    reading: Reading,
    rows: Vec<Rsyslog>,
    state: State,
    /// The first reason why something was left out.
    left_out: Option<String>,
}

impl<'a> Reader<'a> {
    fn file(&mut self, file: &'a Text, depth: usize) {
        let text = self.reading.text(file);
        if !self.reading.afford(text.len().max(1)) {
            return;
        }
        for (line, statement) in statements(text) {
            match statement {
                Statement::Directive(name, value) => {
                    self.directive(file, line, &name, &value, depth);
                }
                Statement::Object(name, parameters) => {
                    self.object(file, line, &name, &Parameters(parameters), depth);
                }
                Statement::Action(text) => self.action(file, line, &text),
            }
        }
    }

    fn row(&self, file: &Text, line: i64, kind: &str, name: &str) -> Rsyslog {
        Rsyslog {
            path: AbsPath(Arc::clone(&file.path)),
            line,
            kind: kind.into(),
            name: name.into(),
            mode: None,
            protocol: None,
            driver: None,
            driver_mode: None,
        }
    }

    fn leave_out(&mut self, reason: impl FnOnce() -> String) {
        if self.left_out.is_none() {
            self.left_out = Some(reason());
        }
    }

    fn add(&mut self, row: Rsyslog) {
        if self.rows.len() < MAX_ROWS {
            self.rows.push(row);
        } else {
            self.leave_out(|| format!("{MAIN} has more than {MAX_ROWS} statements"));
        }
    }

    fn directive(&mut self, file: &'a Text, line: i64, name: &str, value: &str, depth: usize) {
        let (digits, value) = (value, unquoted(value));
        let state = &mut self.state;
        match name {
            "includeconfig" => return self.include(value, depth),
            "filecreatemode" => state.mode = old_mode(digits).unwrap_or(state.mode),
            "umask" => state.mask = old_mode(digits).unwrap_or(state.mask),
            "defaultnetstreamdriver" => state.default_driver = Some(value.to_ascii_lowercase()),
            "actionsendstreamdriver" => state.driver = Some(value.to_ascii_lowercase()),
            "actionsendstreamdrivermode" => {
                state.driver_mode = value.parse().unwrap_or(state.driver_mode);
            }
            "resetconfigvariables" => {
                state.mode = DEFAULT_MODE;
                state.driver = None;
                state.driver_mode = 0;
            }
            _ => {}
        }
        let (kind, name) = match name {
            "modload" => ("module", module_name(value)),
            "inputtcpserverrun" => ("input", "imtcp".to_owned()),
            "udpserverrun" => ("input", "imudp".to_owned()),
            "inputrelpserverrun" => ("input", "imrelp".to_owned()),
            "inputptcpserverrun" => ("input", "imptcp".to_owned()),
            "inputgssserverrun" => ("input", "imgssapi".to_owned()),
            _ => return,
        };
        let row = self.row(file, line, kind, &name);
        self.add(row);
    }

    fn object(
        &mut self,
        file: &'a Text,
        line: i64,
        name: &str,
        parameters: &Parameters,
        depth: usize,
    ) {
        if parameters.get("config.enabled").is_some_and(|value| !is_on(value)) {
            return;
        }
        match name {
            "include" => match parameters.get("file") {
                Some(pattern) => self.include(pattern, depth),
                None => self.leave_out(|| {
                    format!("{}:{line} includes a text that is not in a file", file.path)
                }),
            },
            "global" => {
                if let Some(mask) = parameters.get("umask").and_then(new_mode) {
                    self.state.mask = mask;
                }
                if let Some(driver) = parameters.get("defaultnetstreamdriver") {
                    self.state.default_driver = Some(driver.to_ascii_lowercase());
                }
            }
            "module" => {
                let Some(module) = parameters.get("load").map(module_name) else { return };
                if module == "omfile"
                    && let Some(mode) = parameters.get("filecreatemode").and_then(new_mode)
                {
                    self.state.module_mode = mode;
                }
                let row = self.row(file, line, "module", &module);
                self.add(row);
            }
            "input" => {
                let Some(input) = parameters.get("type").map(module_name) else { return };
                let row = self.row(file, line, "input", &input);
                self.add(row);
            }
            "action" => self.new_action(file, line, parameters),
            _ => {}
        }
    }

    fn new_action(&mut self, file: &Text, line: i64, parameters: &Parameters) {
        let kind = parameters.get("type").map(module_name).unwrap_or_default();
        match kind.as_str() {
            "omfile" => {
                let name = parameters.get("file").or_else(|| parameters.get("dynafile"));
                let mut row = self.row(file, line, "file", name.unwrap_or_default());
                let own = parameters.get("filecreatemode").and_then(new_mode);
                row.mode = Some(Mode(own.unwrap_or(self.state.module_mode)));
                self.add(row);
            }
            "omfwd" => {
                let driver = ["streamdriver", "streamdriver.name"];
                let driver = driver.iter().find_map(|key| parameters.get(key));
                let driver = driver.map(|name| Arc::from(name.to_ascii_lowercase()));
                let protocol = parameters.get("protocol").unwrap_or("udp").to_ascii_lowercase();
                let mode = parameters.get("streamdrivermode");
                let mode = mode.or_else(|| parameters.get("streamdriver.mode"));
                for target in parameters.all("target") {
                    let mut row = self.row(file, line, "forward", target);
                    row.protocol = Some(protocol.as_str().into());
                    row.driver.clone_from(&driver);
                    row.driver_mode = mode.and_then(|mode| mode.trim().parse().ok()).or(Some(0));
                    self.add(row);
                }
            }
            "omrelp" => {
                for target in parameters.all("target") {
                    let mut row = self.row(file, line, "forward", target);
                    let tls = parameters.get("tls").is_some_and(is_on);
                    row.protocol = Some("relp".into());
                    row.driver = Some(if tls { "tls" } else { "ptcp" }.into());
                    row.driver_mode = Some(i64::from(tls));
                    self.add(row);
                }
            }
            _ => {}
        }
    }

    /// An action of the old syntax.
    fn action(&mut self, file: &Text, line: i64, text: &str) {
        let text = text.split([';', ' ', '\t']).next().unwrap_or_default();
        let after = |prefix: &str| text.strip_prefix(prefix);
        if text.trim_start_matches('-').starts_with(['/', '?']) || text.starts_with(":omfile:") {
            let name = text.trim_start_matches('-').trim_start_matches(":omfile:");
            let mut row = self.row(file, line, "file", name);
            row.mode = Some(Mode(self.state.mode));
            self.add(row);
        } else if let Some(host) = after("@@").or_else(|| after("@")) {
            let tcp = text.starts_with("@@");
            let host = host.strip_prefix('(').and_then(|h| h.split_once(')')).map_or(host, |h| h.1);
            let mut row = self.row(file, line, "forward", host_name(host));
            row.protocol = Some(if tcp { "tcp" } else { "udp" }.into());
            row.driver = self.state.driver.as_deref().map(Arc::from);
            row.driver_mode = Some(self.state.driver_mode);
            self.add(row);
        } else if let Some(host) = after(":omrelp:") {
            let mut row = self.row(file, line, "forward", host_name(host));
            row.protocol = Some("relp".into());
            row.driver = Some("ptcp".into());
            row.driver_mode = Some(0);
            self.add(row);
        }
    }

    /// A file, a pattern, or every file of a directory whose name ends with `/`.
    fn include(&mut self, pattern: &str, depth: usize) {
        if depth >= DEPTH {
            return self.leave_out(|| format!("{MAIN} includes files more than {DEPTH} deep"));
        }
        let files = self.files;
        if let Some(directory) = pattern.strip_suffix('/') {
            let names = files.in_directory(directory, "").filter(|f| !f.name().starts_with('.'));
            return names.for_each(|file| self.file(file, depth + 1));
        }
        for file in files.globbed(pattern, &mut self.reading) {
            let hidden = file.name().starts_with('.');
            if !hidden || pattern.rsplit('/').next().is_some_and(|name| name.starts_with('.')) {
                self.file(file, depth + 1);
            }
        }
    }
}

/// Parameters of an object by their names in lower case; the first of a name counts.
struct Parameters(Vec<(String, Vec<String>)>);

impl Parameters {
    fn all(&self, name: &str) -> &[String] {
        self.0.iter().find(|(key, _)| key == name).map_or(&[], |(_, values)| values)
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }
}

fn is_on(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "on" | "yes" | "true" | "1")
}

/// Modules are named with or without their directory and ending, built-in ones with `builtin:`.
fn module_name(text: &str) -> String {
    let name = text.rsplit(['/', ':']).next().unwrap_or(text).trim();
    name.strip_suffix(".so").unwrap_or(name).to_ascii_lowercase()
}

/// Host and port of an address of the old syntax, the port left out.
fn host_name(text: &str) -> &str {
    match text.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or(inner),
        None => text.split(':').next().unwrap_or(text),
    }
}

/// Old settings take the first four digits; quotes are none.
fn old_mode(text: &str) -> Option<u32> {
    octal(text.get(..4)?)
}

/// New ones are four or five digits.
fn new_mode(text: &str) -> Option<u32> {
    matches!(text.len(), 4 | 5).then(|| octal(text)).flatten()
}

fn octal(digits: &str) -> Option<u32> {
    let good = digits.starts_with('0') && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    good.then(|| u32::from_str_radix(digits, 8).ok()).flatten()
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|rest| rest.split('"').next());
    inner.unwrap_or_else(|| text.split_whitespace().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{files, rows};
    use super::*;
    use crate::model::lens::Lens as _;

    fn shown(texts: &[(&str, &str)]) -> Vec<String> {
        rows::<Rsyslog>(&Lens, texts)
            .into_iter()
            .map(|row| {
                let mode = row.mode.map(|Mode(mode)| format!(" {mode:o}")).unwrap_or_default();
                let driver = match (&row.protocol, &row.driver, row.driver_mode) {
                    (None, ..) => String::new(),
                    (Some(protocol), driver, mode) => format!(
                        " {protocol} {} {}",
                        driver.as_deref().unwrap_or("-"),
                        mode.unwrap_or(-1)
                    ),
                };
                format!("{} {}{mode}{driver}", row.kind, row.name)
            })
            .collect()
    }

    #[test]
    fn modes_are_those_that_rsyslogd_makes() {
        let main = r#"*.* /a0
$FileCreateMode 0640
*.* -/a1
*.* action(type="omfile" file="/n1")
$IncludeConfig /etc/rsyslog.d/*.conf
*.* action(type="omfile" file="/n2" FileCreateMode="0600")
$filecreatemode 0604 # x
*.* /a2;Format
$FileCreateMode 640
*.* ?dyn
module(load="builtin:omfile" fileCreateMode="0660")
action(type="omfile" dynafile="dyn2")
action(type="omfile" file="/off" config.enabled="off")
$Umask 0002
"#;
        assert_eq!(
            shown(&[
                (MAIN, main),
                ("/etc/rsyslog.d/a.conf", "$FileCreateMode 0666\n*.* :omfile:$out\n"),
                ("/etc/rsyslog.d/.b.conf", "*.* /hidden\n"),
                ("/etc/rsyslog.d/c", "*.* /hidden\n"),
            ]),
            [
                "file /a0 644",
                "file /a1 640",
                "file /n1 644",
                "file $out 664",
                "file /n2 600",
                "file /a2 604",
                "file ?dyn 604",
                "module omfile",
                "file dyn2 660",
            ]
        );
    }

    #[test]
    fn what_comes_in_and_goes_out() {
        let main = r#"$ModLoad imtcp.so
$InputTCPServerRun 514
module(load="/usr/lib/rsyslog/imudp") input(type="imudp" port="514")
*.* @@(z9)log.example.com:514;x
$ActionSendStreamDriver ossl
$ActionSendStreamDriverMode 1
*.* @[2001:db8::1]:514
*.* :omrelp:relp.example.com:20514
action(type="omfwd" target=["a", "b"] protocol="tcp" StreamDriverMode="1")
action(type="omrelp" target="c" tls="on")
include(file="/etc/more/")
global(DefaultNetstreamDriver="gtls")
"#;
        assert_eq!(
            shown(&[(MAIN, main), ("/etc/more/x", "*.* ~\nauth.* root,ann\n$ModLoad imrelp\n")]),
            [
                "module imtcp",
                "input imtcp",
                "module imudp",
                "input imudp",
                "forward log.example.com tcp gtls 0",
                "forward 2001:db8::1 udp ossl 1",
                "forward relp.example.com relp ptcp 0",
                "forward a tcp gtls 1",
                "forward b tcp gtls 1",
                "forward c relp tls 1",
                "module imrelp",
                "end  644",
            ]
        );
    }

    #[test]
    fn includes_of_itself_come_to_an_end() {
        let text =
            format!("$IncludeConfig /etc/rsyslog.conf\n{}", "$IncludeConfig /etc/*\n".repeat(50));
        assert!(!Lens.load(&files(&[(MAIN, &text)])).unwrap().state.is_complete());
        let text = "include(text=`echo $X`)\n";
        assert!(!Lens.load(&files(&[(MAIN, text)])).unwrap().state.is_complete());
    }
}
