//! CVE ids in feeds.

use std::collections::BTreeSet;

/// Ids in the order in which they came, without repetition.
#[derive(Default)]
pub(super) struct Ids {
    list: Vec<String>,
    seen: BTreeSet<String>,
}

impl Ids {
    /// Adds the CVE ids that a text has.
    pub(super) fn add(&mut self, text: &str) {
        for (at, _) in text.match_indices("CVE-") {
            let id = text.get(at..).map(leading).unwrap_or_default();
            if !id.is_empty() && self.seen.insert(id.to_owned()) {
                self.list.push(id.to_owned());
            }
        }
    }

    /// Adds those of several texts.
    pub(super) fn add_all(&mut self, texts: Option<&Vec<String>>) {
        for text in texts.into_iter().flatten() {
            self.add(text);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        self.list
    }
}

/// The CVE ids in a text, in their order, without repetition.
pub(super) fn all_in(text: &str) -> Vec<String> {
    let mut ids = Ids::default();
    ids.add(text);
    ids.into_vec()
}

/// Whether a text is a CVE id and nothing else.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && leading(text).len() == text.len()
}

/// The CVE id that a text begins with; empty where it begins with none.
fn leading(text: &str) -> &str {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let length = || {
        let rest = text.strip_prefix("CVE-")?;
        let year = digits(rest);
        let number = digits(rest.get(year..)?.strip_prefix('-')?);
        (year == 4 && (4..=19).contains(&number)).then_some("CVE-".len() + year + 1 + number)
    };
    length().and_then(|length| text.get(..length)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_texts() {
        assert_eq!(
            all_in(
                "fixes CVE-2020-1234, CVE-2020-12345 (CVE-2020-1234) CVE-20-1 CVE-2020-999 éCVE-"
            ),
            ["CVE-2020-1234", "CVE-2020-12345"]
        );
        assert!(is_id("CVE-1999-0001"));
        assert!(!is_id("CVE-1999-0001 ") && !is_id("") && !is_id("CVE-2020-"));
    }
}
