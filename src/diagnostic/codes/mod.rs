//! Every code that a diagnostic can carry, with the text that `assay explain` shows.
//! One file a rank that reports; a code is never reused for another meaning.

use std::fmt;

pub mod advisory;
pub mod collect;
pub mod rules;
pub mod scan;
pub mod serve;
pub mod snapshot;
pub mod waiver;

/// The documentation of one code.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeDoc {
    /// For example `S002`.
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it means, why it matters, what to do.
    pub explanation: &'static str,
}

/// A diagnostic code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(pub &'static CodeDoc);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}

/// Declares the codes of one file, and `ALL`, the list of them.
macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal, $explanation:literal;)*) => {
        $(
            #[doc = concat!("`", $id, "`: ", $title, ".")]
            pub const $name: $crate::diagnostic::Code = $crate::diagnostic::Code(
                &$crate::diagnostic::codes::CodeDoc {
                    id: $id,
                    title: $title,
                    explanation: $explanation,
                },
            );
        )*
        /// Every code of this file, in the order of their numbers.
        pub const ALL: &[$crate::diagnostic::Code] = &[$($name),*];
    };
}
use codes;

/// Every code there is, in the order of the ids within each rank.
pub fn all() -> impl Iterator<Item = Code> {
    let files = [
        advisory::ALL,
        collect::ALL,
        rules::ALL,
        scan::ALL,
        serve::ALL,
        snapshot::ALL,
        waiver::ALL,
    ];
    files.into_iter().flatten().copied()
}

/// The code with this id, in any case.
pub fn find(id: &str) -> Option<Code> {
    all().find(|code| code.0.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_explained() {
        let mut seen = BTreeSet::new();
        for code in super::all() {
            assert!(seen.insert(code.0.id), "{code} is declared twice");
            assert!(code.0.explanation.len() > 40, "{code} needs an explanation");
            assert_eq!(super::find(&code.0.id.to_lowercase()), Some(code));
        }
    }
}
