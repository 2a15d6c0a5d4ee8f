"""A matcher that shares nothing with assay: it reads the feeds itself and asks rpm's library and dpkg
how versions are ordered.

    matcher.py rpm ECOSYSTEM modules|plain|only-modules OSV.zip
    matcher.py dpkg RELEASE LIST...
    matcher.py rows ARCH REPOSITORY|- KIND FEED

Packages come on standard input, one a line: name version source source-version module. Printed is
`CVE package`, sorted, or the advisory where it names no CVE.
"""

import json
import os
import re
import subprocess
import sys
import zipfile

CODE_NAMES = {"9": "stretch", "10": "buster", "11": "bullseye", "12": "bookworm"}


def packages():
    return [line.rstrip("\n").split(" ") for line in sys.stdin]


def rpm_order():
    import rpm

    def parts(text):
        epoch, rest = text.split(":", 1) if ":" in text else ("0", text)
        version, release = rest.rsplit("-", 1) if "-" in rest else (rest, "")
        return (epoch, version, release)

    return lambda a, b: rpm.labelCompare(parts(a), parts(b))


def rpm_rows(path, ecosystem):
    rows = {}
    archive = zipfile.ZipFile(path)
    for member in archive.namelist():
        if not member.endswith(".json"):
            continue
        entry = json.loads(archive.read(member))
        cves = [id for id in entry.get("related") or [] if id.startswith("CVE-")] or [entry["id"]]
        for affected in entry["affected"]:
            if affected["package"]["ecosystem"] != ecosystem:
                continue
            for range_ in affected["ranges"]:
                for event in range_["events"]:
                    if "fixed" in event:
                        name = affected["package"]["name"]
                        rows.setdefault(name, []).append((event["fixed"], cves))
    return rows


def match_rpm(ecosystem, mode, path):
    order, rows, found = rpm_order(), rpm_rows(path, ecosystem), set()
    for name, version, _, _, module in packages():
        built = module != "-" or ".module" in version
        for fixed, cves in rows.get(name, []):
            of_module = ".module" in fixed
            if mode == "modules" and of_module and not built:
                continue
            if mode == "only-modules" and not of_module:
                continue
            if order(version, fixed) < 0:
                found.update(f"{cve} {name}" for cve in cves)
    return found


def debian_rows(paths, release):
    rows, cves, id = {}, [], ""
    for path in paths:
        for line in open(path, encoding="utf-8"):
            heading = re.match(r"\[[^]]*\] (D[SL]A-\S+)", line)
            if heading:
                id, cves = heading.group(1), []
                continue
            text = line.strip()
            if text.startswith("{"):
                cves += re.findall(r"CVE-\d{4}-\d{4,}", text)
            fixed = re.match(r"\[(\S+)\]\s+- (\S+) (\S+)", text)
            if fixed and fixed.group(1) == CODE_NAMES[release]:
                if not fixed.group(3).startswith("<"):
                    rows.setdefault(fixed.group(2), []).append((fixed.group(3), id, cves))
                elif fixed.group(3) == "<not-affected>":
                    rows.setdefault(fixed.group(2), []).append((None, id, cves))
    return rows


def match_dpkg(release, paths):
    known, found, denied = {}, set(), set()

    def below(a, b):
        if (a, b) not in known:
            code = subprocess.run(["dpkg", "--compare-versions", a, "lt", b]).returncode
            known[a, b] = code == 0
        return known[a, b]

    rows = debian_rows(paths, release)
    for name, _, source, version, _ in packages():
        for fixed, id, cves in rows.get(source, []):
            lines = {f"{cve} {name}" for cve in cves or [id]}
            if fixed is None:
                denied |= lines
            elif below(version, fixed):
                found |= lines
    return found - denied


def match_rows(arch, repository, kind, path):
    """By the rows that the other reader of feeds makes of a file, in the order of rpm's library."""
    reader = os.path.join(os.path.dirname(__file__), "../advisory_feeds/feeds.py")
    text = subprocess.run([sys.executable, reader, kind, path], capture_output=True, check=True).stdout
    form = re.compile(r"(\S+) (\S*)\| .+ (Source|Binary) (\S+)((?: \w+=\S+)*) Affected \[,(\S+)\)$")
    order, rows, found = rpm_order(), {}, set()
    for line in text.decode().splitlines():
        id, cves, naming, name, more, fixed = form.match(line).groups()
        more = dict(pair.split("=", 1) for pair in more.split())
        if more.get("arch", arch) == arch and more.get("from", "-") == repository:
            rows.setdefault((naming, name), []).append((fixed, cves.split(",") if cves else [id]))
    for name, version, source, source_version, _ in packages():
        for key, compared in ((("Binary", name), version), (("Source", source), source_version)):
            for fixed, cves in rows.get(key, []):
                if order(compared, fixed) < 0:
                    found.update(f"{cve} {name}" for cve in cves)
    return found


def main():
    kind, *rest = sys.argv[1:]
    if kind == "dpkg":
        found = match_dpkg(rest[0], rest[1:])
    else:
        found = {"rpm": match_rpm, "rows": match_rows}[kind](*rest)
    print("".join(f"{line}\n" for line in sorted(found)), end="")


main()
