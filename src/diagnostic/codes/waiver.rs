//! `W...`: waivers and baselines.

super::codes! {
    UNREADABLE = "W001", "a waivers file cannot be read",
        "The file given with --waivers does not exist, cannot be read, is too large or is not \
         text. Nothing is judged: without its waivers the gate would not be the one that was asked \
         for.";
    BAD_DATE = "W002", "a waiver without a day on which it ends",
        "`expires` is a day written YYYY-MM-DD. Every waiver has one, so that what was accepted \
         once is looked at again.";
    EXPIRED = "W003", "a waiver has expired",
        "The last day of the waiver lies before today (UTC), so the findings that it covered count \
         again. Today counts and not the day of the snapshot: an old snapshot must not keep a \
         waiver alive. Fix the findings, or decide anew and set a later day.";
    BAD_BASELINE = "W004", "not a baseline",
        "The file given with --baseline cannot be read, or is not what `assay scan --format ndjson` \
         wrote, whole to its last line (the summary). Make it with `assay scan --format ndjson -o \
         FILE`.";
}
