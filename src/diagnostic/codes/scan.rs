//! `A...`: a scan cannot do what it was asked to.

super::codes! {
    NOTHING_EVALUATED = "A001", "nothing was evaluated",
        "No snapshot was found, or no rule applies to what was found. A gate must not be green \
         because it looked at nothing, so this is exit code 5 and not 0.";
    LEFT_OUT = "A002", "a benchmark was left out",
        "Before snapshots are judged, each is asked which benchmarks are about it, and only those \
         are made ready. This one has become another host since, so it is not judged by half. Scan \
         again when nobody writes the file.";
    NO_RESULT = "A003", "this is no result to report on",
        "`assay report` lays out what was judged before: a file of `assay scan --format ndjson`, \
         whole to its last line, or a run of `assay serve` that has ended. A part of a result would \
         look like a better one, so it is refused.";
}
