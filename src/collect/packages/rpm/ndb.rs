//! The headers in a database of rpm's own format, ndb: `Packages.db`, as SUSE has it.
//!
//! Format, after rpm's `lib/backend/ndb/rpmpkg.c`: little-endian words. Pages of slots, 16 bytes
//! each, begin with a header of two slots' size; a slot has the number of a package, and where its
//! blob lies and how long it is in blocks of 16 bytes. A blob has a head (number, generation,
//! length), the package's header, zeros up to the block's end, and a tail (Adler-32 of all before,
//! length).

use super::pieces::{MAX_HEADER, Pieces, Problems};
use crate::collect::Root;

const PAGE: u64 = 4096;
/// The size of the header of a database, and of a slot and a block.
const HEADER: usize = 32;
const UNIT: usize = 16;
const BLOB_HEAD: usize = 16;
const BLOB_TAIL: usize = 12;
/// More packages than any host has.
const MAX_SLOTS: usize = 1 << 20;

struct Slot {
    package: u32,
    offset: u64,
    length: u64,
}

/// Shows the header of every package. What cannot be read is returned as problems, and the rest is
/// still shown.
pub(super) fn headers(
    root: &dyn Root,
    path: &str,
    show: &mut dyn FnMut(&[u8]),
) -> Result<Vec<String>, String> {
    let mut file = Pieces::new(root, path);
    let length = file.length()?;
    let mut problems = Problems::default();
    let mut slots = slots(&mut file, length, &mut problems)?;
    slots.sort_by_key(|slot| slot.offset);
    let mut free = 0;
    for slot in slots {
        // Each byte of the file belongs to one package, so that none is read twice.
        if slot.offset < free {
            problems.add("its packages overlap");
            continue;
        }
        free = slot.offset + slot.length;
        match blob(&mut file, &slot) {
            Ok(blob) => show(&blob[BLOB_HEAD..]),
            Err(problem) => problems.add(&problem),
        }
    }
    Ok(problems.into_vec())
}

/// The slots that are in use and lie inside the file.
fn slots(file: &mut Pieces<'_>, length: u64, problems: &mut Problems) -> Result<Vec<Slot>, String> {
    let mut header = [0; HEADER];
    file.read(0, &mut header)?;
    if header[..4] != *b"RpmP" {
        return Err(format!("{} is not an ndb database", file.path()));
    }
    let version = word(&header, 4);
    if version != 0 {
        return Err(format!("{}: version {version} of ndb is not known", file.path()));
    }
    let pages = u64::from(word(&header, 12));
    if pages == 0 || pages * PAGE > length {
        return Err(format!("{} is shorter than its list of packages", file.path()));
    }
    let mut slots = Vec::new();
    let mut page = [0; PAGE as usize];
    for number in 0..pages {
        file.read(number * PAGE, &mut page)?;
        for slot in page.chunks_exact(UNIT).skip(if number == 0 { HEADER / UNIT } else { 0 }) {
            if slot[..4] != *b"Slot" {
                problems.add("its list of packages is damaged");
                continue;
            }
            let [package, block, blocks] = [word(slot, 4), word(slot, 8), word(slot, 12)];
            if [package, block, blocks] == [0; 3] {
                continue;
            }
            let offset = u64::from(block) * UNIT as u64;
            let size = u64::from(blocks) * UNIT as u64;
            if package == 0 || blocks == 0 || offset < pages * PAGE || offset + size > length {
                problems.add("a package lies outside its place");
                continue;
            }
            if slots.len() == MAX_SLOTS {
                return Err(format!("{} has more packages than any host", file.path()));
            }
            slots.push(Slot { package, offset, length: size });
        }
    }
    Ok(slots)
}

/// The blob of a slot with its head, the rest cut.
fn blob(file: &mut Pieces<'_>, slot: &Slot) -> Result<Vec<u8>, String> {
    let damaged = || "a package is damaged".to_owned();
    let size = usize::try_from(slot.length).map_err(|_| damaged())?;
    if size > MAX_HEADER {
        return Err("a package is too large".to_owned());
    }
    let mut blob = vec![0; size];
    file.read(slot.offset, &mut blob)?;
    if size < BLOB_HEAD + BLOB_TAIL {
        return Err(damaged());
    }
    let (before, tail) = blob.split_at(size - BLOB_TAIL);
    let length = word(before, 12);
    let end = BLOB_HEAD.saturating_add(length as usize);
    let sound = before[..4] == *b"BlbS"
        && word(before, 4) == slot.package
        && (end + BLOB_TAIL).next_multiple_of(UNIT) == size
        && word(tail, 0) == adler32(before)
        && word(tail, 4) == length
        && tail[8..] == *b"BlbE";
    if !sound {
        return Err(damaged());
    }
    blob.truncate(end);
    Ok(blob)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// Adler-32 of RFC 1950.
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut first, mut second) = (1u32, 0u32);
    // As many bytes as cannot overflow the sums.
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            first += u32::from(*byte);
            second += first;
        }
        first %= MODULUS;
        second %= MODULUS;
    }
    second << 16 | first
}

#[cfg(test)]
mod tests {
    use super::adler32;

    #[test]
    fn sums() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(&vec![0xff; 1 << 20]), 0x8e88_ef11);
    }
}
