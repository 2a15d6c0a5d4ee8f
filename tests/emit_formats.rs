//! Every output format, made of a report in which every text is hostile: it can be read as what it
//! says it is, nothing breaks out, and no finding is lost.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use assay::emit::{Format, Style, write};
use assay::model::cell::Time;
use assay::model::finding::{
    Asset, Evidence, Exclusion, Finding, HostReport, Outcome, Recommendation, Refusal, Report,
    RuleInfo, RulesPackage, Severity, Status, Verdict,
};
use serde_json::Value as Json;

/// Ends tags, quotes, lines and sections, steers terminals, turns the writing around, calls out.
const HOSTILE: &str =
    "=\"'><script>alert(1)</script>&amp;]]>\r\n\x1b[31m\u{202e}\u{0}\u{ffff}漢é,;</style>";

fn text(name: &str) -> Arc<str> {
    format!("{name} {HOSTILE}").into()
}

fn rule(package: RulesPackage, name: &str, automated: bool) -> RuleInfo {
    RuleInfo {
        id: format!("{}/{name}", package.directory()).into(),
        package,
        title: text(name),
        severity: Severity::High,
        description: text("about"),
        remediation: text("do"),
        references: vec!["javascript:alert(1)".into(), "https://example.org/a?b=\"c\"".into()],
        automated,
        recommendation: (package == RulesPackage::Cis).then(|| Recommendation {
            benchmark: text("benchmark"),
            benchmark_version: "1.0.0".into(),
            number: "1.2.3".into(),
            levels: vec!["Level 1 - Server".into()],
            control: None,
            section: Some(text("section")),
        }),
        tailored: None,
    }
}

fn finding(rule: usize, rules: &[RuleInfo], status: Status) -> Finding {
    Finding {
        rule,
        id: Arc::clone(&rules[rule].title),
        title: text("sentence"),
        severity: [Severity::High, Severity::Medium, Severity::Undefined][rule % 3],
        description: text("about"),
        recommendation: text("do"),
        attributes: vec![("INSTANCE_ID".into(), text("i-1")), ("CVE_ID".into(), text("CVE-1"))],
        evidence: vec![
            Evidence {
                location: text("/etc/x"),
                line: Some(3),
                observed: text("seen"),
                expected: text("wanted"),
            },
            Evidence {
                location: "package openssl".into(),
                line: None,
                observed: "1.0".into(),
                expected: text("newer"),
            },
        ],
        status,
        waiver: None,
    }
}

/// Two hosts, every package, every status and every verdict.
fn report() -> Report {
    let mut rules: Vec<RuleInfo> =
        RulesPackage::ALL.into_iter().map(|package| rule(package, "broken", true)).collect();
    rules.extend([
        rule(RulesPackage::Cis, "holds", true),
        rule(RulesPackage::Cis, "elsewhere", true),
        rule(RulesPackage::Cis, "dark", true),
        rule(RulesPackage::Cis, "manual", false),
    ]);
    let host = |number: u32| HostReport {
        snapshot: text(&format!("snapshot{number}")),
        asset: Asset {
            agent_id: format!("i-0{number}").into(),
            account: Some(if number == 2 { "123456789012".into() } else { text("account") }),
            region: Some(if number == 2 { "eu-west-1".into() } else { text("region") }),
            hostname: text("host"),
            ipv4_addresses: vec!["10.0.0.1".into()],
            tags: BTreeMap::from([(text("key"), text("value"))]),
            os: text("os"),
            kernel: Some(text("kernel")),
            ..Asset::default()
        },
        collected_at: Time(1_700_000_000),
        findings: vec![
            finding(0, &rules, Status::Open),
            finding(1, &rules, Status::Waived),
            finding(2, &rules, Status::Known),
            finding(3, &rules, Status::Open),
        ],
        exclusions: vec![Exclusion {
            title: text("not judged"),
            description: text("because"),
            recommendation: text("collect"),
            scopes: vec![("INSTANCE_ID".into(), text("i-1"))],
            rules: vec![6],
        }],
        outcomes: (0..4)
            .map(|rule| Outcome { rule, verdict: Verdict::Fail })
            .chain([
                Outcome { rule: 4, verdict: Verdict::Pass },
                Outcome { rule: 5, verdict: Verdict::NotApplicable(text("no")) },
                Outcome { rule: 6, verdict: Verdict::Unknown(text("why")) },
                Outcome { rule: 7, verdict: Verdict::NotApplicable(text("person")) },
            ])
            .collect(),
        clean: Vec::new(),
        notes: Vec::new(),
    };
    Report {
        hosts: vec![host(1), host(2)],
        refused: vec![Refusal { snapshot: text("bad"), reason: text("S002") }],
        rules: rules.into(),
        version: "0",
        ..Report::default()
    }
}

fn raw(format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    write(format, &report(), Style { outcomes: true, ..Style::default() }, &mut out).unwrap();
    out
}

fn bytes(format: Format) -> String {
    String::from_utf8(raw(format)).unwrap()
}

/// How many elements of each name an XML text has; it must be well formed.
fn elements(xml: &str) -> BTreeMap<String, usize> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut counts, mut open) = (BTreeMap::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                tag.attributes().for_each(|attribute| drop(attribute.unwrap()));
                *counts.entry(name.clone()).or_default() += 1;
                open.push(name);
            }
            quick_xml::events::Event::Empty(tag) => {
                tag.attributes().for_each(|attribute| drop(attribute.unwrap()));
                let name = tag.name().as_ref().to_owned();
                *counts.entry(name).or_default() += 1;
            }
            quick_xml::events::Event::End(tag) => {
                let name = tag.name().as_ref().to_owned();
                assert_eq!(open.pop(), Some(name));
            }
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    counts
}

#[test]
fn no_control_character_and_no_turned_text_reaches_a_reader() {
    for (format, name) in Format::ALL.into_iter().filter(|(_, name)| *name != "pdf") {
        let text = bytes(format);
        let bad = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r'));
        assert_eq!(bad, None, "{name}");
        let json = matches!(name, "inspector" | "ndjson" | "sarif" | "asff" | "cyclonedx");
        // A program reads these, and the text is data to it; the apostrophe guards spreadsheets.
        if !json && name != "csv" {
            assert!(!text.contains('\u{202e}'), "{name}");
        }
    }
}

#[test]
fn junit_has_a_case_for_each_rule_on_each_host_and_for_what_was_refused() {
    let text = bytes(Format::Junit);
    let counts = elements(&text);
    assert_eq!(counts["testcase"], 2 * 8 + 1, "{text}");
    assert_eq!(counts["failure"], 2 * 2);
    assert_eq!(counts["skipped"], 2 * (2 + 3));
    assert_eq!(counts["error"], 1);
    assert_eq!(counts["testsuite"], 2 * 4 + 1);
    assert!(text.contains("message=\"unknown: why "), "{text}");
}

#[test]
fn csv_has_a_row_for_each_finding_exclusion_and_refusal() {
    let text = bytes(Format::Csv);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let of = |kind: &str| rows.iter().filter(|row| &row[0] == kind).count();
    assert_eq!((of("finding"), of("exclusion"), of("refused")), (8, 2, 1));
    assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{text}");
}

#[test]
fn asff_keeps_to_the_limits_of_the_service() {
    let json: Json = serde_json::from_str(&bytes(Format::Asff)).unwrap();
    let list = json.as_array().unwrap();
    assert_eq!(list.len(), 8);
    for finding in list {
        let length = |path: &str| finding.pointer(path).unwrap().as_str().unwrap().chars().count();
        assert!(length("/Title") <= 256 && length("/Description") <= 1024);
        assert!(length("/Remediation/Recommendation/Text") <= 512);
        assert!(finding["ProductFields"].as_object().unwrap().len() <= 50);
        assert_eq!(finding["Resources"][0]["Type"], "AwsEc2Instance");
        assert!(finding.pointer("/Remediation/Recommendation/Url").is_none(), "no javascript");
    }
    let status: Vec<&str> =
        list.iter().map(|finding| finding["Workflow"]["Status"].as_str().unwrap()).collect();
    assert_eq!(status[..4], ["NEW", "SUPPRESSED", "NOTIFIED", "NEW"]);
    let (bad, good) = (&list[0], &list[4]);
    assert_eq!(bad["AwsAccountId"], "000000000000", "what is no account is none");
    assert_eq!(bad["Resources"][0]["Id"], "arn:aws:ec2:us-east-1:000000000000:instance/i-01");
    assert_eq!(good["AwsAccountId"], "123456789012");
    let product = "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default";
    assert_eq!(good["ProductArn"], product);
    assert_eq!(good["Resources"][0]["Id"], "arn:aws:ec2:eu-west-1:123456789012:instance/i-02");
    assert_eq!(good["Resources"][0]["Region"], "eu-west-1");
}

#[test]
fn cyclonedx_has_one_vulnerability_for_the_same_finding_on_two_hosts() {
    let json: Json = serde_json::from_str(&bytes(Format::CycloneDx)).unwrap();
    let list = json["vulnerabilities"].as_array().unwrap();
    assert_eq!(list.len(), 4);
    let mut refs: Vec<String> = Vec::new();
    for component in json["components"].as_array().unwrap() {
        refs.push(component["bom-ref"].as_str().unwrap().to_owned());
        for inner in component["components"].as_array().into_iter().flatten() {
            refs.push(inner["bom-ref"].as_str().unwrap().to_owned());
        }
    }
    for vulnerability in list {
        for affected in vulnerability["affects"].as_array().unwrap() {
            assert!(refs.contains(&affected["ref"].as_str().unwrap().to_owned()), "{affected}");
        }
    }
    assert_eq!(list[0]["affects"].as_array().unwrap().len(), 4, "two hosts, one package on each");
    assert!(list[0]["id"].as_str().unwrap().starts_with("CVE-1"));
}

#[test]
fn html_is_one_page_that_holds_every_finding_and_loads_nothing() {
    let text = bytes(Format::Html);
    let body = text.split_once("</style>").unwrap().1;
    assert!(!text.contains("<script"), "{text}");
    assert_eq!(text.matches("</style>").count(), 1);
    for forbidden in
        ["src=", "<link", "@import", "url(", "href=\"javascript", "<iframe", " onerror"]
    {
        let inside = body.split('<').skip(1).filter_map(|tag| tag.split('>').next());
        assert!(!inside.into_iter().any(|tag| tag.contains(forbidden)), "{forbidden}");
    }
    assert_eq!(text.matches("<article class=\"topic").count(), 4 + 1 + 1);
    assert_eq!(text.matches(">sentence ").count() + text.matches(": sentence ").count(), 8);
    assert!(text.contains("Content-Security-Policy\" content=\"default-src 'none'"));
    let counts = elements(
        &text
            .replace("<!DOCTYPE html>", "")
            .replace(["<meta charset=\"utf-8\">"].first().unwrap(), "")
            .replace("<br>", "<br/>")
            .lines()
            .map(void_meta)
            .collect::<Vec<_>>()
            .join("\n"),
    );
    assert!(counts["svg"] >= 3, "{counts:?}");
}

/// `meta` elements closed, as XML wants it.
fn void_meta(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("<meta ") {
        let end = at + rest[at..].find('>').unwrap();
        out.push_str(&rest[..end]);
        out.push_str("/>");
        rest = &rest[end + 1..];
    }
    out + rest
}

#[test]
fn pdf_is_whole_and_the_same_each_time() {
    let first = raw(Format::Pdf);
    assert!(first.starts_with(b"%PDF-1.7") && first.ends_with(b"%%EOF"));
    assert!(first == raw(Format::Pdf), "the same input gives the same bytes");
}

/// What a program says, given a file.
fn told(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs qpdf and poppler-utils"]
fn readers_of_pdf_find_every_text_page_and_heading() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("report.pdf");
    std::fs::write(&file, raw(Format::Pdf)).unwrap();
    let file = file.to_str().unwrap();
    assert!(told("qpdf", &["--check", file]).contains("No syntax or stream encoding errors"));
    let info = told("pdfinfo", &[file]);
    assert!(info.contains("Tagged:          yes"), "{info}");
    let text = told("pdftotext", &["-layout", file, "-"]);
    let plain: String = text.split_whitespace().collect();
    let wanted = "\\u{1b}[31m\\u{202e}\\u{0}";
    assert!(plain.contains(wanted), "what has no letters is told by its number");
    assert_eq!(plain.matches("sentence=").count(), 8, "every finding");
    assert!(!text.contains('\u{202e}') && !text.contains('\x1b'));
    let pages = text.matches('\u{c}').count();
    assert!(plain.contains(&format!("1/{pages}")) && plain.contains(&format!("{pages}/{pages}")));
    let structure = told("pdfinfo", &["-struct-text", file]);
    for wanted in ["H1", "H2", "H3", "Table", "TH", "TOCI", "Figure"] {
        assert!(structure.contains(wanted), "{wanted}: {structure}");
    }
    let outline = told("qpdf", &["--json", "--json-key=outlines", file]);
    assert!(outline.contains("\"title\": \"Findings\""), "{outline}");
}
