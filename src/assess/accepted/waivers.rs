//! Waivers as a file says them.
//!
//! ```yaml
//! waivers:
//!   - rule: cis/debian-12/1.1.2.*
//!     hosts: [web*, i-0123456789abcdef0]
//!     places: ["/etc/fstab"]
//!     reason: Containers have one file system.
//!     expires: 2027-03-31
//! ```

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use crate::diagnostic::codes::{rules as shape, waiver as codes};
use crate::diagnostic::{Diagnostic, Level};
use crate::model::finding::{Asset, Finding, RuleInfo, Waiver};
use crate::rules::pattern::Pattern;
use crate::rules::reader::Reader;
use crate::rules::yaml::{self, MAX_BYTES, Node};

const MEMBERS: [&str; 6] = ["rule", "finding", "hosts", "places", "reason", "expires"];

/// Waivers that hold today.
#[derive(Debug, Default)]
pub(super) struct Waivers(Vec<Checked>);

/// One waiver whose every member is right.
#[derive(Debug)]
struct Checked {
    rule: Pattern,
    finding: Option<Pattern>,
    hosts: Vec<Pattern>,
    places: Vec<Pattern>,
    waiver: Waiver,
}

impl Waivers {
    /// The waivers of these files that hold, and a warning for each that does not any more.
    pub(super) fn read(
        files: &[PathBuf],
        today: Date,
        errors: &mut Vec<Diagnostic>,
    ) -> (Self, Vec<Diagnostic>) {
        let (mut waivers, mut warnings) = (Vec::new(), Vec::new());
        for path in files {
            let name = path.display().to_string();
            match text(path) {
                Ok(text) => {
                    let mut reader = Reader::new(&name, &text);
                    file(&mut reader, &text, today, &mut waivers);
                    for diagnostic in reader.diagnostics {
                        let error = diagnostic.level == Level::Error;
                        if error { &mut *errors } else { &mut warnings }.push(diagnostic);
                    }
                }
                Err(problem) => {
                    errors.push(Diagnostic::error(codes::UNREADABLE, format!("{name}: {problem}")));
                }
            }
        }
        (Self(waivers), warnings)
    }

    /// The first waiver that covers a finding.
    pub(super) fn covering(
        &self,
        asset: &Asset,
        rule: &RuleInfo,
        finding: &Finding,
    ) -> Option<Waiver> {
        let covers = |waiver: &&Checked| waiver.covers(asset, rule, finding);
        self.0.iter().find(covers).map(|checked| checked.waiver.clone())
    }
}

impl Checked {
    fn covers(&self, asset: &Asset, rule: &RuleInfo, finding: &Finding) -> bool {
        let is = |pattern: &Pattern, text: &str| pattern.is_match(text) == Some(true);
        let place = |place: &str| self.places.iter().any(|pattern| is(pattern, place));
        is(&self.rule, &rule.id)
            && self.finding.as_ref().is_none_or(|pattern| is(pattern, &finding.id))
            && (self.hosts.is_empty()
                || self
                    .hosts
                    .iter()
                    .any(|host| is(host, &asset.hostname) || is(host, &asset.agent_id)))
            // A finding is covered as a whole: one place more than was accepted, and it counts.
            && (self.places.is_empty() || finding.evidence.iter().all(|seen| place(&seen.location)))
    }
}

fn text(path: &Path) -> Result<String, String> {
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

fn file(reader: &mut Reader<'_>, text: &str, today: Date, waivers: &mut Vec<Checked>) {
    let (node, problems) = match yaml::parse(text) {
        Ok(node) => (Some(node), Vec::new()),
        Err(problems) => (None, problems),
    };
    reader.problems(&problems);
    let Some(node) = node else { return };
    let Some(members) = reader.members(&node, "a waivers file", &["waivers"]) else { return };
    let Some(list) = reader.required(&members, "waivers") else { return };
    for node in reader.list(list, "`waivers`").unwrap_or_default() {
        waivers.extend(waiver(reader, node, today));
    }
}

fn waiver(reader: &mut Reader<'_>, node: &Node, today: Date) -> Option<Checked> {
    let members = reader.members(node, "a waiver", &MEMBERS)?;
    let rule = reader.required(&members, "rule").and_then(|node| {
        let text = reader.text(node, "`rule`")?;
        pattern(reader, node, text)
    });
    let finding = members.get("finding").map(|node| {
        let text = reader.text(node, "`finding`")?;
        pattern(reader, node, text)
    });
    let hosts = members.get("hosts").map(|node| patterns(reader, node, "`hosts`"));
    let places = members.get("places").map(|node| patterns(reader, node, "`places`"));
    let reason = reader.required(&members, "reason").and_then(|node| {
        let text = reader.text(node, "`reason`")?.trim();
        if text.is_empty() {
            reader.error(shape::BAD_VALUE, node.span, "a waiver needs a reason in words");
            return None;
        }
        Some(Arc::from(text))
    });
    let expires = match members.get("expires") {
        Some(node) => reader.text(node, "`expires`").and_then(|text| date(reader, node, text)),
        None => {
            let help = "for example `expires: 2027-03-31`, the last day on which it holds";
            let message = "a waiver needs `expires`";
            reader.report(codes::BAD_DATE, members.span(), message, Some(help.to_owned()));
            None
        }
    };
    let (rule, reason, expires) = (rule?, reason?, expires?);
    // One that is there and wrong is none that was left out.
    let finding = finding.map_or(Some(None), |finding| finding.map(Some))?;
    let hosts = hosts.unwrap_or_else(|| Some(Vec::new()))?;
    let places = places.unwrap_or_else(|| Some(Vec::new()))?;
    if expires < today {
        let message =
            format!("the waiver of `{}` expired on {expires}: it does not hold", rule.text());
        reader.warn(codes::EXPIRED, members.span(), message);
        return None;
    }
    let waiver = Waiver { reason, expires: expires.to_string().into() };
    Some(Checked { rule, finding, hosts, places, waiver })
}

fn pattern(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Pattern> {
    let pattern = Pattern::glob(text);
    match pattern.check() {
        Ok(()) => Some(pattern),
        Err(problem) => {
            reader.error(shape::BAD_VALUE, node.span, problem);
            None
        }
    }
}

/// The patterns of a list, which must not be empty: that would be a waiver of nothing or of all.
fn patterns(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Vec<Pattern>> {
    let texts = reader.texts(node, what);
    if node.as_sequence().is_some_and(<[Node]>::is_empty) {
        reader.error(shape::BAD_VALUE, node.span, format!("{what} is empty"));
        return None;
    }
    texts.iter().map(|text| pattern(reader, node, text)).collect()
}

fn date(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Date> {
    // No other of the forms that the library reads: a time of day would be lost.
    let digits = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date = text.parse().ok().filter(|_| digits);
    if date.is_none() {
        let message = format!("`{text}` is no day written YYYY-MM-DD");
        reader.error(codes::BAD_DATE, node.span, message);
    }
    date
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::model::finding::{Evidence, RulesPackage, Severity, Status};

    fn read(text: &str) -> (Waivers, Vec<String>) {
        let (mut waivers, mut reader) = (Vec::new(), Reader::new("w.yaml", text));
        file(&mut reader, text, date(2026, 6, 30), &mut waivers);
        let said = reader.diagnostics.iter().map(|d| format!("{} {}", d.code, d.message));
        (Waivers(waivers), said.collect())
    }

    fn covered(waivers: &Waivers, rule: &str, host: &str, places: &[&str]) -> bool {
        let rule = RuleInfo {
            id: rule.into(),
            package: RulesPackage::Cis,
            title: "t".into(),
            severity: Severity::High,
            description: "".into(),
            remediation: "".into(),
            references: Vec::new(),
            automated: true,
            recommendation: None,
            tailored: None,
        };
        let seen = |place: &&str| Evidence {
            location: Arc::from(*place),
            line: None,
            observed: "o".into(),
            expected: "e".into(),
        };
        let finding = Finding {
            rule: 0,
            id: "CVE-2024-1".into(),
            title: "t".into(),
            severity: Severity::High,
            description: "".into(),
            recommendation: "".into(),
            attributes: Vec::new(),
            evidence: places.iter().map(seen).collect(),
            status: Status::Open,
            waiver: None,
        };
        let asset = Asset { hostname: host.into(), agent_id: "i-1".into(), ..Asset::default() };
        waivers.covering(&asset, &rule, &finding).is_some()
    }

    #[test]
    fn a_waiver_covers_what_it_names_and_nothing_else() {
        let (waivers, said) = read(
            "waivers:\n- rule: cis/debian-12/1.1.*\n  hosts: [web*]\n  places: [/etc/*]\n  \
             reason: x\n  expires: 2026-06-30\n- {rule: a/b, finding: CVE-2024-2, reason: y, \
             expires: 2026-07-01}\n",
        );
        assert_eq!(said, Vec::<String>::new());
        let rule = "cis/debian-12/1.1.2";
        assert!(covered(&waivers, rule, "web1", &["/etc/fstab"]));
        assert!(!covered(&waivers, "cis/debian-13/1.1.2", "web1", &["/etc/fstab"]));
        assert!(!covered(&waivers, rule, "db1", &["/etc/fstab"]));
        assert!(!covered(&waivers, rule, "web1", &["/etc/fstab", "/srv/x"]));
        assert!(!covered(&waivers, "a/b", "web1", &[]), "another CVE");
    }

    #[test]
    fn an_expired_one_covers_nothing_and_is_said() {
        let (waivers, said) = read("waivers: [{rule: a/b, reason: x, expires: 2026-06-29}]\n");
        assert!(!covered(&waivers, "a/b", "h", &[]));
        assert_eq!(said, ["W003 the waiver of `a/b` expired on 2026-06-29: it does not hold"]);
    }

    #[test]
    fn every_mistake_of_a_file_is_told() {
        let (waivers, said) = read(
            "waivers:\n- {rule: a, reason: ' ', expires: soon}\n- {rule: 'a[', reason: x}\n- \
             {reason: x, expires: 2027-01-01, host: b}\n- {rule: a, reason: x, expires: \
             2027-02-30}\n- {rule: a, hosts: [], reason: x, expires: 2027-01-01}\n",
        );
        assert!(waivers.0.is_empty());
        let codes: Vec<&str> = said.iter().map(|said| &said[..4]).collect();
        let expected = ["R012", "W002", "R012", "W002", "R006", "R007", "W002", "R012"];
        assert_eq!(codes, expected, "{said:#?}");
    }
}
