//! `R...`: a rule, benchmark or tailoring file has a mistake.

super::codes! {
    NOT_YAML = "R001", "not valid YAML",
        "The file cannot be read as YAML. The message names the place where the reader gave up; \
         the mistake is there or just before it, often indentation or an unclosed quote.";
}
