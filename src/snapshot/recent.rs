//! What was read last, kept within a bound for the next question.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Numbered things with their weight in bytes, the last used at the end.
type Items<T> = VecDeque<(usize, usize, Arc<T>)>;

/// Keeps the last used things.
#[derive(Debug)]
pub(super) struct Recent<T>(Mutex<Items<T>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }
}

impl<T> Recent<T> {
    fn lock(&self) -> MutexGuard<'_, Items<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thing of this number, where it is still there.
    pub(super) fn get(&self, number: usize) -> Option<Arc<T>> {
        let mut items = self.lock();
        let at = items.iter().rposition(|(other, ..)| *other == number)?;
        let item = items.remove(at)?;
        let found = Arc::clone(&item.2);
        items.push_back(item);
        Some(found)
    }

    /// Keeps a thing; those that were not used for longest give way, until all weigh at most
    /// `limit` or it is alone.
    pub(super) fn put(&self, number: usize, thing: T, weight: usize, limit: usize) -> Arc<T> {
        let thing = Arc::new(thing);
        let mut items = self.lock();
        items.push_back((number, weight, Arc::clone(&thing)));
        let total = |items: &Items<T>| items.iter().map(|(_, weight, _)| weight).sum::<usize>();
        while total(&items) > limit && items.len() > 1 {
            items.pop_front();
        }
        thing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_stay_within_the_limit() {
        let recent = Recent::default();
        for number in 0..3 {
            recent.put(number, number, 10, 30);
        }
        assert_eq!(recent.get(0).as_deref(), Some(&0));
        recent.put(3, 3, 10, 30);
        assert_eq!(recent.get(1), None);
        assert_eq!(recent.get(0).as_deref(), Some(&0));
        recent.put(4, 4, 1000, 30);
        assert!([0, 2, 3].into_iter().all(|number| recent.get(number).is_none()));
        assert_eq!(recent.get(4).as_deref(), Some(&4));
    }
}
