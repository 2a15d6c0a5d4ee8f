//! Shell globs of one path: glob(7) without braces. No wildcard matches `/`, nor the dot that
//! begins a name.

/// Whether the pattern matches the whole path. Time is bounded by the product of the lengths.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), path.chars().collect());
    let hidden = |at: usize| path[at] == '.' && (at == 0 || path[at - 1] == '/');
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < path.len() {
        if pattern.get(p) == Some(&'*') && !hidden(t) {
            star = Some((p, t));
            p += 1;
        } else if let Some(next) = one(&pattern, p, path[t], hidden(t)) {
            p = next;
            t += 1;
        } else if let Some((at, tried)) = star.filter(|(_, tried)| path[*tried] != '/') {
            star = Some((at, tried + 1));
            p = at + 1;
            t = tried + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The position after the element at `at`, where that matches the character. A hidden one is a dot
/// that begins a name.
fn one(pattern: &[char], at: usize, character: char, hidden: bool) -> Option<usize> {
    match pattern.get(at)? {
        '?' | '[' if hidden => None,
        '?' => (character != '/').then_some(at + 1),
        '\\' => (*pattern.get(at + 1)? == character).then_some(at + 2),
        '[' => {
            let close = pattern.get(at + 2..)?.iter().position(|c| *c == ']')? + at + 2;
            let negated = matches!(pattern[at + 1], '!' | '^');
            let set = &pattern[at + 1 + usize::from(negated)..close];
            let mut inside = false;
            let mut i = 0;
            while i < set.len() {
                if set.get(i + 1) == Some(&'-') && i + 2 < set.len() {
                    inside |= (set[i]..=set[i + 2]).contains(&character);
                    i += 3;
                } else {
                    inside |= set[i] == character;
                    i += 1;
                }
            }
            (inside != negated && character != '/').then_some(close + 1)
        }
        other => (*other == character).then_some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs() {
        assert!(matches("/etc/ssh/sshd_config.d/*.conf", "/etc/ssh/sshd_config.d/50-x.conf"));
        assert!(!matches("/etc/*.conf", "/etc/a/b.conf"));
        assert!(matches("/etc/[a-c]?d", "/etc/bxd"));
        assert!(!matches("/etc/[!a-c]d", "/etc/bd"));
        assert!(matches("a*b*c", "axxbyybzc"));
        assert!(!matches("a*b*c", "axxbyybz"));
        assert!(!matches("[", "["));
        for pattern in ["/etc/*", "/etc/?a", "/etc/[.]a", "/etc/*a"] {
            assert!(!matches(pattern, "/etc/.a"), "{pattern}");
        }
        assert!(matches("/etc/.*", "/etc/.a") && matches("/etc/*.a", "/etc/b.a"));
    }
}
