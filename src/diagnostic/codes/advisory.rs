//! `V...`: an advisory feed or database cannot be used. Feeds have V001 to V019.

super::codes! {
    UNRECOGNISED = "V001", "not a kind of feed that is known",
        "The content is of no kind of advisory feed that this assay reads, so nothing is taken. \
         If you know what it is, name the kind; `assay advisories import --help` lists the kinds.";
    WRONG_KIND = "V002", "the feed is of another kind",
        "The kind that was named and the content disagree. Reading it as the named kind would find \
         nothing and look like a feed without advisories. Leave the kind out to have it detected.";
    CUT = "V003", "the feed is cut short",
        "The feed ends before its own structure does: a download stopped early or the disk was \
         full. Nothing of it is taken, because what is missing could hold the advisories that \
         matter. Fetch it again.";
    MALFORMED = "V004", "the feed makes no sense",
        "The bytes are not what their format requires: damaged compression, a syntax error, or a \
         value of a type that the format does not have there. The message names the place. Fetch \
         it again; if it stays so, the vendor changed the format or published a broken file.";
    TOO_LARGE = "V005", "larger than a feed may be",
        "A single entry, the nesting, or what the file decompresses to is above a limit. The limits \
         are far above what real feeds have, and keep a hostile file from taking all memory or time.";
    FORBIDDEN = "V006", "a construct that feeds do not have",
        "The feed declares XML entities or a document type, or names one member twice so that two \
         readers could see two different feeds. Honest feeds do not do that, so it is refused.";
    NEEDS_RELEASE = "V007", "the feed does not say which release it is for",
        "The content is advisories of a distribution and does not tell which release, so nothing \
         could be matched rightly. Name it with --release, for example `--release Debian:12`.";
    INCONSISTENT = "V008", "the feed contradicts itself",
        "The feed says how many entries it has and has another number, or refers to a part of \
         itself that is not there. It was cut or put together wrongly. Fetch it again.";
    EMPTY_FEED = "V009", "the feed has no entries",
        "The file can be read and holds no advisory at all. A database made of it would find \
         nothing on any host, so it is refused.";
}
