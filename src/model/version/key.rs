//! Sort keys: bytes that compare by memcmp as the versions do. Each part of a key ends itself, so
//! that parts can follow one another and none is the beginning of another.

use super::digits;

/// A key that is being written.
#[derive(Debug, Default)]
pub(super) struct Key(pub(super) Vec<u8>);

/// The greatest number that is its own single byte.
const SMALL: u8 = 0xef;
/// What marks a number of more than 64 bits.
const HUGE: u8 = 0xf8;

impl Key {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// A number in decimal digits, of any length; leading zeros do not count.
    pub(super) fn number(&mut self, number: &[u8]) {
        let (number, _) = digits(number);
        let value = std::str::from_utf8(number).ok().and_then(|text| text.parse::<u64>().ok());
        match value {
            Some(value) => self.int(value),
            None if number.is_empty() => self.int(0),
            None => {
                self.byte(HUGE);
                self.0.extend_from_slice(&(number.len() as u64).to_be_bytes());
                self.0.extend_from_slice(number);
            }
        }
    }

    /// A number: one byte for a small one, else its length and its bytes, highest first.
    pub(super) fn int(&mut self, value: u64) {
        if value < u64::from(SMALL) {
            self.byte(value as u8);
            return;
        }
        let bytes = value.to_be_bytes();
        let zeros = value.leading_zeros() as usize / 8;
        self.byte(SMALL + (8 - zeros) as u8);
        self.0.extend_from_slice(bytes.get(zeros..).unwrap_or_default());
    }

    /// The same as [`Key::int`] in falling order.
    pub(super) fn falling(&mut self, value: u64) {
        let start = self.0.len();
        self.int(value);
        for byte in self.0.get_mut(start..).unwrap_or_default() {
            *byte = !*byte;
        }
    }

    /// Bytes, and an end that is less than any byte. A zero byte is followed by 0xff.
    pub(super) fn text(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
            if *byte == 0 {
                self.byte(0xff);
            }
        }
        self.0.extend_from_slice(&[0, 0]);
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use proptest::prelude::*;

    fn key(write: impl Fn(&mut Key)) -> Vec<u8> {
        let mut key = Key::default();
        write(&mut key);
        key.0
    }

    proptest! {
        #[test]
        fn numbers_and_texts_keep_their_order(a: u64, b: u64, small in 0..600u64, x: Vec<u8>, y: Vec<u8>) {
            for (a, b) in [(a, b), (small, small + 1), (small, b)] {
                let order = a.cmp(&b);
                prop_assert_eq!(key(|k| k.int(a)).cmp(&key(|k| k.int(b))), order);
                prop_assert_eq!(key(|k| k.falling(a)).cmp(&key(|k| k.falling(b))), order.reverse());
                let digits = key(|k| k.number(format!("00{a}").as_bytes()));
                prop_assert_eq!(digits, key(|k| k.int(a)));
            }
            prop_assert_eq!(key(|k| k.text(&x)).cmp(&key(|k| k.text(&y))), x.cmp(&y));
        }
    }

    #[test]
    fn numbers_are_as_long_as_they_like() {
        let number = |text: &str| key(|k| k.number(text.as_bytes()));
        let rising = ["", "9", "238", "239", "255", "256", "18446744073709551615"];
        let huge = ["18446744073709551616", "99999999999999999999", "100000000000000000000"];
        let keys: Vec<_> = rising.iter().chain(&huge).map(|text| number(text)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
    }
}
