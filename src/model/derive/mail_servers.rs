//! `mail_servers`: the mail transfer agents of a host and the addresses they take mail on:
//! postconf(5), master(5), update-exim4.conf(8), sendmail's DaemonPortOptions.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::lens::ConfigFiles;
use crate::model::schema::TableSchema;
use crate::model::state::FactError;
use crate::model::table::{ConfigFile, Package};
use crate::model::view::{Loaded, View};

facts! {
    /// Mail transfer agents that are installed, with the addresses they take mail on.
    #[table(name = "mail_servers", origin = Derived, location = "{path}")]
    pub struct MailServer {
        /// `postfix`, `exim4` or `sendmail`.
        pub name: Arc<str>,
        /// The file that says so, or would.
        pub path: AbsPath,
        /// The line in it; none where nothing says so.
        pub line: Option<i64>,
        /// The addresses as written; `all` where nothing bounds them.
        pub addresses: Vec<Arc<str>>,
        /// Whether all of them are loopback addresses.
        pub local: bool,
    }
}

/// Packages, and what reads the configuration of the agent they bring.
type Agent = (&'static str, &'static [&'static str], fn(&ConfigFiles) -> MailServer);
const AGENTS: [Agent; 3] = [
    ("postfix", &["postfix"], postfix),
    ("exim4", &["exim4-daemon-light", "exim4-daemon-heavy", "exim"], exim),
    ("sendmail", &["sendmail", "sendmail-bin"], sendmail),
];

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        MailServer::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[Package::TABLE, ConfigFile::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let (state, packages) = view.typed::<Package>()?;
        let config = view.config()?;
        let installed: BTreeSet<&str> =
            packages.iter().filter(|p| &*p.status == "installed").map(|p| &*p.name).collect();
        let agents =
            AGENTS.iter().filter(|(_, names, _)| names.iter().any(|n| installed.contains(n)));
        let rows = Rows::of(agents.map(|(_, _, read)| read(&config)));
        Ok(Loaded { state: state.and(config.state().clone()), rows: Arc::new(rows) })
    }
}

fn text<'c>(files: &'c ConfigFiles, path: &str) -> &'c str {
    files.get(path).and_then(|file| file.text.as_deref().ok()).unwrap_or_default()
}

fn row(name: &str, path: &str, line: Option<i64>, addresses: Vec<Arc<str>>) -> MailServer {
    let local = !addresses.is_empty() && addresses.iter().all(|address| is_local(address));
    MailServer { name: name.into(), path: AbsPath(Arc::from(path)), line, addresses, local }
}

fn is_local(address: &str) -> bool {
    let address = address.trim_matches(['[', ']']).to_ascii_lowercase();
    matches!(&*address, "loopback-only" | "localhost" | "::1" | "::0.0.0.1" | "ip6-localhost")
        || address.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// The last `inet_interfaces` counts; lines that begin with white space go on with the one before.
/// Where no service of master.cf is of type inet, nothing listens.
fn postfix(files: &ConfigFiles) -> MailServer {
    const MAIN: &str = "/etc/postfix/main.cf";
    const MASTER: &str = "/etc/postfix/master.cf";
    let found = logical_lines(text(files, MAIN))
        .filter_map(|(line, text)| {
            let (key, value) = text.split_once('=')?;
            (key.trim() == "inet_interfaces").then(|| (line, value.to_owned()))
        })
        .last();
    let (line, value) = match found {
        Some((line, value)) => (Some(line), value),
        None => (None, "all".to_owned()),
    };
    let interfaces: Vec<Arc<str>> =
        value.split([',', ' ', '\t']).filter(|word| !word.is_empty()).map(Arc::from).collect();
    let services: Vec<(i64, String)> = logical_lines(text(files, MASTER))
        .filter(|(_, text)| text.split_whitespace().nth(1) == Some("inet"))
        .collect();
    if text(files, MASTER).is_empty() {
        return row("postfix", MAIN, line, interfaces);
    }
    let mut server = row("postfix", MAIN, line, interfaces.clone());
    server.local = true;
    for (at, service) in &services {
        let name = service.split_whitespace().next().unwrap_or_default();
        match name.rsplit_once(':') {
            Some((host, _)) if is_local(host) => {}
            Some((host, _)) => return row("postfix", MASTER, Some(*at), vec![host.into()]),
            None => {
                server.local &= !interfaces.is_empty() && interfaces.iter().all(|i| is_local(i))
            }
        }
    }
    server
}

/// Lines of postconf(5) with the number of the first, comments left out.
fn logical_lines(text: &str) -> impl Iterator<Item = (i64, String)> {
    let mut lines: Vec<(i64, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with('#') || line.trim().is_empty() {
            continue;
        }
        match lines.last_mut() {
            Some((_, last)) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => lines.push((number, line.trim().to_owned())),
        }
    }
    lines.into_iter()
}

/// Debian's answers: an empty list is every address.
fn exim(files: &ConfigFiles) -> MailServer {
    const ANSWERS: &str = "/etc/exim4/update-exim4.conf.conf";
    let found = (1..)
        .zip(text(files, ANSWERS).lines())
        .filter_map(|(line, text)| {
            let value = text.trim().strip_prefix("dc_local_interfaces=")?;
            Some((line, value.trim_matches(['"', '\''])))
        })
        .last();
    let (line, value) = found.map_or((None, ""), |(line, value)| (Some(line), value));
    let mut addresses: Vec<Arc<str>> = value
        .split(';')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| Arc::from(without_port(word)))
        .collect();
    if addresses.is_empty() {
        addresses.push("all".into());
    }
    row("exim4", ANSWERS, line, addresses)
}

/// `127.0.0.1.25` and `[127.0.0.1]:25` name a port too.
fn without_port(word: &str) -> &str {
    if let Some(inner) = word.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner);
    }
    match word.rsplit_once('.') {
        Some((address, _)) if word.matches('.').count() == 4 => address,
        _ => word,
    }
}

fn sendmail(files: &ConfigFiles) -> MailServer {
    const CONFIG: &str = "/etc/mail/sendmail.cf";
    let mut addresses: Vec<Arc<str>> = Vec::new();
    let mut place = None;
    for (line, text) in (1i64..).zip(text(files, CONFIG).lines()) {
        let Some(options) = text.strip_prefix("O DaemonPortOptions=") else { continue };
        let address = options.split(',').find_map(|option| {
            let (key, value) = option.trim().split_once('=')?;
            key.eq_ignore_ascii_case("addr").then_some(value)
        });
        addresses.push(address.unwrap_or("all").into());
        if place.is_none() || !address.is_some_and(is_local) {
            place = Some(line);
        }
    }
    if addresses.is_empty() {
        addresses.push("all".into());
    }
    row("sendmail", CONFIG, place, addresses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lens::testing::files;

    #[test]
    fn postfix_listens_where_its_last_line_says() {
        let local = |main: &str| postfix(&files(&[("/etc/postfix/main.cf", main)])).local;
        assert!(local("inet_interfaces = all\ninet_interfaces=loopback-only\n"));
        assert!(local("inet_interfaces = 127.0.0.1,\n  [::1]\n"));
        assert!(local("inet_interfaces=localhost\n# inet_interfaces = all\n"));
        assert!(!local("inet_interfaces = localhost, $myhostname\n"));
        assert!(!local("myhostname = x\n"), "all is the default");
        let both = |master: &str| {
            let main = ("/etc/postfix/main.cf", "inet_interfaces = all\n");
            postfix(&files(&[main, ("/etc/postfix/master.cf", master)])).local
        };
        assert!(!both("smtp inet n - y - - smtpd\n"));
        assert!(both("127.0.0.1:smtp inet n - y - - smtpd\n  -o x=y\n"));
        assert!(both("#smtp inet n - y - - smtpd\npickup unix n - y 60 1 pickup\n"));
    }

    #[test]
    fn exim_and_sendmail_listen_everywhere_by_default() {
        let exim_local =
            |text: &str| exim(&files(&[("/etc/exim4/update-exim4.conf.conf", text)])).local;
        assert!(exim_local("dc_local_interfaces='127.0.0.1 ; ::1'\n"));
        assert!(exim_local("dc_local_interfaces='127.0.0.1.25'\n"));
        assert!(!exim_local("dc_local_interfaces=''\n"));
        assert!(!exim_local(""));
        let sendmail_local =
            |text: &str| sendmail(&files(&[("/etc/mail/sendmail.cf", text)])).local;
        assert!(sendmail_local("O DaemonPortOptions=Port=smtp,Addr=127.0.0.1, Name=MTA\n"));
        assert!(!sendmail_local("O DaemonPortOptions=Name=MTA\n"));
        assert!(!sendmail_local(""));
    }
}
