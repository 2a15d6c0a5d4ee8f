//! The files of their own that pam_faillock and pam_pwhistory read: faillock.conf(5),
//! pwhistory.conf(5).

use std::sync::Arc;

use super::values;
use crate::model::cell::AbsPath;
use crate::model::lens::pwquality::key_and_value;
use crate::model::table::Host;

/// Modules that read a file of their own when no argument names another.
const FILES: [(&str, &str); 2] = [
    ("pam_faillock.so", "/etc/security/faillock.conf"),
    ("pam_pwhistory.so", "/etc/security/pwhistory.conf"),
];

/// What pam_pwhistory looks for in its file; `use_authtok` is an argument only.
const HISTORY_KEYS: [&str; 5] = ["debug", "enforce_for_root", "file", "remember", "retry"];

/// A setting of a module's own file.
pub(super) struct Setting {
    pub path: AbsPath,
    pub line: i64,
    pub key: Arc<str>,
    pub value: Option<Arc<str>>,
}

/// The file that a module with these arguments reads, where it reads any.
pub(super) fn read_by(module: &str, args: &[Arc<str>], host: Option<&Host>) -> Option<Arc<str>> {
    let (_, usual) = FILES.iter().find(|(name, _)| *name == module)?;
    if host.is_some_and(|host| is_older(module, host)) {
        return None;
    }
    let named = args.iter().rev().find_map(|argument| argument.strip_prefix("conf="));
    Some(named.unwrap_or(usual).into())
}

/// Whether the module of this release knows no file: pam_faillock has one since Linux-PAM 1.4.0,
/// pam_pwhistory since 1.5.3. Red Hat took both into its older ones.
fn is_older(module: &str, host: &Host) -> bool {
    let mut parts = host.os_version.as_deref().unwrap_or_default().split('.');
    let mut part = || parts.next().and_then(|part| part.parse::<u32>().ok());
    let Some(release) = part() else { return false };
    let history = module == "pam_pwhistory.so";
    match host.os.as_deref().unwrap_or_default() {
        "debian" => release < if history { 13 } else { 11 },
        "ubuntu" => release < if history { 24 } else { 22 },
        // 2 and 2018.03 and the years before it.
        "amzn" => release < 2023,
        _ => false,
    }
}

/// The settings of a file that the module takes, one for each key.
pub(super) fn settings(module: &str, path: &Arc<str>, text: &str) -> Vec<Setting> {
    let history = module == "pam_pwhistory.so";
    let mut list: Vec<Setting> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some((key, value)) = key_and_value(text) else { continue };
        let key = values::key(module, key);
        if history {
            // It looks each key up, and takes the first line that has it.
            if !HISTORY_KEYS.contains(&&*key) || list.iter().any(|setting| setting.key == key) {
                continue;
            }
        } else if values::is_taken(module, &key, Some(value)) {
            list.retain(|setting| setting.key != key);
        } else {
            continue;
        }
        let value = (!value.is_empty()).then(|| Arc::from(value));
        list.push(Setting { path: AbsPath(Arc::clone(path)), line, key, value });
    }
    // A value that is no number leaves the default as it is.
    list.retain(|setting| values::is_taken(module, &setting.key, setting.value.as_deref()));
    list
}
