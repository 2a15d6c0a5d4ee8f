//! The arguments as written. Each command turns them into what it needs.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::emit::Format;
use crate::model::cell::Time;
use crate::model::table;

const EXITS: &str = "Exit codes:
  0   evaluated, nothing at or above the gate
  1   findings at or above --fail-on
  2   the command line is wrong
  3   bad rules, waivers or advisories
  4   bad snapshot or root
  5   nothing was evaluated
  70  internal error
  130 ended by a signal (Ctrl-C)";

const SCAN_EXAMPLES: &str = "Examples:
  assay scan                                this host
  assay scan --duration 15m                 this host, watched for 15 minutes
  assay scan --root /mnt/image              a mounted image
  assay scan --sbom image.cdx.json          the packages of a bill of materials
  assay scan snapshots/                     every snapshot in a directory
  assay scan --package sbp --fail-on medium web1.assay
  assay scan --root /mnt/image --waivers waivers.yaml --baseline last.ndjson
  assay scan --advisories advisories.db web1.assay
  find . -name '*.assay' | assay scan - --format ndjson -o findings.ndjson

Exit codes: 0 nothing at or above the gate, 1 findings, 2 usage, 3 bad rules,
waivers or advisories, 4 bad snapshot or root, 5 nothing evaluated,
70 internal error";

/// Scans hosts, images and snapshots, offline, with declarative rules.
#[derive(Debug, Parser)]
#[command(name = "assay", version, after_help = EXITS, arg_required_else_help = true, max_term_width = 80)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Judge this host, a root, or snapshots
    Scan(Box<Scan>),
    /// Capture a host or a root into a snapshot file
    Collect(Collect),
    /// Lay out results that a scan wrote down, or a run of `assay serve`
    Report(Report),
    /// List, show, check and start rules
    #[command(subcommand)]
    Rules(Rules),
    /// Explain a diagnostic code
    Explain {
        /// The code, for example S002; without it, all codes
        code: Option<String>,
    },
    /// List the tables and columns that rules can ask about
    Facts {
        /// Show only this table
        table: Option<String>,
    },
    /// Look into a snapshot file
    #[command(subcommand)]
    Snapshot(Snapshot),
    /// Keep a fresh snapshot of this host in a directory
    #[command(subcommand)]
    Agent(Agent),
    /// Answer the API of Amazon Inspector Classic for a directory of snapshots
    #[cfg(feature = "server")]
    Serve(Serve),
    /// Make a database of advisory feeds, and look into one
    #[command(subcommand)]
    Advisories(Advisories),
    /// Show what is different between two snapshots
    Diff(Diff),
    /// Compare package versions: prints <, = or >
    Vercmp {
        /// dpkg, rpm, apk, semver (also npm, go, cargo), pypi, gem or maven
        scheme: String,
        /// A version; without versions, pairs are read from standard input, one a line
        #[arg(requires = "b")]
        a: Option<String>,
        /// The version to compare it with
        b: Option<String>,
    },
    /// Print a completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatName {
    /// For people
    Text,
    /// Inspector Classic's DescribeFindings
    Inspector,
    /// One JSON object a line
    Ndjson,
    /// SARIF 2.1.0
    Sarif,
    /// A page for a browser, complete in one file
    Html,
    /// Pages to print and keep
    Pdf,
    /// Comma separated values, a row a finding
    Csv,
    /// JUnit's XML, for build servers
    Junit,
    /// Amazon Security Finding Format
    Asff,
    /// CycloneDX 1.6, findings as vulnerabilities
    Cyclonedx,
}

impl FormatName {
    pub(super) fn format(self) -> Format {
        match self {
            Self::Text => Format::Text,
            Self::Inspector => Format::Inspector,
            Self::Ndjson => Format::Ndjson,
            Self::Sarif => Format::Sarif,
            Self::Html => Format::Html,
            Self::Pdf => Format::Pdf,
            Self::Csv => Format::Csv,
            Self::Junit => Format::Junit,
            Self::Asff => Format::Asff,
            Self::Cyclonedx => Format::CycloneDx,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PackageName {
    /// Common Vulnerabilities and Exposures
    Cve,
    /// CIS Operating System Security Configuration Benchmarks
    Cis,
    /// Security Best Practices
    Sbp,
    /// Runtime Behavior Analysis
    Rba,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    High,
    Medium,
    Low,
    Informational,
    /// Never
    None,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  assay scan snapshots/ --format ndjson --outcomes -o results.ndjson
  assay report results.ndjson --format pdf -o report.pdf
  assay report arn:aws:inspector:...:run/0-abc --data /var/lib/assay -o run.html")]
pub(super) struct Report {
    /// What `assay scan --format ndjson --outcomes` wrote, or the ARN of a run
    #[arg(value_name = "RUN|FILE")]
    pub(super) source: PathBuf,
    /// For a run: the directory of `assay serve`
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    pub(super) format: FormatName,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// html and pdf: with every rule that was checked, or only the findings
    #[arg(long, value_name = "TYPE", default_value = "full")]
    pub(super) report_type: ReportType,
}

/// Inspector's report types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportType {
    /// Findings and every rule that was checked
    Full,
    /// Findings only
    Finding,
}

#[derive(Debug, Args)]
#[command(after_help = SCAN_EXAMPLES)]
pub(super) struct Scan {
    /// Snapshot files, directories of them, or `-` to read paths from standard input; without
    /// any, this host
    pub(super) paths: Vec<PathBuf>,
    /// Judge the host whose file system is mounted at this directory
    #[arg(long, value_name = "DIR", conflicts_with = "paths")]
    pub(super) root: Option<PathBuf>,
    /// Judge the packages that a software bill of materials lists: CycloneDX or SPDX, JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "root"])]
    pub(super) sbom: Option<PathBuf>,
    /// Watch this host's sockets and processes for so long first, for example 15m or 1h30m;
    /// Ctrl-C ends it early and judges what was seen [default: one look]
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["paths", "root", "sbom"])]
    pub(super) duration: Option<Duration>,
    /// Judge only this rules package; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) package: Vec<PackageName>,
    /// Find vulnerabilities by the advisories in this database, which `assay advisories import`
    /// made; may be given several times
    #[arg(long, value_name = "DB")]
    pub(super) advisories: Vec<PathBuf>,
    /// Also find vulnerabilities without a fix, and those that the vendor finds unimportant
    #[arg(long, requires = "advisories")]
    pub(super) include_unfixed: bool,
    /// Warn where advisories are older than this, for example 36h, 14d or 4w
    #[arg(long, value_name = "AGE", default_value = "14d", value_parser = age)]
    pub(super) max_age: Duration,
    /// Judge nothing and exit with 3 where advisories are older than --max-age
    #[arg(long, requires = "advisories")]
    pub(super) fail_stale: bool,
    /// Use only databases that this minisign key signed: a file, or the line in it
    #[arg(long, value_name = "PUBKEY", requires = "advisories")]
    pub(super) signed_by: Option<String>,
    /// Instead of a report, say why each host has this vulnerability or has it not
    #[arg(long, value_name = "CVE", requires = "advisories")]
    pub(super) explain: Option<String>,
    /// Add rules from a directory laid out like rulesets/; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Vec<PathBuf>,
    /// Change values of rules and switch rules off, as this file says
    #[arg(long, value_name = "FILE")]
    pub(super) tailoring: Option<PathBuf>,
    /// The CIS profile
    #[arg(long, value_name = "NAME", default_value = crate::rules::DEFAULT_PROFILE)]
    pub(super) profile: String,
    /// Findings that were accepted, each with a reason and a last day; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(super) waivers: Vec<PathBuf>,
    /// The ndjson of an earlier scan: what it found is known and does not count
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Output format; may be given several times, each with its own -o
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Vec<FormatName>,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Vec<PathBuf>,
    /// ndjson: also one line for every rule judged
    #[arg(long)]
    pub(super) outcomes: bool,
    /// html and pdf: with every rule that was checked, or only the findings
    #[arg(long, value_name = "TYPE", default_value = "full")]
    pub(super) report_type: ReportType,
    /// Exit with 1 on findings at or above this severity
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    pub(super) fail_on: FailOn,
    /// Exit with 1 where a rule could not be judged
    #[arg(long)]
    pub(super) strict: bool,
    /// How many snapshots to judge at the same time [default: one a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Give the host a tag; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    pub(super) tag: Vec<(String, String)>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  assay collect -o web1.assay
  assay collect --duration 15m -o web1.assay
  assay collect --sections packages,files -o web1.assay
  assay collect --root /mnt/image --tag env=prod -o image.assay")]
pub(super) struct Collect {
    /// The snapshot file to write
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Collect from the file system mounted at this directory instead of this host
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Watch this host's sockets and processes for so long, for example 15m or 1h30m; Ctrl-C ends
    /// it early and writes what was seen [default: one look]
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "root")]
    pub(super) duration: Option<Duration>,
    /// Collect only these tables and say of the others that they were not asked for; rules that
    /// need them are unknown
    #[arg(long, value_name = "NAME", value_delimiter = ',', hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(table::COLLECTED.iter().map(|t| t.name)))]
    pub(super) sections: Option<Vec<String>>,
    /// Give the host a tag; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    pub(super) tag: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Agent {
    /// Collect once, or again and again
    Run(AgentRun),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  assay agent run --out /var/lib/assay/agents
  assay agent run --every 1h --out /var/lib/assay/agents

A signal ends it with 0, and leaves no half of a file. examples/systemd has units.")]
pub(super) struct AgentRun {
    /// Where the snapshot is put; its name is the agent's id
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Collect again after so long, for example 1h, until a signal comes [default: once]
    #[arg(long, value_name = "TIME", value_parser = super::agent::every)]
    pub(super) every: Option<Duration>,
    /// Collect from the file system mounted at this directory instead of this host
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Watch this host's sockets and processes for so long each time [default: one look]
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "root")]
    pub(super) duration: Option<Duration>,
    /// Give the host a tag; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    pub(super) tag: Vec<(String, String)>,
}

#[cfg(feature = "server")]
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  assay serve --data /var/lib/assay
  assay serve --listen 127.0.0.1:8443 --data /var/lib/assay --live
  aws inspector list-rules-packages --endpoint-url http://127.0.0.1:8080

Exit codes: 0 ended by a signal, 2 usage, 3 bad rules, 4 the directory, address or a file cannot be
used, 70 internal error")]
pub(super) struct Serve {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(super) listen: String,
    /// Where targets, templates, runs, findings and keys are kept, and snapshots are put
    #[arg(long, value_name = "DIR", default_value = "assay-data")]
    pub(super) data: PathBuf,
    /// This machine is an agent too: a run observes it for the template's duration
    #[arg(long)]
    pub(super) live: bool,
    /// Answer without signatures; for loopback addresses only
    #[arg(long)]
    pub(super) no_auth: bool,
    /// Let other machines connect; needs TLS
    #[arg(long)]
    pub(super) allow_remote: bool,
    /// The certificate chain, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// Add rules from a directory laid out like rulesets/; may be given several times
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Vec<PathBuf>,
    /// The CIS profile
    #[arg(long, value_name = "NAME", default_value = crate::rules::DEFAULT_PROFILE)]
    pub(super) profile: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  assay diff monday.assay tuesday.assay
  assay diff --json image.assay host.assay

Verdicts that changed come first, then the facts, table by table. The exit code
is 0 whether there is a difference or not, and 4 where a snapshot is bad.")]
pub(super) struct Diff {
    /// The first snapshot
    pub(super) a: PathBuf,
    /// The second snapshot
    pub(super) b: PathBuf,
    /// Show every change, however many there are
    #[arg(long)]
    pub(super) all: bool,
    /// As JSON, one object a line, every change
    #[arg(long)]
    pub(super) json: bool,
}

/// The longest observation: a day, as in Inspector.
const LONGEST: Duration = Duration::from_hours(24);

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|d| d.try_into().ok());
    parsed
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(|| "a time is for example 90s, 15m or 1h30m, and 24h at most".into())
}

fn age(text: &str) -> Result<Duration, String> {
    let wrong = || "an age is for example 36h, 14d or 4w".to_owned();
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let hours = match unit {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(hours * 3600).map(Duration::from_secs).ok_or_else(wrong)
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && key.len() <= 128 && value.len() <= 256 => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => {
            Err("a tag is KEY=VALUE, with a key of 1 to 128 and a value of up to 256 bytes".into())
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// List every rule
    List {
        /// Lines for people, or one JSON array
        #[arg(long, value_enum, default_value = "text")]
        format: ListFormat,
        /// Add rules from a directory
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Show the file of one rule
    Show {
        /// The rule's id, for example security-best-practices/enable-aslr
        id: String,
    },
    /// Start a rule file in the current directory
    New {
        /// Package and name, for example sbp/no-telnet
        id: String,
    },
    /// Print the JSON schema of rule files, for editors
    Schema,
    /// Check rule files and run their examples
    Check {
        /// A directory laid out like rulesets/; without it, the embedded rules
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Snapshot {
    /// What a snapshot holds
    Info {
        /// The snapshot file
        file: PathBuf,
    },
    /// Print the rows of one table, one JSON object a line
    ///
    /// Also of tables that are read from configuration or computed from others: what a rule sees.
    Cat {
        /// The snapshot file
        file: PathBuf,
        /// The table, for example packages or config.sshd (`assay facts` lists them)
        table: String,
    },
    /// Read every byte and compare every checksum
    Verify {
        /// The snapshot file
        file: PathBuf,
    },
    /// Print everything as JSON
    Export {
        /// The snapshot file
        file: PathBuf,
        /// Only JSON is there today; the option may be left out
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Advisories {
    /// Read feeds into one database
    Import(Import),
    /// What a database holds, and how old it is
    Info {
        /// The database file
        file: PathBuf,
    },
    /// Read every byte, compare every checksum, and the signature where one is asked for
    Verify {
        /// The database file
        file: PathBuf,
        /// Require FILE.minisig to be a signature by this minisign key: a file, or the line in it
        #[arg(long, value_name = "PUBKEY")]
        signed_by: Option<String>,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Kinds:
  osv, debian-tracker, debian-list, updateinfo, secdb, oval, csaf   advisories
  openvex                                                           exceptions
  kev, epss, nvd                                  known exploitation, scores

Examples:
  assay advisories import debian-tracker.json kev.json -o advisories.db
  assay advisories import osv almalinux.zip -o advisories.db
  assay advisories import --release \"Fedora:41\" updateinfo.xml.gz -o advisories.db")]
pub(super) struct Import {
    /// The feeds: files as they were downloaded, compressed or not, or directories of them; a kind
    /// before them holds for all, without it each is told by its content
    #[arg(required = true, value_name = "[KIND] FILE")]
    pub(super) inputs: Vec<PathBuf>,
    /// The database file to write
    #[arg(short, long, value_name = "DB")]
    pub(super) output: PathBuf,
    /// The release that feeds are for which do not say it, for example Debian:12
    #[arg(long, value_name = "NAME:RELEASE")]
    pub(super) release: Option<String>,
    /// The day on which the feeds were fetched, for those that do not say when they were made
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(super) fetched: Option<Time>,
}

fn day(text: &str) -> Result<Time, String> {
    let day = text.parse::<jiff::civil::Date>().ok();
    let start = day.and_then(|day| jiff::tz::TimeZone::UTC.to_timestamp(day.into()).ok());
    start
        .map(|start| Time(start.as_second()))
        .ok_or_else(|| "a day is for example 2026-11-25".into())
}
