"""Reads feeds with Python's own libraries and prints the rows that assay must have read.

Usage: feeds.py KIND FILE. Written without looking at assay's readers: only the formats count.
"""
import bz2, gzip, io, json, lzma, re, sys, zipfile
import xml.etree.ElementTree as ET

DEBIAN = dict(zip(
    "sarge etch lenny squeeze wheezy jessie stretch buster bullseye bookworm trixie".split(),
    "3.1 4 5 6 7 8 9 10 11 12 13".split()), woody="3.0", potato="2.2", slink="2.1")


def opened(path):
    for ending, module in ((".gz", gzip), (".xz", lzma), (".bz2", bz2)):
        if path.endswith(ending):
            return module.open(path)
    return open(path, "rb")


def fixed(version):
    return f"Affected [,{version})"


def osv(path):
    archive = zipfile.ZipFile(path)
    for name in archive.namelist():
        if not name.endswith(".json"):
            continue
        entry = json.loads(archive.read(name))
        cves = ",".join(dict.fromkeys(i for i in entry["related"] if i.startswith("CVE-")))
        for item in entry["affected"]:
            package = item["package"]
            for span in item["ranges"]:
                version = [e["fixed"] for e in span["events"] if "fixed" in e][0]
                yield f'{entry["id"]} {cves}| {package["ecosystem"]} Binary {package["name"]} {fixed(version)}'


def debian_list(path):
    words = {"<not-affected>": "NotAffected", "<unfixed>": "Affected [,)", "<end-of-life>": "EndOfLife [,)",
             "<no-dsa>": "Deferred [,)", "<ignored>": "Deferred [,)", "<undetermined>": "Undetermined [,)"}
    text = opened(path).read().decode()
    for block in re.split(r"^(?=\[)", text, flags=re.M)[1:]:
        advisory = re.match(r"\[\d+ \w+ \d{4}\]\s+(D[SL]A-\S+)", block).group(1)
        cves = []
        for line in re.findall(r"^\s+\{.*", block, flags=re.M):
            cves += [c for c in re.findall(r"CVE-\d{4}-\d{4,}", line) if c not in cves]
        for release, package, version in re.findall(r"^[ \t]+\[(\w+)\]\s+-\s+(\S+)\s+(\S+)", block, flags=re.M):
            if version != "<removed>":
                state = words.get(version) or fixed(version)
                yield f'{advisory} {",".join(cves)}| Debian:{DEBIAN[release]} Source {package} {state}'


def updateinfo(path):
    for update in ET.parse(opened(path)).getroot().iter("update"):
        cves = ",".join(dict.fromkeys(
            r.get("id") for r in update.iter("reference") if r.get("type") == "cve"))
        rows = set()
        for collection in update.iter("collection"):
            short = collection.get("short")[len("amazon-linux-"):]
            release, _, topic = short.partition("---")
            release = release.replace("ami", "1")
            source = ""
            if topic:
                source = " from=" + (topic if topic == "kernel-livepatch" else "extras/" + topic)
            for p in collection.iter("package"):
                epoch = "" if p.get("epoch", "0") == "0" else p.get("epoch") + ":"
                arch = "" if p.get("arch") == "noarch" else " arch=" + p.get("arch")
                evr = f'{epoch}{p.get("version")}-{p.get("release")}'
                rows.add(f'Amazon Linux:{release} Binary {p.get("name")}{arch}{source} {fixed(evr)}')
        for row in rows:
            yield f'{update.findtext("id")} {cves}| {row}'


def secdb(path):
    import yaml
    data = yaml.load(opened(path), Loader=yaml.BaseLoader)
    for item in data["packages"]:
        for version, ids in item["pkg"]["secfixes"].items():
            for names in ids:
                cves = re.findall(r"CVE-\d{4}-\d{4,}", names.replace("CVE_", "CVE-"))
                name = cves[0] if cves else [word for word in names.split() if "?" not in word][0]
                state = "NotAffected" if version == "0" else fixed(version)
                yield (f'{name} {",".join(dict.fromkeys(cves))}| Alpine:{data["distroversion"]} '
                       f'Source {item["pkg"]["name"]} {state}')


def oval(path):
    """Criteria that say "is earlier than", by the names and versions that their tests refer to."""
    release = re.search(r"azurelinux-(\d\.\d)", path)
    root = ET.parse(opened(path)).getroot()
    here = lambda e: e.tag.split("}")[1]
    ids = {e.get("id"): e for e in root.iter() if e.get("id")}
    child = lambda e, name: [c for c in e if here(c) == name][0]
    for definition in ids.values():
        if here(definition) != "definition":
            continue
        refs = [e for e in definition.iter() if here(e) == "reference"]
        cves = list(dict.fromkeys(e.get("ref_id") for e in refs if e.get("source") == "CVE"))
        others = [e.get("ref_id") for e in refs if e.get("source") != "CVE"]
        rows = set()
        for criterion in definition.iter():
            if " is earlier than " not in (criterion.get("comment") or ""):
                continue
            test = ids[criterion.get("test_ref")]
            name = child(ids[child(test, "object").get("object_ref")], "name").text
            evr = child(ids[child(test, "state").get("state_ref")], "evr").text.strip()
            rows.add(f'{(others or cves)[0]} {",".join(cves)}| Azure Linux:{release.group(1)} '
                     f'Source {name} {fixed(re.sub("^0: *", "", evr))}')
        yield from rows


def kev(path):
    for one in json.load(opened(path))["vulnerabilities"]:
        known = one["knownRansomwareCampaignUse"] == "Known"
        yield f'{one["cveID"]} {one["dateAdded"]} {str(known).lower()}'


KINDS = {"osv": osv, "debian-list": debian_list, "updateinfo": updateinfo, "secdb": secdb, "kev": kev,
         "oval": oval}
for row in KINDS[sys.argv[1]](sys.argv[2]):
    print(row)
