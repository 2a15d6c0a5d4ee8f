//! npm: package.json of packages that were installed. Format: npm's package.json documentation.

use serde_json::Value as Json;

use super::Found;

/// Directories that hold packages, as node itself searches them; the last two are Debian's.
const HOLDERS: [&str; 3] = ["/node_modules", "/usr/share/nodejs", "/usr/lib/nodejs"];

/// Whether a directory is that of an installed package: `node_modules/name` or
/// `node_modules/@scope/name`. A package.json deeper inside only says how to load that part.
pub(super) fn is_installed(directory: &str) -> bool {
    let Some((parent, name)) = directory.rsplit_once('/') else { return false };
    if name.starts_with('.') || name.starts_with('@') {
        return false;
    }
    let holder = match parent.rsplit_once('/') {
        Some((above, scope)) if scope.starts_with('@') => above,
        _ => parent,
    };
    holder.ends_with(HOLDERS[0]) || HOLDERS[1..].contains(&holder)
}

/// The package of a package.json.
pub(super) fn read(_path: &str, text: &str) -> Option<Vec<Found>> {
    let json: Json = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let object = json.as_object()?;
    // Without either it is a directory that was put there by hand; npm lists it as invalid.
    let (Some(name), Some(version)) =
        (object.get("name").and_then(Json::as_str), object.get("version").and_then(Json::as_str))
    else {
        return Some(Vec::new());
    };
    Some(Found::new("npm", name, version).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_lie_right_below_node_modules() {
        for there in [
            "/srv/node_modules/left-pad",
            "/srv/node_modules/@babel/core",
            "/srv/node_modules/a/node_modules/b",
            "/usr/share/nodejs/semver",
            "/usr/share/nodejs/@types/node",
        ] {
            assert!(is_installed(there), "{there}");
        }
        for not in [
            "/srv/node_modules",
            "/srv/node_modules/left-pad/dist",
            "/srv/node_modules/@babel",
            "/srv/node_modules/.cache",
            "/usr/share/nodejs/semver/esm",
            "/srv/app",
        ] {
            assert!(!is_installed(not), "{not}");
        }
    }

    #[test]
    fn name_and_version_are_read() {
        let found = read("", r#"{"name":"@a/b","version":"1.0.0","x":[{}]}"#).unwrap();
        assert_eq!((&*found[0].name, &*found[0].version), ("@a/b", "1.0.0"));
        assert_eq!(read("", r#"{"type":"module"}"#).unwrap(), []);
        assert!(read("", "{").is_none());
        assert!(read("", &"[".repeat(100_000)).is_none());
    }
}
