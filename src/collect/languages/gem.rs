//! Ruby: the specifications of installed gems. They are Ruby programs, but RubyGems writes them
//! itself in one form (`Gem::Specification#to_ruby`), one assignment a line.

use super::Found;

/// Whether a directory holds the specifications of installed gems.
pub(super) fn is_installed(directory: &str) -> bool {
    directory.ends_with("/specifications") || directory.ends_with("/specifications/default")
}

/// The gem of a specification.
pub(super) fn read(path: &str, text: &str) -> Option<Vec<Found>> {
    let assigned = |attribute: &str| {
        text.lines().find_map(|line| {
            let (object, rest) = line.trim_start().split_once('.')?;
            let rest = rest.strip_prefix(attribute)?.trim_start().strip_prefix('=')?;
            let word = object.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            word.then(|| quoted(rest)).flatten()
        })
    };
    let file = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".gemspec");
    let name = match assigned("name") {
        Some(name) => name,
        None => file.rsplit_once('-')?.0,
    };
    let version = match assigned("version") {
        Some(version) => version,
        // Written by hand, it may compute its version; the file's name has it all the same.
        None => file.strip_prefix(name)?.strip_prefix('-')?,
    };
    Some(vec![Found::new("RubyGems", name, version)?])
}

/// The first text in quotes.
fn quoted(rest: &str) -> Option<&str> {
    let open = rest.find(['"', '\''])?;
    let quote = &rest[open..open + 1];
    rest[open + 1..].split_once(quote).map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_read_and_else_the_name() {
        let text = "# stub: rake 13.0.6 ruby lib\n\nGem::Specification.new do |s|\n  \
                    s.name = \"rake\".freeze\n  s.version = \"13.0.6\"\n\n  \
                    s.required_rubygems_version = Gem::Requirement.new(\">= 1\")\n";
        let found = read("/x/rake-13.0.6.gemspec", text).unwrap();
        assert_eq!((&*found[0].name, &*found[0].version), ("rake", "13.0.6"));
        let text = "  s.name = 'json'\n  s.version = Gem::Version.new(\"2.6.1\")\n";
        assert_eq!(read("/x/a.gemspec", text).unwrap()[0].version, "2.6.1");
        let text = "  s.name = 'net-ssh'\n  s.version = Net::SSH::VERSION\n";
        assert_eq!(read("/x/net-ssh-7.0.gemspec", text).unwrap()[0].version, "7.0");
        assert!(read("/x/none.gemspec", "").is_none());
    }
}
