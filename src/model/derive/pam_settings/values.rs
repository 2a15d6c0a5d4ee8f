//! How PAM modules read the values of their settings: pam_faillock(8), pam_pwhistory(8),
//! pam_pwquality(8), pam_unix(8).

use std::sync::Arc;

use crate::model::lens::pwquality;

/// The greatest number of seconds that pam_faillock takes; a greater one is refused.
const LONGEST: i64 = 604_800;
/// The greatest number of old passwords that pam_pwhistory and pam_unix remember.
const MOST_PASSWORDS: i64 = 400;
/// Modules that compare keys by case.
const EXACT: [&str; 2] = ["pam_faillock.so", "pam_unix.so"];

/// The key as the module compares it: in lower case where it does not look at the case.
pub(super) fn key(module: &str, key: &str) -> Arc<str> {
    if EXACT.contains(&module) { key.into() } else { key.to_ascii_lowercase().into() }
}

/// Whether the module takes the value, and does not say that it is bad and go on without it.
pub(super) fn is_taken(module: &str, key: &str, value: Option<&str>) -> bool {
    let value = value.unwrap_or_default();
    match (module, key) {
        ("pam_faillock.so", "unlock_time" | "root_unlock_time") if value == "never" => true,
        ("pam_faillock.so", "fail_interval" | "unlock_time" | "root_unlock_time") => {
            leading(value).is_some_and(|number| (0..=LONGEST).contains(&number))
        }
        ("pam_faillock.so", "deny") | ("pam_pwhistory.so", "remember") => leading(value).is_some(),
        ("pam_unix.so", "minlen" | "remember") => value.parse::<i32>().is_ok(),
        // What is no setting of the library is said of how the module asks.
        ("pam_pwquality.so", key) if pwquality::is_number(key) => pwquality::understood(key, value),
        _ => true,
    }
}

/// The number that the module takes the value for.
pub(super) fn number(module: &str, key: &str, value: &str) -> Option<i64> {
    match (module, key) {
        // It is kept in sixteen bits without a sign.
        ("pam_faillock.so", "deny") => leading(value).map(|number| number.rem_euclid(65_536)),
        ("pam_faillock.so", _) => leading(value),
        ("pam_pwhistory.so" | "pam_unix.so", "remember") => {
            leading(value).map(|number| number.clamp(0, MOST_PASSWORDS))
        }
        _ => value.parse().ok(),
    }
}

/// The decimal number that a text begins with, as scanf(3) and strtol(3) read it.
fn leading(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    text.get(..text.len() - digits.len() + end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_or_refused() {
        let taken = |module, key, value| is_taken(module, key, Some(value));
        assert!(taken("pam_faillock.so", "unlock_time", "604800"));
        assert!(!taken("pam_faillock.so", "unlock_time", "604801"));
        assert!(taken("pam_faillock.so", "root_unlock_time", "never"));
        assert!(!taken("pam_faillock.so", "root_unlock_time", "Never"));
        assert!(!taken("pam_faillock.so", "deny", ""));
        assert!(taken("pam_faillock.so", "deny", "5x"));
        assert!(!taken("pam_pwquality.so", "minlen", "14x"));
        assert!(taken("pam_pwquality.so", "use_authtok", ""));
        assert!(!taken("pam_unix.so", "remember", "x"));
    }

    #[test]
    fn numbers_are_read_as_the_modules_do() {
        assert_eq!(number("pam_faillock.so", "deny", "65536"), Some(0));
        assert_eq!(number("pam_faillock.so", "deny", "5x"), Some(5));
        assert_eq!(number("pam_pwhistory.so", "remember", "-1"), Some(0));
        assert_eq!(number("pam_unix.so", "remember", "500"), Some(400));
        assert_eq!(number("pam_pwquality.so", "minlen", "+14"), Some(14));
        assert_eq!(leading("-"), None);
    }
}
