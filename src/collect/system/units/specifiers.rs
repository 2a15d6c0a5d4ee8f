//! `%` specifiers (systemd.unit(5)): those that follow from the unit's name, and the fixed
//! directories of the system manager. Others depend on the running host and stay as written.

use crate::model::unit::UnitName;

/// A text with its specifiers resolved for a unit. In a template the instance is not known, so
/// what stands for it stays as written.
pub(super) fn expand(text: &str, unit: &UnitName<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            None => out.push('%'),
            Some(letter) => match value(letter, unit) {
                Some(value) => out.push_str(&value),
                None => {
                    out.push('%');
                    out.push(letter);
                }
            },
        }
    }
    out
}

fn value(letter: char, unit: &UnitName<'_>) -> Option<String> {
    let template = unit.instance == Some("");
    let stem = unit.full.strip_suffix(unit.unit_type).unwrap_or(unit.full).trim_end_matches('.');
    let last = unit.prefix.rsplit_once('-').map_or(unit.prefix, |(_, last)| last);
    let instance = unit.instance.unwrap_or_default();
    Some(match letter {
        '%' => "%".to_owned(),
        'i' | 'I' | 'n' | 'N' | 'f' if template => return None,
        'i' => instance.to_owned(),
        'I' => unescape(instance),
        'n' => unit.full.to_owned(),
        'N' => stem.to_owned(),
        'p' => unit.prefix.to_owned(),
        'P' => unescape(unit.prefix),
        'j' => last.to_owned(),
        'J' => unescape(last),
        'f' => {
            let path = if instance.is_empty() { unit.prefix } else { instance };
            format!("/{}", unescape(path).trim_start_matches('/'))
        }
        't' => "/run".to_owned(),
        'S' => "/var/lib".to_owned(),
        'C' => "/var/cache".to_owned(),
        'L' => "/var/log".to_owned(),
        'E' => "/etc".to_owned(),
        'T' => "/tmp".to_owned(),
        'V' => "/var/tmp".to_owned(),
        _ => return None,
    })
}

/// `-` stands for `/` and `\xHH` for a byte.
fn unescape(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'-', _) => bytes.push(b'/'),
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                match (digit(high), digit(low)) {
                    (Some(high), Some(low)) => {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                        rest = after;
                    }
                    _ => bytes.push(b'\\'),
                }
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(unit: &str, text: &str) -> String {
        expand(text, &UnitName::new(unit).unwrap())
    }

    #[test]
    fn names_and_directories() {
        assert_eq!(
            of("foo-bar@a\\x2db-c.service", "%i|%I|%p|%P|%j|%n"),
            "a\\x2db-c|a-b/c|foo-bar|foo/bar|bar|foo-bar@a\\x2db-c.service"
        );
        assert_eq!(of("x.service", "%t/%N.pid %% %H %"), "/run/x.pid % %H %");
        assert_eq!(of("x@.service", "%i %p %f"), "%i x %f");
        assert_eq!(of("x@dev-sda.service", "%f"), "/dev/sda");
    }
}
