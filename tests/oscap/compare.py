#!/usr/bin/env python3
"""Compares the CIS verdicts of assay and oscap over one root, recommendation by recommendation.

    compare.py --assay BINARY --oscap CHROOT ROOT

CHROOT is a directory with oscap and the content of SCAP Security Guide for Debian 12, for example
    debootstrap --variant=minbase --include=openscap-scanner,ssg-debian trixie CHROOT
ROOT is a root of Debian 12. Needs root rights, to bind ROOT below CHROOT in a mount namespace.

debian-12.tsv says which rules of oscap check a recommendation. A recommendation fails by oscap where
one of its rules does, else it passes where one does. settled.tsv holds the disagreements that were
looked into: recommendation, verdict of assay, verdict of oscap, who is right, and why. The script
prints every disagreement and exits with 1 where one is not settled, or a settled one is about a
recommendation that no longer exists.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).parent
CONTENT = "usr/share/xml/scap/ssg/content/ssg-debian12-ds.xml"
XCCDF = "{http://checklists.nist.gov/xccdf/1.2}"
PREFIX = "xccdf_org.ssgproject.content_"


def table(name):
    lines = (HERE / name).read_text().splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def tailoring(stream, rules, values):
    """A profile that selects the rules and their values, where the content has them."""
    there = {rule.get("id") for rule in stream.iter(f"{XCCDF}Rule")}
    selectors = {}
    for value in stream.iter(f"{XCCDF}Value"):
        named = {each.get("selector") for each in value.iter(f"{XCCDF}value")}
        selectors[value.get("id")] = named
    lines = [f'<select idref="{PREFIX}rule_{rule}" selected="true"/>'
             for rule in sorted(rules) if f"{PREFIX}rule_{rule}" in there]
    for name, value in sorted(values.items()):
        id = f"{PREFIX}value_{name}"
        if value in selectors.get(id, ()):
            lines.append(f'<refine-value idref="{id}" selector="{value}"/>')
    return ('<Tailoring xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_assay_tailoring_all">'
            '<version time="2025-01-01T00:00:00">1</version>'
            '<Profile id="xccdf_assay_profile_all"><title>all</title>'
            + "".join(lines) + "</Profile></Tailoring>")


def oscap(chroot, root, rules, values):
    """The result of each rule."""
    stream = xml.parse(chroot / CONTENT).getroot()
    with tempfile.TemporaryDirectory(dir=chroot) as folder:
        inside = "/" + pathlib.Path(folder).name
        target = pathlib.Path(folder, "root")
        target.mkdir()
        pathlib.Path(folder, "tailoring.xml").write_text(tailoring(stream, rules, values))
        command = ["env", f"OSCAP_PROBE_ROOT={inside}/root", "oscap", "xccdf", "eval",
                   "--tailoring-file", f"{inside}/tailoring.xml",
                   "--profile", "xccdf_assay_profile_all",
                   "--results", f"{inside}/results.xml", f"/{CONTENT}"]
        script = 'mount --rbind "$1" "$2" && mount -t proc proc "$3/proc" && shift 2 && exec chroot "$@"'
        run = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh",
                              root, target, chroot, *command], capture_output=True, text=True)
        results = pathlib.Path(folder, "results.xml")
        if not results.exists():
            sys.exit(f"oscap gave no results: {run.stderr[-2000:]}")
        out = {}
        for result in xml.parse(results).getroot().iter(f"{XCCDF}rule-result"):
            verdict = result.find(f"{XCCDF}result").text
            if verdict not in ("notselected", "notchecked"):
                out[result.get("idref").removeprefix(PREFIX + "rule_")] = verdict
        return out


def assay(binary, root):
    """The verdict of each recommendation, and its reason."""
    run = subprocess.run(
        [binary, "scan", "--root", root, "--package", "cis", "--profile", "Level 2 - Server",
         "--format", "ndjson", "--outcomes", "--fail-on", "none"],
        capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {line["recommendation"]: line["verdict"] for line in lines
            if line["type"] == "outcome" and "Debian Linux 12" in line["benchmark"]}


def verdict(results):
    for name in ("fail", "error", "unknown", "pass"):
        if name in results:
            return {"error": "unknown"}.get(name, name)
    return "not_applicable"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--assay", required=True, type=pathlib.Path)
    parser.add_argument("--oscap", required=True, type=pathlib.Path)
    parser.add_argument("root", type=pathlib.Path)
    options = parser.parse_args()

    rules, values = {}, {}
    for recommendation, words in table("debian-12.tsv"):
        words = words.split()
        values.update(word.split("=", 1) for word in words if "=" in word)
        rules[recommendation] = [word for word in words if "=" not in word]
    theirs = oscap(options.oscap.resolve(), options.root.resolve(),
                   {rule for list in rules.values() for rule in list}, values)
    ours = assay(options.assay.resolve(), options.root.resolve())
    settled = {(row[0], row[1], row[2]): row[3:] for row in table("settled.tsv")}

    count, open_ones = collections.Counter(), 0
    for recommendation, list in rules.items():
        results = {rule: theirs[rule] for rule in list if rule in theirs}
        if not results or recommendation not in ours:
            count["only one of them judges it"] += 1
            continue
        pair = (ours[recommendation], verdict(results.values()))
        if pair[0] == pair[1]:
            count["both " + pair[0]] += 1
            continue
        said = " ".join(f"{rule}={result}" for rule, result in results.items())
        known = settled.get((recommendation, *pair))
        count["settled" if known else "open"] += 1
        open_ones += not known
        print(f"{recommendation}: assay {pair[0]}, oscap {pair[1]} ({said})")
        print(f"    {': '.join(known) if known else 'not settled'}")
    gone = sorted({key[0] for key in settled} - set(rules))
    for recommendation in gone:
        print(f"{recommendation}: settled, but debian-12.tsv does not have it")
    print(", ".join(f"{name}: {number}" for name, number in sorted(count.items())))
    sys.exit(1 if open_ones or gone else 0)


main()
