//! PHP: the list of what Composer installed, `vendor/composer/installed.json`; its first version
//! was a bare array.

use serde_json::Value as Json;

use super::Found;

/// Every package of the list.
pub(super) fn read(_path: &str, text: &str) -> Option<Vec<Found>> {
    let json: Json = serde_json::from_str(text).ok()?;
    let packages = match &json {
        Json::Array(packages) => packages,
        other => other.get("packages")?.as_array()?,
    };
    let package = |package: &Json| {
        let word = |key: &str| package.get(key).and_then(Json::as_str);
        let version = word("version")?;
        // Tags are often `v1.2`, which Composer compares as `1.2`.
        let digits = version.strip_prefix('v').filter(|rest| rest.starts_with(char::is_numeric));
        Found::new("Packagist", word("name")?, digits.unwrap_or(version))
    };
    Some(packages.iter().filter_map(package).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let list = r#"[{"name":"monolog/monolog","version":"v2.9.1"},{"name":"half"}]"#;
        let new = format!(r#"{{"packages":{list},"dev":true}}"#);
        for text in [list, &new] {
            let found = read("", text).unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!((&*found[0].name, &*found[0].version), ("monolog/monolog", "2.9.1"));
        }
        assert!(read("", "{}").is_none());
    }
}
