//! `V...`: an advisory feed or database cannot be used. Feeds have V001 to V019, databases
//! V020 on.

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
    NOT_A_DATABASE = "V020", "not an advisory database",
        "The file does not begin as advisory databases do. A feed as it was downloaded is no \
         database yet: make one with `assay advisories import FEED... -o advisories.db`.";
    DATABASE_CUT = "V021", "the database is cut short",
        "The file ends before its own table of contents says. A copy or a download stopped early. \
         Nothing of it is used, because what is missing could hold the advisories that matter. \
         Copy it again or import again.";
    DATABASE_NEWER = "V022", "the database is of another version",
        "The database was written by an assay with another version of the format, which this one \
         would read wrongly. Use the newer assay, or import the feeds again with this one.";
    DATABASE_HASH = "V023", "the database is damaged",
        "A part of the database does not have the hash that was written beside it: the disk, a \
         copy, or somebody changed it. Nothing that depends on that part is believed. Copy it \
         again or import again.";
    DATABASE_MALFORMED = "V024", "the database makes no sense",
        "The bytes have the hash that was written and do not fit together, so what wrote them was \
         not assay or had a mistake. Import the feeds again; if it stays so, report it.";
    DATABASE_UNREADABLE = "V025", "the database cannot be read",
        "The operating system refuses to read the file, or it is a directory, a pipe or a device. \
         The message carries what the system said.";
    UNSIGNED = "V026", "the database is not signed",
        "A signature is required (`--signed-by`) and the file NAME.minisig beside the database is \
         missing or no signature of minisign. Sign with `minisign -S -m NAME`, and bring both files.";
    WRONG_SIGNATURE = "V027", "the signature is not right",
        "The signature beside the database is by another key than the one required, or of other \
         bytes: the database was changed after it was signed, or the files do not belong together. \
         Do not use it.";
    BAD_KEY = "V028", "the public key cannot be used",
        "`--signed-by` takes the file with a minisign public key (minisign.pub), or the line of \
         base64 in it that begins with RW.";
    DATABASE_TOO_LARGE = "V029", "more than a database holds",
        "The feeds have more of something, or something longer, than the format has room for. No \
         real feed comes near; import fewer feeds into one database and give several to the scan.";
    NO_ADVISORIES = "V030", "no advisory about any package",
        "The feeds that were given say which packages are affected by nothing: scores and lists of \
         exploited vulnerabilities alone find nothing on any host. Import them together with a feed \
         of your distribution.";
    STALE = "V031", "the advisories are old",
        "The feeds of a database were made longer ago than `--max-age` allows (14 days unless it says \
         otherwise), or do not tell when. What was published since is not found. Import newer \
         feeds. With `--fail-stale` nothing is judged by old advisories.";
}
