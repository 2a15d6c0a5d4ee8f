//! Users, groups and password states: passwd(5), group(5), shadow(5).

use std::sync::Arc;

use super::{Root, text};
use crate::model::cell::{AbsPath, Fact};
use crate::model::facts::Rows;
use crate::model::state::TableState;
use crate::model::table::{Group, Shadow, User};

/// The longest account file: a hundred thousand lines.
const LIMIT: u64 = 8 << 20;

/// The file of passwords.
const SHADOW: &str = "/etc/shadow";

/// A table read from one file of `:`-separated lines.
fn table<F: Fact>(
    root: &dyn Root,
    path: &str,
    row: impl Fn(&[&str], i64) -> Option<F>,
) -> (TableState, Rows) {
    let content = match text::read_up_to(root, path, LIMIT) {
        Ok(Some(content)) => content,
        Ok(None) => {
            let state = TableState::absent(format!("there is no {path}"));
            return (state, Rows::new(F::TABLE));
        }
        Err(error) => return (text::denied(path, &error), Rows::new(F::TABLE)),
    };
    let mut rows = Rows::new(F::TABLE);
    let mut unread = Vec::new();
    for (number, line) in (1i64..).zip(content.lines()) {
        // Lines that begin with + or - include directory services; those are not local accounts.
        let included = line.starts_with(['+', '-']) && path != SHADOW;
        if line.is_empty() || line.starts_with('#') || included {
            continue;
        }
        let fields: Vec<&str> = line.split(':').collect();
        match row(&fields, number) {
            Some(fact) => rows.push(fact.into_cells()),
            None => unread.push(number),
        }
    }
    let state = match unread.first() {
        None => TableState::Collected,
        Some(first) => TableState::truncated(format!(
            "{path}: {} malformed lines, the first is line {first}",
            unread.len()
        )),
    };
    (state, rows)
}

pub(super) fn users(root: &dyn Root) -> (TableState, Rows) {
    table(root, "/etc/passwd", |fields, line| {
        let [name, password, uid, gid, gecos, home, shell] = *fields else { return None };
        Some(User {
            name: name.into(),
            uid: uid.parse::<u32>().ok()?.into(),
            gid: gid.parse::<u32>().ok()?.into(),
            gecos: gecos.into(),
            home: AbsPath(home.into()),
            shell: AbsPath(shell.into()),
            password: match password {
                "x" => "shadowed",
                "" => "empty",
                other if other.starts_with(['*', '!']) => "locked",
                _ => "hash",
            }
            .into(),
            line,
        })
    })
}

pub(super) fn groups(root: &dyn Root) -> (TableState, Rows) {
    table(root, "/etc/group", |fields, line| {
        let [name, _, gid, members] = *fields else { return None };
        Some(Group {
            name: name.into(),
            gid: gid.parse::<u32>().ok()?.into(),
            members: members.split(',').filter(|name| !name.is_empty()).map(Arc::from).collect(),
            line,
        })
    })
}

pub(super) fn shadow(root: &dyn Root) -> (TableState, Rows) {
    table(root, SHADOW, shadow_line)
}

fn shadow_line(fields: &[&str], line: i64) -> Option<Shadow> {
    let [name, password, days @ ..] = fields else { return None };
    let day = |index: usize| match days.get(index) {
        None | Some(&"") => Some(None),
        Some(text) => text.parse::<i64>().ok().map(Some),
    };
    let (status, algorithm) = match name.starts_with(['+', '-']) {
        true => ("directory", None),
        false => password_state(password),
    };
    Some(Shadow {
        name: (*name).into(),
        status: status.into(),
        algorithm: algorithm.map(Arc::from),
        last_change: day(0)?,
        min_days: day(1)?,
        max_days: day(2)?,
        warn_days: day(3)?,
        inactive_days: day(4)?,
        expires: day(5)?,
        line,
    })
}

/// The status of a password field, and the name of its algorithm (crypt(5)). The hash itself
/// goes no further than here.
fn password_state(field: &str) -> (&'static str, Option<&'static str>) {
    if field.is_empty() {
        return ("empty", None);
    }
    let hash = field.trim_start_matches('!');
    let algorithm = match hash.split('$').nth(1) {
        Some("y") => Some("yescrypt"),
        Some("gy") => Some("gost-yescrypt"),
        Some("7") => Some("scrypt"),
        Some("6") => Some("sha512"),
        Some("5") => Some("sha256"),
        Some("2a" | "2b" | "2x" | "2y") => Some("bcrypt"),
        Some("1") => Some("md5"),
        Some("md5") => Some("sunmd5"),
        Some("sha1") => Some("sha1"),
        Some(_) => Some("unknown"),
        None if hash.starts_with('_') => Some("bsdicrypt"),
        None if hash.len() == 13 && hash.bytes().all(is_crypt) => Some("des"),
        None => None,
    };
    match (algorithm, hash.len() == field.len()) {
        (Some(algorithm), true) => ("set", Some(algorithm)),
        (Some(algorithm), false) => ("locked", Some(algorithm)),
        (None, _) => ("none", None),
    }
}

/// The alphabet of traditional hashes.
fn is_crypt(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/')
}

#[cfg(test)]
mod tests {
    use super::{password_state, shadow_line};

    #[test]
    fn a_line_for_a_directory_service_is_no_empty_password() {
        let status =
            |line: &str| shadow_line(&line.split(':').collect::<Vec<_>>(), 1).unwrap().status;
        assert_eq!(&*status("+::::::::"), "directory");
        assert_eq!(&*status("ann::::::::"), "empty");
    }

    #[test]
    fn a_password_field_tells_its_state() {
        assert_eq!(password_state(""), ("empty", None));
        assert_eq!(password_state("*"), ("none", None));
        assert_eq!(password_state("!"), ("none", None));
        assert_eq!(password_state("!!"), ("none", None));
        assert_eq!(password_state("!*"), ("none", None));
        assert_eq!(password_state("$y$j9T$salt$hash"), ("set", Some("yescrypt")));
        assert_eq!(password_state("!$6$salt$hash"), ("locked", Some("sha512")));
        assert_eq!(password_state("ab01234567890"), ("set", Some("des")));
    }
}
