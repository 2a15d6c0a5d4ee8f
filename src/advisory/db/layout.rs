//! Every constant of the byte layout, which `README.md` beside this file describes.

/// The first bytes of a database.
pub const MAGIC: [u8; 8] = *b"\x89ASSAYDB";
/// The version of the format.
pub const FORMAT_VERSION: u32 = 1;
/// Bytes before the table of contents: magic, version, the table's length, its BLAKE3.
pub const HEADER_LEN: usize = 48;
/// Bytes of a BLAKE3 hash.
pub const HASH_LEN: usize = 32;

/// Section: the feeds that the database was made from.
pub const FEEDS: u8 = 1;
/// Section: the packages, rows and version keys of one ecosystem's release.
pub const RELEASE: u8 = 2;
/// Section: the texts of the versions of one release, in the order of their keys.
pub const VERSIONS: u8 = 3;
/// Section: what advisories say, by number.
pub const ADVISORIES: u8 = 4;
/// Section: what is known of vulnerabilities, by number.
pub const VULNERABILITIES: u8 = 5;
/// Section: statements that silence a match.
pub const EXCEPTIONS: u8 = 6;

/// Raw bytes at which a block of texts ends.
pub const BLOCK: usize = 32 << 10;
/// zstd's level.
pub const ZSTD_LEVEL: i32 = 19;

/// Numbers in the head of a release section.
pub const RELEASE_COUNTS: usize = 11;
/// Bytes of an entry of the package directory.
pub const PACKAGE_LEN: usize = 12;
/// Bytes of a row.
pub const ROW_LEN: usize = 16;
/// In place of a version's number: none.
pub const NO_VERSION: u32 = u32::MAX;

/// How the range of a row ends: it does not.
pub const END_OPEN: u8 = 0;
/// The row's version and later ones are fixed.
pub const END_FIXED: u8 = 1;
/// The row's version is the last affected one.
pub const END_LAST: u8 = 2;
/// The row is about its version alone.
pub const END_EXACT: u8 = 3;

/// Most bytes of the table of contents.
pub const MAX_TOC: usize = 1 << 20;
/// An index has at most this many raw bytes for each stored one, and this many more. Real ones have
/// about five.
pub const MAX_RATIO: u64 = 100;
/// See [`MAX_RATIO`].
pub const RATIO_START: u64 = 64 << 10;
/// Most bytes of a section that is read as a whole.
pub const MAX_WHOLE: u64 = 512 << 20;
/// Most raw bytes of one block; a single record may be longer than [`BLOCK`].
pub const MAX_BLOCK: usize = 8 << 20;
/// Most bytes of one version.
pub const MAX_VERSION: usize = 4 << 10;
