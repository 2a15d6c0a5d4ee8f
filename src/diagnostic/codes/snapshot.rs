//! `S...`: a snapshot file cannot be read or written.

super::codes! {
    NOT_A_SNAPSHOT = "S001", "not a snapshot",
        "The file does not begin with the snapshot magic. It is another kind of file, or it was \
         damaged on the way. Make a new one with `assay collect -o FILE`.";
    TRUNCATED = "S002", "the snapshot is cut short",
        "The file ends before its table of contents says it should, as after an interrupted copy. \
         Copy it again from where it was made, and compare the sizes.";
    NEWER_FORMAT = "S003", "the snapshot was written by a newer version",
        "Its format version, or a section that must be understood, is not known to this version \
         of assay. Reading on could miss facts, so it is refused. Update assay.";
    DAMAGED = "S004", "the snapshot is damaged",
        "A checksum does not match its bytes: the file was changed or damaged after it was \
         written. Nothing in it can be trusted. Copy it again, or make a new one.";
    MALFORMED = "S005", "the snapshot is malformed",
        "The bytes carry right checksums but do not follow the layout in snapshots/README.md, so \
         they were not written by assay. Make a new one with `assay collect -o FILE`.";
    TOO_LARGE = "S006", "the snapshot is over a limit",
        "A length in the file is over what assay is willing to hold in memory (1 GiB a file or \
         section). A host with so many facts can be collected in parts with --sections.";
    UNREADABLE = "S007", "the snapshot cannot be opened",
        "The system refused to open or read the file. The message carries its words: check the \
         path and the permissions.";
    OUT_OF_ORDER = "S008", "files were written out of order",
        "The collector gave the writer a path that does not come after the one before. This is a \
         mistake in assay, not in the host: please report it with the path that is named.";
}
