//! The forms of Inspector's ARNs.

/// The region in every ARN that this program makes.
pub const REGION: &str = "us-east-1";

/// What an ARN names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `resourcegroup/0-...`
    ResourceGroup,
    /// `target/0-...`
    Target,
    /// `target/0-.../template/0-...`
    Template,
    /// `.../run/0-...`
    Run,
    /// `.../run/0-.../finding/0-...`
    Finding,
    /// `.../run/0-.../exclusion/0-...`
    Exclusion,
    /// `rulespackage/0-...`
    RulesPackage,
}

impl Kind {
    /// Words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ResourceGroup => "resource group",
            Self::Target => "assessment target",
            Self::Template => "assessment template",
            Self::Run => "assessment run",
            Self::Finding => "finding",
            Self::Exclusion => "exclusion",
            Self::RulesPackage => "rules package",
        }
    }

    /// The table that holds them.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::ResourceGroup => "resource_groups",
            Self::Target => "targets",
            Self::Template => "templates",
            Self::Run => "runs",
            Self::Finding => "findings",
            Self::Exclusion => "exclusions",
            Self::RulesPackage => "rules_packages",
        }
    }

    /// What a text names, if it is an ARN of Inspector's.
    pub fn of(text: &str) -> Option<Self> {
        if text.len() > 300 {
            return None;
        }
        let mut parts = text.splitn(6, ':');
        let head = [parts.next()?, parts.next()?, parts.next()?];
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let partition =
            head[1].strip_prefix("aws").is_some_and(|rest| matches!(rest, "" | "-us-gov" | "-cn"));
        let named = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if head[0] != "arn" || !partition || head[2] != "inspector" || !named(region) {
            return None;
        }
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let words: Vec<&str> = resource.split('/').collect();
        let (names, ids): (Vec<_>, Vec<_>) =
            words.chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or(""))).unzip();
        if !ids.iter().all(|id| is_id(id)) {
            return None;
        }
        match names.as_slice() {
            ["resourcegroup"] => Some(Self::ResourceGroup),
            ["rulespackage"] => Some(Self::RulesPackage),
            ["target"] => Some(Self::Target),
            ["target", "template"] => Some(Self::Template),
            ["target", "template", "run"] => Some(Self::Run),
            ["target", "template", "run", "finding"] => Some(Self::Finding),
            ["target", "template", "run", "exclusion"] => Some(Self::Exclusion),
            _ => None,
        }
    }
}

fn is_id(text: &str) -> bool {
    text.strip_prefix("0-")
        .is_some_and(|id| id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn each_form_is_known_and_nothing_else() {
        let kind =
            |rest: &str| Kind::of(&format!("arn:aws:inspector:us-east-1:000000000000:{rest}"));
        assert_eq!(kind("resourcegroup/0-AB12cd34"), Some(Kind::ResourceGroup));
        assert_eq!(kind("target/0-AB12cd34"), Some(Kind::Target));
        assert_eq!(kind("target/0-AB12cd34/template/0-AB12cd34"), Some(Kind::Template));
        let run = "target/0-AB12cd34/template/0-AB12cd34/run/0-AB12cd34";
        assert_eq!(kind(run), Some(Kind::Run));
        assert_eq!(kind(&format!("{run}/finding/0-AB12cd34")), Some(Kind::Finding));
        assert_eq!(kind(&format!("{run}/exclusion/0-AB12cd34")), Some(Kind::Exclusion));
        for bad in ["target", "target/", "target/0-x", "target/0-AB12cd3!", "run/0-AB12cd34", ""] {
            assert_eq!(kind(bad), None, "{bad}");
        }
        assert_eq!(Kind::of("arn:aws:sns:us-east-1:000000000000:target/0-AB12cd34"), None);
        assert_eq!(Kind::of("arn:aws:inspector:us-east-1:12:target/0-AB12cd34"), None);
        assert_eq!(Kind::of(&"a".repeat(301)), None);
    }
}
