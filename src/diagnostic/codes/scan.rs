//! `A...`: a scan cannot do what it was asked to.

super::codes! {
    NOTHING_EVALUATED = "A001", "nothing was evaluated",
        "No snapshot was found, or no rule applies to what was found. A gate must not be green \
         because it looked at nothing, so this is exit code 5 and not 0.";
}
