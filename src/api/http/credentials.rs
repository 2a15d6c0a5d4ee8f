//! Who may ask: keys in a file of the AWS command line's form, so that the file itself can be given
//! to clients (`AWS_SHARED_CREDENTIALS_FILE`).

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

use crate::assess::store::arn::REGION;
use crate::snapshot::write_atomically;

/// The file's name in the data directory.
const FILE: &str = "credentials";
/// The largest file that is read.
const LARGEST: u64 = 64 * 1024;

/// A key and its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The access key id, which is no secret.
    pub id: String,
    secret: String,
}

impl Credential {
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether this is the secret.
    pub(in crate::api) fn is_secret(&self, given: &str) -> bool {
        // Hashes are compared in constant time.
        blake3::hash(given.as_bytes()) == blake3::hash(self.secret.as_bytes())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The keys of a data directory.
#[derive(Debug)]
pub struct Credentials {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub all: Vec<Credential>,
    /// Whether it was made just now.
    pub made: bool,
}

impl Credentials {
    /// Reads the keys of a data directory; makes one where there is no file yet.
    ///
    /// # Errors
    /// The file and what is wrong with it.
    pub fn open(data: &Path) -> Result<Self, String> {
        let path = data.join(FILE);
        let told = |problem: String| format!("{}: {problem}", path.display());
        let made = !path.try_exists().map_err(|error| told(error.to_string()))?;
        if made {
            let text = fresh().ok_or_else(|| told("the system gives no random bytes".into()))?;
            write_atomically(&path, text.as_bytes()).map_err(|error| told(error.to_string()))?;
        }
        let all = read(&path).map_err(told)?;
        Ok(Self { path, all, made })
    }
}

fn fresh() -> Option<String> {
    let mut bytes = [0; 28];
    SystemRandom::new().fill(&mut bytes).ok()?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (id, secret) = hex.split_at(16);
    let id = format!("ASSA{}", id.to_uppercase());
    Some(format!(
        "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\nregion = {REGION}\n"
    ))
}

fn read(path: &Path) -> Result<Vec<Credential>, String> {
    let meta = fs::metadata(path).map_err(|error| error.to_string())?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!("others than its owner may use it (mode {mode:03o}): chmod 600"));
    }
    if meta.len() > LARGEST {
        return Err("it is too large".into());
    }
    parse(&fs::read_to_string(path).map_err(|error| error.to_string())?)
}

fn parse(text: &str) -> Result<Vec<Credential>, String> {
    /// A section as written.
    struct Section<'a>(&'a str, Option<&'a str>, Option<&'a str>);
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), number + 1);
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push(Section(name, None, None));
            continue;
        }
        let (Some((key, value)), Some(section)) = (line.split_once('='), sections.last_mut())
        else {
            return Err(format!("line {number} is neither a [section] nor a setting in one"));
        };
        match key.trim() {
            "aws_access_key_id" => section.1 = Some(value.trim()),
            "aws_secret_access_key" => section.2 = Some(value.trim()),
            _ => {}
        }
    }
    let mut all: Vec<Credential> = Vec::new();
    for Section(name, id, secret) in sections {
        let (Some(id), Some(secret)) = (id, secret) else {
            return Err(format!("[{name}] has not both key id and secret"));
        };
        if id.is_empty() || secret.len() < 16 {
            return Err(format!("the secret of [{name}] has fewer than 16 characters"));
        }
        if all.iter().any(|other| other.id == id) {
            return Err(format!("{id} is there twice"));
        }
        all.push(Credential { id: id.to_owned(), secret: secret.to_owned() });
    }
    if all.is_empty() { Err("it has no key".into()) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let first = Credentials::open(folder.path()).unwrap();
        assert!(first.made);
        assert_eq!(fs::metadata(&first.path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Credentials::open(folder.path()).unwrap();
        assert!(!again.made);
        assert_eq!(first.all, again.all);
        assert_eq!((first.all[0].id.len(), first.all[0].secret.len()), (20, 40));
        let shown = format!("{:?}", first.all);
        assert!(!shown.contains(&first.all[0].secret), "a secret is not shown");
        fs::set_permissions(&first.path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Credentials::open(folder.path()).unwrap_err().contains("chmod 600"));
    }

    #[test]
    fn several_keys_are_read_and_mistakes_told() {
        let secret = "s".repeat(40);
        let one = |name: &str, id: &str| {
            format!("[{name}]\naws_access_key_id={id}\naws_secret_access_key = {secret}\n")
        };
        let two = format!("# ours\n\n{}region = x\n{}", one("a", "A"), one("b", "B"));
        assert_eq!(parse(&two).unwrap().len(), 2);
        for bad in [
            String::new(),
            "aws_access_key_id = A".to_owned(),
            "[a]\naws_access_key_id = A\n".to_owned(),
            "[a]\naws_access_key_id = A\naws_secret_access_key = short\n".to_owned(),
            "[a]\nnonsense\n".to_owned(),
            format!("{}{}", one("a", "A"), one("b", "A")),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
    }
}
