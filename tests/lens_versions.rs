//! Version order beside the package managers' own: dpkg itself, its Perl library, librpm.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::cmp::Ordering;
use std::io::Write;
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

#[test]
#[ignore = "needs python3-rpm"]
fn librpm_orders_50000_pairs_the_same() {
    let pairs = pairs(50_000, &[]);
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
