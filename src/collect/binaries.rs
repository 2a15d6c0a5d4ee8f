//! What the headers of ELF executables and libraries say.

use std::io;
use std::sync::Arc;

use super::elf::{Elf, Segment};
use super::root::Content;
use crate::model::cell::AbsPath;
use crate::model::table::{Binary, File, FileKind};

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
    let mut head = Vec::new();
    Ok(Elf::open(&mut head, content)?.and_then(|elf| facts(&elf, path)))
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

#[derive(Default)]
struct Dynamic {
    bind_now: bool,
    pie: bool,
}

fn facts(elf: &Elf<'_>, path: &Arc<str>) -> Option<Binary> {
    let kind = elf.half(16)?;
    if kind != ET_EXEC && kind != ET_DYN {
        return None;
    }
    let headers = elf.segments()?;
    let find = |wanted: u32| headers.iter().find(|header| header.kind == wanted);
    let dynamic = find(PT_DYNAMIC).map(|header| dynamic(elf, header)).unwrap_or_default();
    let interpreter = find(PT_INTERP).and_then(|header| {
        let name = elf.bytes(header.offset, usize::try_from(header.size).ok()?.min(4096))?;
        let name = name.split(|byte| *byte == 0).next()?;
        Some(Arc::from(String::from_utf8_lossy(name)))
    });
    let program = kind == ET_EXEC || interpreter.is_some() || dynamic.pie;
    Some(Binary {
        path: AbsPath(Arc::clone(path)),
        kind: if program { "executable" } else { "library" }.into(),
        machine: machine_name(elf.half(18)?),
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

fn dynamic(elf: &Elf<'_>, header: &Segment) -> Dynamic {
    let width = if elf.is_wide() { 8 } else { 4 };
    let size = usize::try_from(header.size).unwrap_or(usize::MAX).min(MAX_DYNAMIC * width);
    let bytes = elf.bytes(header.offset, size).unwrap_or_default();
    let mut dynamic = Dynamic::default();
    for entry in bytes.chunks_exact(2 * width) {
        let (tag, value) = (elf.number(&entry[..width]), elf.number(&entry[width..]));
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
