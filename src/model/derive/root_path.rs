//! `root_path`: the directories in which root's commands are searched, from every file that sets
//! PATH for root: login.defs(5), environment(5), sudoers(5) `secure_path`, and what root's login
//! shells read (bash(1) INVOCATION, profile.d).

use std::sync::Arc;

use crate::facts;
use crate::model::cell::{AbsPath, Fact, Mode};
use crate::model::facts::Rows;
use crate::model::lens::{ConfigFiles, Text};
use crate::model::paths::Paths;
use crate::model::schema::TableSchema;
use crate::model::state::{FactError, TableState};
use crate::model::table::{ConfigFile, File, FileKind};
use crate::model::view::{Loaded, View};

/// Files of the shells, in the order in which they are read.
const SHELL_FILES: [&str; 12] = [
    "/etc/environment",
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/bashrc",
    "/etc/zsh/zshenv",
    "/etc/zsh/zprofile",
    "/root/.bash_profile",
    "/root/.bash_login",
    "/root/.profile",
    "/root/.bashrc",
    "/root/.zprofile",
    "/root/.zshrc",
];
/// What login sets where login.defs says nothing.
const DEFAULT: &str = "/sbin:/bin:/usr/sbin:/usr/bin";
/// How many directories are looked at.
const MAX_ROWS: usize = 2000;

facts! {
    /// Directories in root's PATH, with what is wrong with each.
    #[table(name = "root_path", origin = Derived, location = "{path}")]
    pub struct RootPath {
        /// The file that sets PATH.
        pub path: AbsPath,
        /// The line in it; none where the default of login(1) stands for it.
        pub line: Option<i64>,
        /// The directory as written, $HOME replaced; empty where nothing stands between two colons.
        pub directory: Arc<str>,
        /// The directory's owner.
        pub owner: Option<i64>,
        /// The directory's permission bits.
        pub mode: Option<Mode>,
        /// The first that holds: `empty`, `current directory`, `relative`, `missing`, `not a directory`, `not owned by root`, `writable by group`, `writable by others`; none where all is well.
        pub problem: Option<Arc<str>>,
    }
}

pub(super) struct Derivation;

impl super::Derivation for Derivation {
    fn table(&self) -> &'static TableSchema {
        RootPath::TABLE
    }

    fn reads(&self) -> &'static [&'static TableSchema] {
        &[ConfigFile::TABLE, File::TABLE]
    }

    fn derive(&self, view: &View<'_>) -> Result<Loaded, FactError> {
        let config = view.config()?;
        let (mut state, settings) = settings(&config);
        let files_state = view.files_state();
        let complete = files_state.is_complete();
        state = state.and(files_state);
        let mut paths = Paths::new(view.source());
        let mut rows = Vec::new();
        for setting in settings {
            for directory in directories(&setting.value) {
                if rows.len() >= MAX_ROWS {
                    state = state.and(TableState::truncated(format!("more than {MAX_ROWS}")));
                    return Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) });
                }
                let file = match directory.starts_with('/') {
                    true => paths.follow(&directory)?,
                    false => None,
                };
                // What the walk did not see may be there.
                if directory.starts_with('/') && file.is_none() && !complete {
                    continue;
                }
                rows.push(RootPath {
                    path: AbsPath(Arc::clone(&setting.path)),
                    line: setting.line,
                    owner: file.as_ref().map(|file| file.uid.into()),
                    mode: file.as_ref().map(|file| file.mode),
                    problem: problem(&directory, file.as_ref()).map(Arc::from),
                    directory: directory.into(),
                });
            }
        }
        Ok(Loaded { state, rows: Arc::new(Rows::of(rows)) })
    }
}

/// One place that sets PATH.
struct Setting {
    path: Arc<str>,
    line: Option<i64>,
    value: String,
}

fn settings(config: &ConfigFiles) -> (TableState, Vec<Setting>) {
    let mut state = config.state().clone();
    let mut settings = Vec::new();
    let mut read = |file: &Text, take: &dyn Fn(&str) -> Vec<(i64, String)>| {
        match &file.text {
            Ok(text) => settings.extend(take(text).into_iter().map(|(line, value)| Setting {
                path: Arc::clone(&file.path),
                line: Some(line),
                value,
            })),
            Err(problem) => {
                let lost = TableState::truncated(format!("{}: {problem}", file.path));
                state = std::mem::replace(&mut state, TableState::Collected).and(lost);
            }
        }
        settings.len()
    };
    let found = config.get("/etc/login.defs").map_or(0, |file| read(file, &login_path));
    for file in SHELL_FILES.iter().filter_map(|path| config.get(path)) {
        read(file, &shell_paths);
    }
    for file in config.in_directory("/etc/profile.d", ".sh") {
        read(file, &shell_paths);
    }
    for file in
        config.get("/etc/sudoers").into_iter().chain(config.in_directory("/etc/sudoers.d", ""))
    {
        read(file, &secure_paths);
    }
    if found == 0 {
        let path = Arc::from("/etc/login.defs");
        settings.insert(0, Setting { path, line: None, value: DEFAULT.to_owned() });
    }
    (state, settings)
}

/// ENV_SUPATH of login.defs; the last one counts.
fn login_path(text: &str) -> Vec<(i64, String)> {
    let value = |line: &str| {
        let value = line.trim().strip_prefix("ENV_SUPATH")?;
        let value = value.strip_prefix([' ', '\t', '='])?.trim_matches([' ', '\t', '"', '=']);
        Some(value.strip_prefix("PATH=").unwrap_or(value).to_owned())
    };
    let lines = (1..).zip(text.lines()).filter_map(|(line, text)| Some((line, value(text)?)));
    lines.last().into_iter().collect()
}

/// Assignments to PATH in a script, those left out that only other users reach: the `else` of an
/// `if` that asks whether the user id is 0.
fn shell_paths(text: &str) -> Vec<(i64, String)> {
    let mut found = Vec::new();
    // For each `if` that is open: whether it asks for root, and whether its other branch began.
    let mut open: Vec<(Option<bool>, bool)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let word = line.split([' ', '\t', ';']).next().unwrap_or_default();
        match word {
            "if" if open.len() < 100 => open.push((asks_for_root(line), false)),
            "elif" => {
                if let Some(last) = open.last_mut() {
                    *last = (asks_for_root(line), false);
                }
            }
            "else" => {
                if let Some(last) = open.last_mut() {
                    last.1 = true;
                }
            }
            "fi" => {
                open.pop();
            }
            _ => {}
        }
        let others = |(asks, other): &(Option<bool>, bool)| asks.is_some_and(|root| root == *other);
        if !open.iter().any(others) {
            found.extend(assigned(line).map(|value| (number, value)));
        }
    }
    found
}

/// Whether an `if` is true for root (`Some(true)`) or for the others (`Some(false)`).
fn asks_for_root(line: &str) -> Option<bool> {
    let id = ["id -u", "$UID", "${UID}", "$EUID", "${EUID}"].iter().any(|id| line.contains(id));
    if !id {
        return None;
    }
    let not = ["-ne 0", "!= 0", "!= \"0\"", "-gt 0"].iter().any(|no| line.contains(no));
    let yes = ["-eq 0", "= 0", "= \"0\"", "= '0'"].iter().any(|yes| line.contains(yes));
    (not || yes).then_some(!not)
}

/// The value of `PATH=...` on a line, with or without export.
fn assigned(line: &str) -> Option<String> {
    // After `then`, `&&`, `;` or export a command begins.
    let at = line.match_indices("PATH=").find_map(|(at, _)| {
        let before = line.get(..at)?.trim_end_matches(' ');
        let begins = before.is_empty()
            || before.ends_with([';', '&', '|', '{', '('])
            || ["export", "then", "else", "do", "-gx"].iter().any(|word| before.ends_with(word));
        let whole =
            line[..at].is_empty() || line[..at].ends_with([' ', '\t', ';', '&', '|', '{', '(']);
        (begins && whole).then_some(at + "PATH=".len())
    })?;
    let mut value = String::new();
    let mut quote = None;
    for letter in line.get(at..)?.chars() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None, ' ' | '\t' | ';' | '&' | '#') => break,
            (_, letter) => value.push(letter),
        }
    }
    Some(value)
}

/// `secure_path` of sudoers, lines joined.
fn secure_paths(text: &str) -> Vec<(i64, String)> {
    let value = |line: &str| {
        let line = line.trim();
        let rest = line.strip_prefix("Defaults")?.split_once("secure_path")?.1;
        let rest = rest.trim_start().trim_start_matches('+').strip_prefix('=')?.trim_start();
        let value = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => rest.split([',', ' ', '\t']).next()?,
        };
        Some(value.to_owned())
    };
    (1..).zip(text.lines()).filter_map(|(line, text)| Some((line, value(text)?))).collect()
}

/// The directories of a PATH. What a variable or a command gives stands elsewhere and is left out.
fn directories(value: &str) -> Vec<String> {
    value
        .split(':')
        .map(|directory| match directory.strip_prefix('~') {
            Some(rest) => format!("/root{rest}"),
            None => directory.replace("${HOME}", "/root").replace("$HOME", "/root"),
        })
        .filter(|directory| !directory.contains(['$', '`']))
        .collect()
}

fn problem(directory: &str, file: Option<&File>) -> Option<&'static str> {
    match directory {
        "" => return Some("empty"),
        "." => return Some("current directory"),
        other if !other.starts_with('/') => return Some("relative"),
        _ => {}
    }
    let Some(file) = file else { return Some("missing") };
    if file.kind != FileKind::Directory {
        Some("not a directory")
    } else if file.uid != 0 {
        Some("not owned by root")
    } else if file.mode.0 & 0o020 != 0 {
        Some("writable by group")
    } else if file.mode.0 & 0o002 != 0 {
        Some("writable by others")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::accounts::testing::text;
    use super::super::homes::testing::inode;
    use super::*;
    use crate::model::facts::MemoryFacts;

    const PROFILE: &str = "if [ \"$(id -u)\" -eq 0 ]; then\n  PATH=\"/usr/bin:/opt/w::.\"\nelse\n  \
                           PATH=\"/usr/games\"\nfi\nexport PATH\nMANPATH=/x\nif [ -d /y ]; then \
                           export PATH=$PATH:$HOME/bin:y; fi\n";

    #[test]
    fn every_file_that_sets_it_is_read() {
        let facts = MemoryFacts::new()
            .with([
                text("/etc/login.defs", "ENV_SUPATH\tPATH=/gone\nENV_SUPATH PATH=/usr/bin\n"),
                text("/etc/profile", PROFILE),
                text("/etc/profile.d/x.sh", "[ $UID = 0 ] && PATH=/opt/u:$PATH # x\n"),
                text("/etc/sudoers", "Defaults secure_path=\"/opt/f\"\n#Defaults secure_path=z\n"),
            ])
            .with([
                inode("/", FileKind::Directory, 0o755, 0),
                inode("/opt", FileKind::Directory, 0o755, 0),
                inode("/opt/f", FileKind::File, 0o755, 0),
                inode("/opt/u", FileKind::Directory, 0o755, 7),
                inode("/opt/w", FileKind::Directory, 0o757, 0),
                inode("/usr", FileKind::Directory, 0o755, 0),
                inode("/usr/bin", FileKind::Directory, 0o755, 0),
            ]);
        let (state, rows) = View::new(&facts).typed::<RootPath>().unwrap();
        assert!(state.is_complete(), "{state}");
        let shown: Vec<_> = rows
            .iter()
            .map(|row| (&*row.path.0, row.line.unwrap(), &*row.directory, row.problem.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("/etc/login.defs", 2, "/usr/bin", None),
                ("/etc/profile", 2, "/usr/bin", None),
                ("/etc/profile", 2, "/opt/w", Some("writable by others")),
                ("/etc/profile", 2, "", Some("empty")),
                ("/etc/profile", 2, ".", Some("current directory")),
                ("/etc/profile", 8, "/root/bin", Some("missing")),
                ("/etc/profile", 8, "y", Some("relative")),
                ("/etc/profile.d/x.sh", 1, "/opt/u", Some("not owned by root")),
                ("/etc/sudoers", 1, "/opt/f", Some("not a directory")),
            ]
        );
    }

    #[test]
    fn without_a_word_the_default_of_login_stands() {
        let facts = MemoryFacts::new().with([text("/etc/hosts", "")]).with([inode(
            "/",
            FileKind::Directory,
            0o755,
            0,
        )]);
        let (_, rows) = View::new(&facts).typed::<RootPath>().unwrap();
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[0].line, None);
    }
}
