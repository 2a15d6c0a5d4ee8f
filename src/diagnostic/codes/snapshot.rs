//! `S...`: a snapshot file cannot be read or written.

super::codes! {
    NOT_A_SNAPSHOT = "S001", "not a snapshot",
        "The file does not begin with the snapshot magic. It is another kind of file, or it was \
         damaged on the way. Make a new one with `assay collect -o FILE`.";
    TRUNCATED = "S002", "the snapshot is cut short",
        "The file begins as a snapshot and ends before its footer, or before bytes that its table \
         of contents promises. A copy or a download stopped early, or the disk was full. Nothing \
         of it is judged, because what is missing could hold the findings. Copy it again.";
    NEWER_FORMAT = "S003", "made by a newer assay",
        "The snapshot, or one of its sections, has a format version that this assay does not \
         know. Reading it as if it were an older one could give wrong verdicts. Update assay.";
    HASH_MISMATCH = "S004", "the bytes do not match their hash",
        "Every part of a snapshot is covered by a BLAKE3 hash, and the bytes found do not have \
         the hash that was written. The file was changed after it was made, by accident or on \
         purpose. Fetch it again from where it was collected.";
    BAD_TOC = "S005", "the table of contents makes no sense",
        "The table of contents has the right hash and still cannot be read: it was written by a \
         program that does not keep to the format. `snapshots/README.md` documents every byte.";
    BAD_SECTION = "S006", "a section makes no sense",
        "A section's bytes have the right hash and still cannot be decoded: it was written by a \
         program that does not keep to the format. `snapshots/README.md` documents every byte.";
    UNKNOWN_CRITICAL = "S007", "an unknown section that must be understood",
        "The snapshot has a section that this assay does not know and that its writer marked as \
         critical: without understanding it the other facts would be misread. Update assay.";
    TOO_LARGE = "S008", "larger than the format allows",
        "A length, a count or a text is above a limit of the format. The limits keep a hostile \
         file from taking all memory, and are far above what real hosts have; \
         `snapshots/README.md` lists them.";
    INVALID_ROW = "S009", "a row does not fit its table",
        "A collector gave a row with a value of another type than the table's schema says, or \
         rows for a table that it calls absent. This is a mistake in assay; please report it.";
    FILE_ORDER = "S010", "files out of order",
        "Files must be written in path order, each path once, because readers find them by binary \
         search. This is a mistake in assay or in the tool that feeds it; please report it.";
    UNREADABLE = "S011", "the snapshot cannot be read",
        "The operating system refused to open or read the file. The message gives its reason: \
         check the path and the permissions. Snapshots are written readable by their owner only.";
    UNWRITABLE = "S012", "the snapshot cannot be written",
        "The operating system refused to write the file. The message gives its reason: check the \
         directory, its permissions and the free space. An existing file is left as it was.";
    MISSING_COLUMN = "S013", "a column is missing",
        "The snapshot was made by an assay that did not collect a column which every row of the \
         table must have, or that stored it as another type. The table cannot be used; collect \
         the host again with this version.";
}
