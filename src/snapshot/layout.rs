//! Every constant of the byte layout, which `snapshots/README.md` describes.

/// The first bytes of a container; the byte after them is [`FORMAT_VERSION`].
pub const MAGIC: [u8; 7] = *b"\x89ASSAY\n";
/// The version of the container's frame: header, table of contents, footer.
pub const FORMAT_VERSION: u8 = 1;
/// Bytes before the first section: the magic and the version.
pub const HEADER_LEN: usize = 8;
/// The last bytes of a container.
pub const END_MAGIC: [u8; 8] = *b"YASSA\n\0\x89";
/// Bytes after the table of contents: its length (u64, little endian), its BLAKE3, the end magic.
pub const FOOTER_LEN: usize = 48;
/// Bytes of a BLAKE3 hash.
pub const HASH_LEN: usize = 32;
/// The version of a section's meaning. It rises where a column changes its meaning; a column that
/// is added or dropped does not change it, because columns are found by name.
pub const SCHEMA_VERSION: u64 = 1;

/// A section flag: a reader that does not know the section refuses the container.
pub const FLAG_CRITICAL: u8 = 1;

/// Codec byte: frames are stored as they are.
pub const CODEC_RAW: u8 = 0;
/// Codec byte: each frame is one zstd frame.
pub const CODEC_ZSTD: u8 = 1;
/// zstd's level: higher ones gain little on these columns and take several times as long.
pub const ZSTD_LEVEL: i32 = 3;

/// State byte: every row is there.
pub const STATE_COLLECTED: u8 = 0;
/// State byte: some rows are missing; a reason follows.
pub const STATE_TRUNCATED: u8 = 1;
/// State byte: the host refused to show it; a reason follows.
pub const STATE_DENIED: u8 = 2;
/// State byte: it was not looked for; a reason follows.
pub const STATE_ABSENT: u8 = 3;

/// Column flag: rows may have no value; a bitmap of those that have one comes first.
pub const COLUMN_OPTIONAL: u8 = 1;
/// Integer encoding: each value as it is.
pub const INT_PLAIN: u8 = 0;
/// Integer encoding: each value as the difference from the one before.
pub const INT_DELTA: u8 = 1;

/// Files in a block.
pub const BLOCK_FILES: usize = 2048;
/// A block also ends when its texts reach this many bytes.
pub const BLOCK_TEXT: usize = 256 << 10;
/// Blocks in a frame: a lookup decompresses one frame.
pub const FRAME_BLOCKS: usize = 4;
/// A frame of blocks also ends when it reaches this many raw bytes.
pub const FRAME_TARGET: usize = 1 << 20;
/// Raw bytes at which a small table is cut into frames.
pub const TABLE_FRAME: usize = 4 << 20;

/// Most sections in a container.
pub const MAX_SECTIONS: usize = 256;
/// Most bytes of the table of contents.
pub const MAX_TOC: usize = 16 << 20;
/// Most bytes of the name of a section or column.
pub const MAX_NAME: usize = 64;
/// Most bytes of a state's reason.
pub const MAX_REASON: usize = 64 << 10;
/// Most raw bytes of one frame.
pub const MAX_FRAME: usize = 16 << 20;
/// Most raw bytes of a small table.
pub const MAX_TABLE: usize = 256 << 20;
/// Most cells of a small table, counting the elements of lists. Decoded they take 24 bytes each.
pub const MAX_CELLS: usize = 8 << 20;
/// Most columns of a section.
pub const MAX_COLUMNS: usize = 256;
/// Most bytes of a path or other text of a file.
pub const MAX_FILE_TEXT: usize = 1 << 20;
/// Most files.
pub const MAX_FILES: u64 = 1 << 28;
/// Most raw bytes of the files section.
pub const MAX_FILES_RAW: u64 = 8 << 30;
/// Raw bytes of decompressed frames that a reader keeps for the next lookup.
pub const CACHE_BYTES: usize = 8 << 20;
