//! Version order beside the package managers' own: dpkg, libdpkg, its Perl library, librpm,
//! apk-tools (recorded), Python's packaging, RubyGems.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::cmp::Ordering;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use assay::model::version::compare;

/// A small generator of its own, so that every run asks the same questions.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const PARTS: [&str; 26] = [
    "0", "00", "1", "2", "9", "10", "010", "99", "123", "20240101", "a", "b", "rc", "beta", "Z",
    "el8", "deb12u1", ".", ".", ".", "~", "~~", "+", "+b1", "_", "^",
];

/// An upstream version that begins with a digit.
fn upstream(random: &mut Random, refused: &[char]) -> String {
    let mut text = random.pick(&["0", "1", "2", "10"]).to_owned();
    for _ in 0..random.below(6) {
        let part = random.pick(&PARTS);
        if !part.contains(refused) {
            text.push_str(part);
        }
    }
    text
}

fn full(random: &mut Random, refused: &[char]) -> String {
    let epoch = random.pick(&["", "", "", "0:", "1:", "2:", "10:"]);
    let mut text = format!("{epoch}{}", upstream(random, refused));
    if random.below(3) > 0 {
        text = format!("{text}-{}", upstream(random, refused));
    }
    text
}

/// Pairs of which the second is often the first with one part more or less.
fn pairs(count: usize, refused: &[char]) -> Vec<(String, String)> {
    let mut random = Random(7);
    (0..count)
        .map(|_| {
            let a = full(&mut random, refused);
            let b = match random.below(3) {
                0 => full(&mut random, refused),
                1 => format!("{a}{}", random.pick(&["~1", "+1", ".0", "0", "a", ".1"])),
                _ => {
                    let mut b = a.clone();
                    b.pop();
                    if b.is_empty() || b.ends_with([':', '-']) {
                        full(&mut random, refused)
                    } else {
                        b
                    }
                }
            };
            (a, b)
        })
        .collect()
}

/// Asks a program that reads `A B` lines and answers -1, 0 or 1 on each.
fn ask(program: &str, arguments: &[&str], pairs: &[(String, String)]) -> Vec<Ordering> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
    let text: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program} failed");
    let answers: Vec<Ordering> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.parse::<i32>().unwrap().cmp(&0))
        .collect();
    assert_eq!(answers.len(), pairs.len(), "{program} must answer every line");
    answers
}

fn agree(manager: &str, pairs: &[(String, String)], answers: &[Ordering]) {
    let wrong: Vec<String> = pairs
        .iter()
        .zip(answers)
        .filter(|((a, b), answer)| compare(manager, a, b).as_ref() != Some(*answer))
        .map(|((a, b), answer)| format!("{a} {b}: {answer:?}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}: {:#?}",
        wrong.len(),
        pairs.len(),
        &wrong[..wrong.len().min(20)]
    );
    for expected in [Ordering::Less, Ordering::Equal, Ordering::Greater] {
        assert!(answers.contains(&expected), "no pair is {expected:?}: the test proves little");
    }
}

/// dpkg refuses `^` and `_`.
const NOT_DPKG: [char; 2] = ['^', '_'];

#[test]
#[ignore = "needs dpkg"]
fn dpkg_orders_5000_pairs_the_same() {
    let pairs = pairs(5000, &NOT_DPKG);
    let script = r#"while read -r a b; do
        if dpkg --compare-versions "$a" lt "$b"; then echo -1
        elif dpkg --compare-versions "$a" eq "$b"; then echo 0
        else echo 1; fi
    done"#;
    // Two shells at once: nearly all the time goes into starting dpkg.
    let (first, second) = pairs.split_at(pairs.len() / 2);
    let (a, b) = std::thread::scope(|scope| {
        let a = scope.spawn(|| ask("sh", &["-c", script], first));
        let b = scope.spawn(|| ask("sh", &["-c", script], second));
        (a.join().unwrap(), b.join().unwrap())
    });
    agree("dpkg", &pairs, &[a, b].concat());
}

#[test]
#[ignore = "needs perl with Dpkg::Version (libdpkg-perl)"]
fn dpkgs_perl_library_orders_50000_pairs_the_same() {
    let pairs = pairs(50_000, &NOT_DPKG);
    let script = "use Dpkg::Version; while (<STDIN>) { my ($a, $b) = split; \
                  print version_compare($a, $b), \"\\n\"; }";
    agree("dpkg", &pairs, &ask("perl", &["-e", script], &pairs));
}

/// Versions of the packages that are installed here: every one beside its neighbours by name, and
/// beside what an update could be.
fn real(versions: &str) -> Vec<(String, String)> {
    let versions: Vec<&str> = versions.split_whitespace().collect();
    assert!(versions.len() > 100, "too few packages are installed here");
    let mut pairs = Vec::new();
    for (index, a) in versions.iter().enumerate() {
        for b in versions.iter().skip(index + 1).take(40) {
            pairs.push(((*a).to_owned(), (*b).to_owned()));
        }
        for change in ["~", "+b1", ".1", "+deb12u1", "~bpo12+1"] {
            pairs.push(((*a).to_owned(), format!("{a}{change}")));
        }
    }
    pairs
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The comparison that dpkg itself is linked with, without starting dpkg for every pair.
#[test]
#[ignore = "needs libdpkg-dev and a C compiler"]
fn libdpkg_orders_200000_pairs_the_same() {
    const PROGRAM: &str = r#"
#include <stdio.h>
#include <string.h>
#include <dpkg/dpkg.h>
#include <dpkg/version.h>
static struct dpkg_version split(char *text) {
    struct dpkg_version version = { 0, text, "" };
    char *colon = strchr(text, ':'), *dash;
    if (colon) { *colon = 0; version.epoch = atoi(text); version.version = colon + 1; }
    dash = strrchr(version.version, '-');
    if (dash) { *dash = 0; version.revision = dash + 1; }
    return version;
}
int main(void) {
    static char a[4096], b[4096];
    while (scanf("%4095s %4095s", a, b) == 2) {
        struct dpkg_version x = split(a), y = split(b);
        printf("%d\n", dpkg_version_compare(&x, &y));
    }
    return 0;
}
"#;
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("compare.c");
    let program = directory.path().join("compare");
    std::fs::write(&source, format!("#include <stdlib.h>\n{PROGRAM}")).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    output(
        "cc",
        &["-DLIBDPKG_VOLATILE_API", "-o", &path(&program), &path(&source), "-ldpkg", "-lmd"],
    );
    let mut pairs = real(&output("dpkg-query", &["-W", "-f", "${Version} "]));
    let more = 200_000_usize.saturating_sub(pairs.len());
    pairs.extend(self::pairs(more, &NOT_DPKG));
    agree("dpkg", &pairs, &ask(&path(&program), &[], &pairs));
}

#[test]
#[ignore = "needs python3-rpm"]
fn librpm_orders_200000_pairs_the_same() {
    let pairs = pairs(200_000, &[]);
    let script = r#"
import rpm, sys
def evr(text):
    epoch, colon, rest = text.partition(":")
    if not colon: epoch, rest = "0", text
    version, dash, release = rest.rpartition("-")
    return (epoch, version, release) if dash else (epoch, rest, None)
for line in sys.stdin:
    a, b = line.split()
    print(rpm.labelCompare(evr(a), evr(b)))
"#;
    agree("rpm", &pairs, &ask("/usr/bin/python3", &["-c", script], &pairs));
}

/// Pairs of versions made of these parts.
fn of_parts(count: usize, parts: &[&str]) -> Vec<(String, String)> {
    let mut random = Random(11);
    let mut version = || {
        let mut text = random.pick(&["0", "1", "1.0", "2.10"]).to_owned();
        for _ in 0..random.below(5) {
            text.push_str(random.pick(parts));
        }
        text
    };
    (0..count).map(|_| (version(), version())).collect()
}

#[test]
#[ignore = "needs python3-packaging"]
fn pythons_packaging_orders_50000_pairs_the_same() {
    let parts = [
        ".0", ".1", ".10", "a1", "b2", "rc1", "-alpha", ".post1", "-1", ".dev3", ".dev", "+abc.1",
        "+5", "+abc",
    ];
    let script = r#"
import sys
from packaging.version import Version, InvalidVersion
def key(text):
    try: return Version(text)
    except InvalidVersion: return None
for line in sys.stdin:
    a, b = line.split()
    x, y = key(a), key(b)
    if x is None or y is None:
        # What is no version comes before those that are, by its text.
        x, y = (x is not None, a if x is None else ""), (y is not None, b if y is None else "")
    print((x > y) - (x < y))
"#;
    let pairs = of_parts(50_000, &parts);
    agree("pypi", &pairs, &ask("/usr/bin/python3", &["-c", script], &pairs));
}

#[test]
#[ignore = "needs ruby"]
fn rubygems_orders_50000_pairs_the_same() {
    let parts = [".0", ".1", ".10", ".a", ".rc", ".0rc1", "-x", ".pre.2", ".1b", ".0.0"];
    let script = "STDIN.each_line { |line| a, b = line.split; \
                  puts Gem::Version.new(a) <=> Gem::Version.new(b) }";
    let pairs = of_parts(50_000, &parts);
    agree("gem", &pairs, &ask("ruby", &["-e", script], &pairs));
}

#[test]
#[ignore = "needs python3-semver"]
fn pythons_semver_orders_200000_pairs_the_same() {
    let mut random = Random(13);
    let number = ["0", "1", "2", "9", "10", "11", "123", "20240101", "99999999999999999999"];
    let word = ["0", "1", "2", "10", "alpha", "beta", "rc", "a", "Z", "0a", "x-y", "-", "--1"];
    let mut version = || {
        let numbers: Vec<&str> = (0..3).map(|_| random.pick(&number)).collect();
        let mut text = numbers.join(".");
        for (begin, most) in [('-', 3), ('+', 2)] {
            let words: Vec<&str> =
                (0..random.below(most + 1)).map(|_| random.pick(&word)).collect();
            if !words.is_empty() {
                text.push(begin);
                text += &words.join(".");
            }
        }
        text
    };
    let mut pairs: Vec<(String, String)> = (0..100_000).map(|_| (version(), version())).collect();
    // Beside each the same numbers with other ends.
    for at in 0..100_000 {
        let (a, b) = pairs[at].clone();
        let numbers = a.split(['-', '+']).next().unwrap();
        let end = b.find(['-', '+']).map_or("", |from| &b[from..]);
        pairs.push((a.clone(), format!("{numbers}{end}")));
    }
    let script = "import sys, semver\nfor line in sys.stdin:\n    a, b = line.split()\n    \
                  print(semver.VersionInfo.parse(a).compare(b))";
    agree("semver", &pairs, &ask("/usr/bin/python3", &["-c", script], &pairs));
}

/// What apk-tools itself said of generated and real pairs; apk-tools is not in Debian.
#[test]
fn apk_tools_orders_recorded_pairs_the_same() {
    recorded("apk", include_str!("fixtures/versions/apk.txt"));
}

/// What Maven's own `ComparableVersion` said.
#[test]
fn maven_orders_recorded_pairs_the_same() {
    recorded("maven", include_str!("fixtures/versions/maven.txt"));
}

/// Lines of `A < B`, `A = B` or `A > B`.
fn recorded(scheme: &str, text: &str) {
    let mut pairs = Vec::new();
    let mut answers = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let [a, sign, b] = words[..] else { panic!("{line}") };
        pairs.push((a.to_owned(), b.to_owned()));
        answers.push(match sign {
            "<" => Ordering::Less,
            ">" => Ordering::Greater,
            _ => Ordering::Equal,
        });
    }
    assert!(pairs.len() > 500, "the record is cut");
    agree(scheme, &pairs, &answers);
}
