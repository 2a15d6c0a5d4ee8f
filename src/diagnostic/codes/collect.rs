//! `C...`: a host, root or image cannot be collected.

super::codes! {
    ROOT_UNUSABLE = "C001", "the root cannot be used",
        "The directory given with --root does not exist, is not a directory, or cannot be opened. \
         Check the path and that the image is mounted there.";
    ROOT_EMPTY = "C002", "the root holds no operating system",
        "Nothing that looks like an operating system was found under the root: no os-release, no \
         package database, no /etc. A failed mount looks just like this, so it is not evaluated: \
         an empty root must never look like a healthy host.";
    UNWRITABLE = "C003", "an output file cannot be written",
        "The system refused to write the file given with -o. Nothing is left half written: the \
         file is as it was before. Check that the directory exists, the permission and the space.";
    STOPPED_EARLY = "C004", "the observation was stopped early",
        "Ctrl-C or a signal ended the observation of sockets and processes before the time given \
         with --duration. What was seen until then is kept and judged; the host table says how long \
         it was observed (observed_seconds) and how long it should have been (requested_seconds). \
         Short-lived connections after that moment were not seen.";
}
