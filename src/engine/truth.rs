//! The three-valued logic, with reasons, and "not applicable" beside it.

use std::sync::Arc;

/// Whether a test of one row holds; unknown where the cell cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tri {
    True,
    False,
    Unknown,
}

impl Tri {
    pub(crate) fn of(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    pub(crate) fn all(values: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::True;
        for value in values {
            match value {
                Self::False => return Self::False,
                Self::Unknown => result = Self::Unknown,
                Self::True => {}
            }
        }
        result
    }

    pub(crate) fn any(values: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for value in values {
            match value {
                Self::True => return Self::True,
                Self::Unknown => result = Self::Unknown,
                Self::False => {}
            }
        }
        result
    }
}

/// Whether a requirement holds on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown(Arc<str>),
    NotApplicable(Arc<str>),
}

impl Truth {
    pub(crate) fn of(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            other => other,
        }
    }

    /// False decides; else not applicable does; else unknown.
    pub(crate) fn all(values: impl IntoIterator<Item = Self>) -> Self {
        Self::combine(values, &Self::False, Self::True)
    }

    /// True decides; else not applicable does; else unknown.
    pub(crate) fn any(values: impl IntoIterator<Item = Self>) -> Self {
        Self::combine(values, &Self::True, Self::False)
    }

    fn combine(values: impl IntoIterator<Item = Self>, decides: &Self, otherwise: Self) -> Self {
        let mut unknown: Vec<Arc<str>> = Vec::new();
        let mut not_applicable = None;
        for value in values {
            match value {
                value if value == *decides => return value,
                Self::Unknown(reason) if !unknown.contains(&reason) => unknown.push(reason),
                Self::NotApplicable(reason) => {
                    not_applicable.get_or_insert(reason);
                }
                _ => {}
            }
        }
        match (not_applicable, unknown.as_slice()) {
            (Some(reason), _) => Self::NotApplicable(reason),
            (None, []) => otherwise,
            (None, [reason]) => Self::Unknown(Arc::clone(reason)),
            (None, reasons) => {
                let texts: Vec<&str> = reasons.iter().take(4).map(|reason| &**reason).collect();
                Self::Unknown(texts.join("; ").into())
            }
        }
    }
}
