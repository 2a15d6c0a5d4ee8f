//! `S...`: a snapshot file cannot be read.

super::codes! {
    NOT_A_SNAPSHOT = "S001", "not a snapshot",
        "The file does not begin with the snapshot magic. It is another kind of file, or it was \
         damaged on the way. Make a new one with `assay collect -o FILE`.";
}
