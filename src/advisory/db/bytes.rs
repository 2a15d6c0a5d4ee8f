//! Reading and writing the primitive values of records. A length is compared with the bytes that
//! are left before anything is taken or allocated for it.

/// What is wrong with some bytes; the caller knows where they are.
pub(super) type Problem = &'static str;

pub(super) fn put_int(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_int(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_option(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => {
            out.push(1);
            put_text(out, text);
        }
        None => out.push(0),
    }
}

pub(super) fn put_list<T>(out: &mut Vec<u8>, list: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_int(out, list.len() as u64);
    list.iter().for_each(|item| put(out, item));
}

/// A position in bytes that are not trusted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn byte(&mut self) -> Result<u8, Problem> {
        let (byte, rest) = self.0.split_first().ok_or("it ends too early")?;
        self.0 = rest;
        Ok(*byte)
    }

    pub(super) fn int(&mut self) -> Result<u64, Problem> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number is too long")
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Problem> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    /// Four bytes, lowest first.
    pub(super) fn u32(&mut self) -> Result<u32, Problem> {
        Ok(u32_at(self.take(4)?, 0).unwrap_or_default())
    }

    /// Eight bytes, lowest first.
    pub(super) fn u64(&mut self) -> Result<u64, Problem> {
        let bytes = self.take(8)?.try_into().map_err(|_| "it ends too early")?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(super) fn hash(&mut self) -> Result<[u8; 32], Problem> {
        self.take(32)?.try_into().map_err(|_| "it ends too early")
    }

    /// A count of things of which each takes at least a byte.
    pub(super) fn count(&mut self) -> Result<usize, Problem> {
        let count = usize::try_from(self.int()?).map_err(|_| "a count is too large")?;
        if count > self.0.len() { Err("a count is too large") } else { Ok(count) }
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Problem> {
        let len = self.count()?;
        std::str::from_utf8(self.take(len)?).map_err(|_| "a text is not UTF-8")
    }

    pub(super) fn string(&mut self) -> Result<String, Problem> {
        self.text().map(str::to_owned)
    }

    pub(super) fn option(&mut self) -> Result<Option<String>, Problem> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.string().map(Some),
            _ => Err("neither there nor not there"),
        }
    }

    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Problem> {
        // A count cannot be above the bytes that are left, and the vector grows as they are read.
        let count = self.count()?;
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(item(self)?);
        }
        Ok(list)
    }

    pub(super) fn end(&self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err("there are bytes too many") }
    }
}

/// The number of four bytes at `at`.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
