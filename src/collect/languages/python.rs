//! Python: the metadata that installers leave beside a package. Format: the core metadata
//! specification of PyPA; the directories are those of "Recording installed projects" and of
//! setuptools' eggs.

use super::Found;

/// Whether METADATA or PKG-INFO in this directory describes an installed package.
pub(super) fn describes(directory: &str) -> bool {
    directory.ends_with(".dist-info")
        || directory.ends_with(".egg-info")
        || directory.ends_with("/EGG-INFO")
}

/// The package of METADATA, PKG-INFO, or of the file `name.egg-info` that distutils wrote.
pub(super) fn read(_path: &str, text: &str) -> Option<Vec<Found>> {
    let mut name = None;
    let mut version = None;
    // The header of a mail message; the description follows after an empty line.
    for line in text.lines().take_while(|line| !line.is_empty()) {
        let Some((key, value)) = line.split_once(':') else { continue };
        if key.eq_ignore_ascii_case("name") {
            name.get_or_insert(value.trim());
        } else if key.eq_ignore_ascii_case("version") {
            version.get_or_insert(value.trim());
        }
    }
    Some(vec![Found::new("PyPI", &normal(name?), version?)?])
}

/// The form of a name that PyPI compares: lower case, one `-` for any run of `-`, `_` and `.`.
pub(in crate::collect) fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        if matches!(letter, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(letter.to_lowercase());
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_name_and_version() {
        let text = "Metadata-Version: 2.1\nName: Zope.Interface__x\nVersion: 5.0\n\
                    Requires-Dist: a\n\nName: no\n";
        let found = read("", text).unwrap();
        assert_eq!((&*found[0].name, &*found[0].version), ("zope-interface-x", "5.0"));
        assert!(read("", "Name: x\n\nVersion: 1\n").is_none());
        assert!(read("", "Name: x\nVersion:\n").is_none());
    }

    #[test]
    fn only_metadata_of_installed_packages_counts() {
        assert!(describes("/usr/lib/python3/dist-packages/requests-2.28.1.dist-info"));
        assert!(describes("/usr/lib/python3/dist-packages/six-1.16.0.egg-info"));
        assert!(!describes("/srv/project"));
    }
}
