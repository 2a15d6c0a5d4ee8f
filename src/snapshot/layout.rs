//! The constants of the container format, documented in `snapshots/README.md`.

/// The first bytes of every snapshot; the last of them is the format version.
pub const MAGIC: [u8; 8] = *b"ASSAY\0\r\x01";
/// The last bytes of every snapshot.
pub const END: [u8; 8] = *b"\x01YASSA\r\n";
/// Footer: offset and length of the table of contents, its BLAKE3, [`END`].
pub const FOOTER: usize = 8 + 8 + 32 + 8;
/// The version of the column encoding, in every section.
pub const SCHEMA_VERSION: u64 = 1;
/// The most bytes that a file or the raw form of a section may have.
pub const LIMIT: u64 = 1 << 30;
/// The most sections.
pub const MAX_SECTIONS: u64 = 1024;
/// Files in a block, the unit of decoding.
pub const BLOCK_FILES: usize = 2048;
/// Blocks in a frame, the unit of compression.
pub const FRAME_BLOCKS: usize = 16;
/// The most raw bytes of one frame of files.
pub const FRAME_LIMIT: u64 = 256 << 20;
/// The most bytes of a path.
pub const PATH_LIMIT: usize = 1 << 16;
/// Section flag: a reader that does not know the section must refuse the file.
pub const CRITICAL: u8 = 1;
/// Section flag: the payload is zstd.
pub const ZSTD: u8 = 2;
/// The zstd level; higher ones cost much and gain little on these bytes.
pub const ZSTD_LEVEL: i32 = 3;
/// The section that holds the blocks of the `files` table.
pub const FILES: &str = "files";
/// The section that says where the blocks are and what classes they hold.
pub const FILES_INDEX: &str = "files.index";
