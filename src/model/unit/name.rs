//! Unit names: `prefix.type`, `prefix@instance.type`, `prefix@.type`.

/// The types of units.
const TYPES: &[&str] = &[
    "service",
    "socket",
    "target",
    "device",
    "mount",
    "automount",
    "swap",
    "timer",
    "path",
    "slice",
    "scope",
];

/// Longest name in bytes.
const LONGEST: usize = 255;

/// What kind of name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// `foo.service`.
    Plain,
    /// `foo@.service`: a file for its instances, not a unit that can run.
    Template,
    /// `foo@bar.service`.
    Instance,
}

/// A valid unit name, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnitName<'a> {
    /// The whole name.
    pub full: &'a str,
    /// What stands before the `@`, or before the type.
    pub prefix: &'a str,
    /// What stands between the `@` and the type: none in a plain name, empty in a template.
    pub instance: Option<&'a str>,
    /// The type without the dot: `service`, `socket`, ...
    pub unit_type: &'a str,
}

impl<'a> UnitName<'a> {
    /// Takes a name apart; `None` where it is not a valid unit name.
    pub fn new(full: &'a str) -> Option<Self> {
        if full.len() > LONGEST {
            return None;
        }
        let (stem, unit_type) = full.rsplit_once('.')?;
        if stem.is_empty() || !TYPES.contains(&unit_type) {
            return None;
        }
        let valid = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        if !stem.chars().all(valid) || stem.starts_with('@') {
            return None;
        }
        let (prefix, instance) = match stem.split_once('@') {
            Some((prefix, instance)) => (prefix, Some(instance)),
            None => (stem, None),
        };
        Some(Self { full, prefix, instance, unit_type })
    }

    /// Plain, template or instance.
    pub fn kind(&self) -> NameKind {
        match self.instance {
            None => NameKind::Plain,
            Some("") => NameKind::Template,
            Some(_) => NameKind::Instance,
        }
    }

    /// The template's name, `foo@.service`; none for a plain name.
    pub fn template(&self) -> Option<String> {
        self.instance.map(|_| format!("{}@.{}", self.prefix, self.unit_type))
    }

    /// The name of an instance of this template, or of this instance's sibling.
    pub fn with_instance(&self, instance: &str) -> String {
        format!("{}@{instance}.{}", self.prefix, self.unit_type)
    }

    /// Whether units of this type may have other names (links).
    pub fn may_alias(&self) -> bool {
        matches!(self.unit_type, "service" | "socket" | "target" | "device" | "timer" | "path")
    }

    /// Whether units of this type may be templates.
    pub fn may_template(&self) -> bool {
        matches!(self.unit_type, "service" | "socket" | "target" | "timer" | "path")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart() {
        let name = UnitName::new("getty@tty1.service").unwrap();
        assert_eq!(
            (name.prefix, name.instance, name.unit_type),
            ("getty", Some("tty1"), "service")
        );
        assert_eq!(name.kind(), NameKind::Instance);
        assert_eq!(name.template().as_deref(), Some("getty@.service"));
        assert_eq!(UnitName::new("a@b@c.timer").unwrap().instance, Some("b@c"));
        assert_eq!(UnitName::new("getty@.service").unwrap().kind(), NameKind::Template);
        assert_eq!(UnitName::new("dbus-org.x.service").unwrap().prefix, "dbus-org.x");
    }

    #[test]
    fn invalid_names() {
        for bad in
            ["", ".service", "a", "a.foo", "@x.service", "a b.service", "a/b.service", "ä.service"]
        {
            assert_eq!(UnitName::new(bad), None, "{bad:?}");
        }
        assert!(UnitName::new(&format!("{}.service", "a".repeat(247))).is_some());
        assert!(UnitName::new(&format!("{}.service", "a".repeat(248))).is_none());
    }
}
