//! Varints and texts, with every length checked before it is believed.

use super::SnapshotError;

type Result<T> = std::result::Result<T, SnapshotError>;

/// Appends a number in groups of seven bits, lowest first (LEB128).
pub(super) fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Appends a signed number, its sign folded into the lowest bit.
pub(super) fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
}

/// Appends a length and the bytes.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A cursor over bytes that nobody vouches for.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| SnapshotError::malformed("a length"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn uint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(SnapshotError::malformed("a number"))
    }

    pub(super) fn int(&mut self) -> Result<i64> {
        let value = self.uint()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    /// A count of things that take at least `least` bytes each in what is left, so that a
    /// claimed count can never allocate more than a multiple of the input.
    pub(super) fn count(&mut self, least: usize) -> Result<usize> {
        let count =
            usize::try_from(self.uint()?).map_err(|_| SnapshotError::malformed("a count"))?;
        if count.checked_mul(least).is_none_or(|bytes| bytes > self.rest.len()) {
            return Err(SnapshotError::malformed("a count"));
        }
        Ok(count)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.count(1)?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| SnapshotError::malformed("a text"))
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }
}

/// Compresses a frame.
pub(super) fn compress(raw: &[u8]) -> Result<Vec<u8>> {
    Ok(zstd::bulk::compress(raw, super::layout::ZSTD_LEVEL)?)
}

/// Decompresses a frame that must have exactly `raw_length` bytes.
pub(super) fn decompress(stored: &[u8], raw_length: u64, what: &str) -> Result<Vec<u8>> {
    let capacity = usize::try_from(raw_length).unwrap_or(usize::MAX);
    // zstd cannot do better than about 1 to 33,000: a claim beyond that is a lie, and the buffer
    // for it would be allocated before the lie shows.
    if raw_length > super::layout::LIMIT || capacity / 40_000 > stored.len() {
        return Err(SnapshotError::TooLarge(what.to_owned()));
    }
    let raw = zstd::bulk::decompress(stored, capacity)
        .map_err(|_| SnapshotError::malformed(format!("the compression of {what}")))?;
    if raw.len() != capacity {
        return Err(SnapshotError::malformed(format!("the length of {what}")));
    }
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_round_trip(a: u64, b: i64) {
            let mut out = Vec::new();
            put_uint(&mut out, a);
            put_int(&mut out, b);
            let mut cursor = Cursor::new(&out);
            prop_assert_eq!(cursor.uint().unwrap(), a);
            prop_assert_eq!(cursor.int().unwrap(), b);
            prop_assert!(cursor.is_empty());
        }

        #[test]
        fn hostile_bytes_are_refused_calmly(bytes: Vec<u8>) {
            let mut cursor = Cursor::new(&bytes);
            while cursor.text().is_ok() && !cursor.is_empty() {}
        }
    }
}
