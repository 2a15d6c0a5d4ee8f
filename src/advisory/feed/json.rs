//! Large JSON arrays, one item at a time.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

use super::error::FeedError;

/// What is done with each item; an error ends the reading.
pub(super) type Take<'a, T> = dyn FnMut(T) -> Result<(), FeedError> + 'a;

/// Deserializes a sequence by handing each item on.
pub(super) struct Each<'a, 'b, T> {
    take: &'a mut Take<'b, T>,
    failed: &'a mut Option<FeedError>,
    item: PhantomData<T>,
}

impl<'a, 'b, T> Each<'a, 'b, T> {
    /// An error of `take` is kept in `failed`: the deserializer's own error cannot carry it.
    pub(super) fn new(take: &'a mut Take<'b, T>, failed: &'a mut Option<FeedError>) -> Self {
        Self { take, failed, item: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Each<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element()? {
            if let Err(error) = (self.take)(item) {
                let text = error.to_string();
                *self.failed = Some(error);
                return Err(A::Error::custom(text));
            }
        }
        Ok(())
    }
}

/// The error that ended the reading: that of the one who took the items, where it was theirs.
pub(super) fn outcome(
    result: Result<(), serde_json::Error>,
    failed: Option<FeedError>,
) -> Result<(), FeedError> {
    match failed {
        Some(error) => Err(error),
        None => Ok(result?),
    }
}
