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
    SBOM_UNUSABLE = "C010", "the bill of materials cannot be used",
        "The file given with --sbom is neither CycloneDX nor SPDX in JSON, is cut or damaged, or \
         is larger than any bill. XML is not read: let the generator write JSON, or convert the \
         bill to CycloneDX JSON.";
    SBOM_EMPTY = "C011", "the bill of materials lists no package",
        "The file is a bill of materials and has no component with the package URL of a \
         distribution or a language. Judging it would find nothing and look like a healthy host, \
         so it is not evaluated.";
}
