//! minisign signatures of database files: `minisign -S -m advisories.db` writes one beside it.
//!
//! Format: <https://jedisct1.github.io/minisign/>. Only signatures of the prehashed kind are
//! taken, which minisign has written by default since 0.10.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use minisign_verify::{Error, Signature};

use super::{Database, DbError};

/// Bytes of the file that are read at once.
const CHUNK: u64 = 1 << 20;
/// No key and no signature is longer.
const MAX_TEXT: u64 = 16 << 10;

/// A public key of minisign.
#[derive(Debug, Clone)]
pub struct PublicKey(minisign_verify::PublicKey);

impl PublicKey {
    /// The key in a file as minisign writes it, or as the one line of base64 itself.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(given: &str) -> Result<Self, DbError> {
        let key = match minisign_verify::PublicKey::from_base64(given) {
            Ok(key) => Ok(key),
            Err(_) => {
                let text = text(Path::new(given))
                    .map_err(|problem| DbError::BadKey(format!("{given:?}: {problem}")))?;
                minisign_verify::PublicKey::decode(text.trim_end())
            }
        };
        key.map(Self).map_err(|_| DbError::BadKey(format!("{given:?} holds no minisign key")))
    }
}

/// Where the signature of a database lies: the database's name and `.minisig`.
pub fn signature_of(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".minisig");
    name.into()
}

/// A small file, as text.
fn text(path: &Path) -> Result<String, String> {
    let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() || meta.len() > MAX_TEXT {
        return Err("it is not a small file".into());
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

impl Database {
    /// Checks the signature in a file against all bytes of the database, and gives its trusted
    /// comment.
    ///
    /// # Errors
    /// There is no signature, or it is not by this key of these bytes.
    pub fn check_signature(&self, key: &PublicKey, signature: &Path) -> Result<String, DbError> {
        let name = signature.display();
        let unsigned = |problem: String| DbError::Unsigned(format!("{name}: {problem}"));
        let signature = Signature::decode(&text(signature).map_err(unsigned)?)
            .map_err(|_| unsigned("it is no signature of minisign".into()))?;
        let wrong = |error: Error| {
            DbError::WrongSignature(match error {
                Error::UnexpectedKeyId => "it is by another key".into(),
                Error::UnsupportedLegacyMode => "it is of the old kind; sign again".into(),
                _ => "it is not of these bytes".into(),
            })
        };
        let mut stream = key.0.verify_stream(&signature).map_err(wrong)?;
        let mut at = 0;
        while at < self.size() {
            let len = CHUNK.min(self.size() - at);
            stream.update(&self.read(at, len)?);
            at += len;
        }
        stream.finalize().map_err(wrong)?;
        Ok(signature.trusted_comment().to_owned())
    }
}
