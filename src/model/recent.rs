//! What was read last, kept within a bound for the next question.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Things by key with their weight in bytes, the last used at the end.
type Items<K, T> = VecDeque<(K, usize, Arc<T>)>;

/// Keeps the last used things.
#[derive(Debug)]
pub struct Recent<K, T>(Mutex<Items<K, T>>);

impl<K, T> Default for Recent<K, T> {
    fn default() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }
}

impl<K: PartialEq, T> Recent<K, T> {
    fn lock(&self) -> MutexGuard<'_, Items<K, T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thing with this key, where it is still there.
    pub fn get(&self, key: &K) -> Option<Arc<T>> {
        let mut items = self.lock();
        let at = items.iter().rposition(|(other, ..)| other == key)?;
        let item = items.remove(at)?;
        let found = Arc::clone(&item.2);
        items.push_back(item);
        Some(found)
    }

    /// Keeps a thing; those that were not used for longest give way, until all weigh at most
    /// `limit` or it is alone.
    pub fn put(&self, key: K, thing: T, weight: usize, limit: usize) -> Arc<T> {
        let thing = Arc::new(thing);
        let mut items = self.lock();
        items.push_back((key, weight, Arc::clone(&thing)));
        let total = |items: &Items<K, T>| items.iter().map(|(_, weight, _)| weight).sum::<usize>();
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
        assert_eq!(recent.get(&0).as_deref(), Some(&0));
        recent.put(3, 3, 10, 30);
        assert_eq!(recent.get(&1), None);
        assert_eq!(recent.get(&0).as_deref(), Some(&0));
        recent.put(4, 4, 1000, 30);
        assert!([0, 2, 3].into_iter().all(|number| recent.get(&number).is_none()));
        assert_eq!(recent.get(&4).as_deref(), Some(&4));
    }
}
