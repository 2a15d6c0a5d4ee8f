//! What the headers of ELF executables and libraries say: elf(5). Only headers are read, and
//! nothing they claim is believed beyond the bytes that are there.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use super::root::Content;
use crate::model::cell::AbsPath;
use crate::model::table::{Binary, File, FileKind};

/// The header and, in nearly every file, all program headers.
const HEAD: usize = 1024;
/// More program headers than any linker writes.
const MAX_HEADERS: usize = 256;
/// More entries than any dynamic section has.
const MAX_DYNAMIC: usize = 16 * 1024;

const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_GNU_STACK: u32 = 0x6474_e551;
const PT_GNU_RELRO: u32 = 0x6474_e552;
const PF_X: u32 = 1;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const DT_BIND_NOW: u64 = 24;
const DT_FLAGS: u64 = 30;
const DT_FLAGS_1: u64 = 0x6fff_fffb;
const DF_BIND_NOW: u64 = 8;
const DF_1_NOW: u64 = 1;
const DF_1_PIE: u64 = 0x0800_0000;

/// Whether a file may be an executable or a library, by what needs no reading.
pub(super) fn is_candidate(file: &File) -> bool {
    file.kind == FileKind::File
        && file.size >= 52
        && (file.mode.0 & 0o111 != 0 || file.path.0.contains(".so"))
}

/// The facts of a file; none where it is no ELF executable or library.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read(path: &Arc<str>, content: &dyn Content) -> io::Result<Option<Binary>> {
    let mut head = [0u8; HEAD];
    let length = content.read_at(0, &mut head)?;
    Ok(head.get(..length).and_then(|head| Elf::new(head, content)?.facts(path)))
}

/// The name of a machine by its ELF code.
pub(super) fn machine_name(code: u16) -> Arc<str> {
    match code {
        3 => "i386".into(),
        8 => "mips".into(),
        20 => "ppc".into(),
        21 => "ppc64".into(),
        22 => "s390x".into(),
        40 => "arm".into(),
        62 => "x86_64".into(),
        183 => "aarch64".into(),
        243 => "riscv".into(),
        258 => "loongarch".into(),
        other => format!("machine {other}").into(),
    }
}

struct Header {
    kind: u32,
    flags: u32,
    offset: u64,
    size: u64,
}

#[derive(Default)]
struct Dynamic {
    bind_now: bool,
    pie: bool,
}

/// A file whose ident is right.
struct Elf<'a> {
    head: &'a [u8],
    content: &'a dyn Content,
    wide: bool,
    little: bool,
}

impl<'a> Elf<'a> {
    fn new(head: &'a [u8], content: &'a dyn Content) -> Option<Self> {
        let ident = head.get(..6)?;
        let (wide, little) = match (ident.get(..4)?, ident[4], ident[5]) {
            (b"\x7fELF", class @ 1..=2, order @ 1..=2) => (class == 2, order == 1),
            _ => return None,
        };
        Some(Self { head, content, wide, little })
    }

    fn facts(&self, path: &Arc<str>) -> Option<Binary> {
        let kind = self.half(16)?;
        if kind != ET_EXEC && kind != ET_DYN {
            return None;
        }
        let headers = self.headers()?;
        let find = |wanted: u32| headers.iter().find(|header| header.kind == wanted);
        let dynamic = find(PT_DYNAMIC).map(|header| self.dynamic(header)).unwrap_or_default();
        let interpreter = find(PT_INTERP).and_then(|header| {
            let name = self.bytes(header.offset, usize::try_from(header.size).ok()?.min(4096))?;
            let name = name.split(|byte| *byte == 0).next()?;
            Some(Arc::from(String::from_utf8_lossy(name)))
        });
        let program = kind == ET_EXEC || interpreter.is_some() || dynamic.pie;
        Some(Binary {
            path: AbsPath(Arc::clone(path)),
            kind: if program { "executable" } else { "library" }.into(),
            machine: machine_name(self.half(18)?),
            // Without the header the loader asks for an executable stack.
            executable_stack: find(PT_GNU_STACK).is_none_or(|header| header.flags & PF_X != 0),
            pie: kind == ET_DYN,
            relro: match (find(PT_GNU_RELRO), dynamic.bind_now) {
                (None, _) => "none",
                (Some(_), false) => "partial",
                (Some(_), true) => "full",
            }
            .into(),
            interpreter,
            package: None,
        })
    }

    /// Bytes of the file, from what was read of it already where they lie there.
    fn bytes(&self, offset: u64, length: usize) -> Option<Cow<'a, [u8]>> {
        let start = usize::try_from(offset).ok();
        let inside = start.and_then(|start| self.head.get(start..start.checked_add(length)?));
        if let Some(inside) = inside {
            return Some(Cow::Borrowed(inside));
        }
        let mut bytes = vec![0; length];
        let filled = self.content.read_at(offset, &mut bytes).ok()?;
        bytes.truncate(filled);
        Some(Cow::Owned(bytes))
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) }
    }

    fn half(&self, at: usize) -> Option<u16> {
        u16::try_from(self.number(self.head.get(at..at + 2)?)).ok()
    }

    fn headers(&self) -> Option<Vec<Header>> {
        let (place, size_at, least) = if self.wide { (32..40, 54, 56) } else { (28..32, 42, 32) };
        let offset = self.number(self.head.get(place)?);
        let size = usize::from(self.half(size_at)?);
        let count = usize::from(self.half(size_at + 2)?);
        if size < least || count > MAX_HEADERS || size > 4096 {
            return None;
        }
        let table = self.bytes(offset, size * count)?;
        if table.len() < size * count {
            return None;
        }
        let field = |header: &[u8], at: usize, width: usize| self.number(&header[at..at + width]);
        let header = |header: &[u8]| {
            let (flags_at, offset_at, size_at, width) =
                if self.wide { (4, 8, 32, 8) } else { (24, 4, 16, 4) };
            Some(Header {
                kind: u32::try_from(field(header, 0, 4)).ok()?,
                flags: u32::try_from(field(header, flags_at, 4)).ok()?,
                offset: field(header, offset_at, width),
                size: field(header, size_at, width),
            })
        };
        table.chunks_exact(size).map(header).collect()
    }

    fn dynamic(&self, header: &Header) -> Dynamic {
        let width = if self.wide { 8 } else { 4 };
        let size = usize::try_from(header.size).unwrap_or(usize::MAX).min(MAX_DYNAMIC * width);
        let bytes = self.bytes(header.offset, size).unwrap_or_default();
        let mut dynamic = Dynamic::default();
        for entry in bytes.chunks_exact(2 * width) {
            let (tag, value) = (self.number(&entry[..width]), self.number(&entry[width..]));
            match tag {
                0 => break,
                DT_BIND_NOW => dynamic.bind_now = true,
                DT_FLAGS => dynamic.bind_now |= value & DF_BIND_NOW != 0,
                DT_FLAGS_1 => {
                    dynamic.bind_now |= value & DF_1_NOW != 0;
                    dynamic.pie |= value & DF_1_PIE != 0;
                }
                _ => {}
            }
        }
        dynamic
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Bytes<'a>(&'a [u8]);

    impl Content for Bytes<'_> {
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            let rest = self.0.get(usize::try_from(offset).unwrap_or(usize::MAX)..);
            let rest = rest.unwrap_or_default();
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        }
    }

    fn facts(bytes: &[u8]) -> Option<Binary> {
        read(&"/x".into(), &Bytes(bytes)).unwrap()
    }

    /// An x86_64 file with one PT_GNU_STACK header of these flags.
    fn elf(kind: u16, stack_flags: Option<u32>) -> Vec<u8> {
        let mut bytes = vec![0u8; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[16..18].copy_from_slice(&kind.to_le_bytes());
        bytes[18..20].copy_from_slice(&62u16.to_le_bytes());
        bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&u16::from(stack_flags.is_some()).to_le_bytes());
        if let Some(flags) = stack_flags {
            bytes.extend(PT_GNU_STACK.to_le_bytes());
            bytes.extend(flags.to_le_bytes());
            bytes.resize(120, 0);
        }
        bytes
    }

    #[test]
    fn the_stack_header_decides() {
        let stack = |flags| {
            let bytes = elf(ET_EXEC, flags);
            facts(&bytes).unwrap().executable_stack
        };
        assert!(stack(Some(7)));
        assert!(!stack(Some(6)));
        assert!(stack(None));
    }

    #[test]
    fn objects_and_other_files_are_left_out() {
        assert_eq!(facts(&elf(1, Some(6))), None);
        assert_eq!(facts(b"#!/bin/sh\n"), None);
        assert_eq!(facts(&[]), None);
    }

    #[test]
    fn this_very_program_is_read() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let binary = facts(&bytes).unwrap();
        assert_eq!(&*binary.kind, "executable");
        assert!(!binary.executable_stack);
    }

    proptest! {
        #[test]
        fn hostile_headers_are_read_calmly(tail in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = b"\x7fELF\x02\x01".to_vec();
            bytes.extend(tail);
            let _ = facts(&bytes);
            bytes[4] = 1;
            let _ = facts(&bytes);
        }
    }
}
