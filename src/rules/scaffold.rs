//! `rules new`: a rule file to start from. It passes `rules check` as it is, so that an author
//! changes one thing at a time.

use crate::model::finding::RulesPackage;

/// The text of a new file. For CIS it is a control.
pub fn scaffold(package: RulesPackage, id: &str) -> String {
    let name = id.rsplit('/').next().unwrap_or(id);
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    match package {
        RulesPackage::CommonVulnerabilities => VULNERABILITY.replace("NAME", name),
        RulesPackage::Cis => RULE.replace("FINDING", "").replace("NAME", &title(name)),
        RulesPackage::SecurityBestPractices | RulesPackage::RuntimeBehavior => {
            RULE.replace("FINDING", FINDING).replace("NAME", &title(name))
        }
    }
}

/// The path of a new file below the rulesets directory.
pub fn path(package: RulesPackage, id: &str) -> String {
    let name = id.rsplit('/').next().unwrap_or(id);
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    match package {
        RulesPackage::Cis => format!("cis/controls/{name}.yaml"),
        other => format!("{}/{name}.yaml", other.directory()),
    }
}

fn title(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => words,
    }
}

const FINDING: &str = "\
finding: >-
  Instance {host.agent_id} permits something that it should not.
";

const RULE: &str = r#"title: "NAME"
severity: medium                  # high, medium, low, informational
FINDINGdescription: >-
  What the rule looks at, and why it matters.
remediation: >-
  The exact commands that put it right.
references: []
check:                            # the requirement: false is a finding
  from: config.sshd
  where: { keyword: permitrootlogin, effective: true }
  expect: each
  must: { value: "no" }
  when_empty: fail
  at: /etc/ssh/sshd_config
examples:
  - name: permitted
    verdict: fail
    facts:
      config: { /etc/ssh/sshd_config: "PermitRootLogin yes\n" }
    evidence: ["/etc/ssh/sshd_config:1"]
  - name: another keyword
    verdict: fail
    facts:
      config: { /etc/ssh/sshd_config: "UsePAM no\n" }
    evidence: [/etc/ssh/sshd_config]
  - name: a second line does not count
    verdict: pass
    facts:
      config: { /etc/ssh/sshd_config: "PermitRootLogin no\nPermitRootLogin yes\n" }
"#;

const VULNERABILITY: &str = r#"title: NAME
severity: high                    # leave out to take it from the CVSS scores
description: >-
  What the flaw is, and what an attacker gains.
cvss3: { score: 7.8, vector: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H" }
references: []
affected:
  - { os: debian, version: "12", source: example, fixed: 1.2-3+deb12u1 }
examples:
  - name: before the fix
    verdict: fail
    facts:
      packages: [{ manager: dpkg, name: example, version: 1.2-3, source: example }]
    evidence: [package example]
  - name: with the fix
    verdict: pass
    facts:
      packages: [{ manager: dpkg, name: example, version: 1.2-3+deb12u1, source: example }]
"#;
