//! Work done side by side whose results are taken in order, with no more of them waiting than a
//! small window, however many there are.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many results may wait to be taken, for each thread.
const WINDOW: usize = 8;

struct State<T> {
    /// The next one to begin.
    next: usize,
    /// Those that are done and were not taken yet.
    done: BTreeMap<usize, T>,
    taken: usize,
    /// Whether a worker ended without its result: nobody must wait for it.
    broken: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next one to work on; waits while too many are done and not taken.
    fn begin(&self, count: usize, window: usize) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.next >= count || state.broken {
                return None;
            }
            if state.next < state.taken + window {
                state.next += 1;
                return Some(state.next - 1);
            }
            state = self.wait(state);
        }
    }

    /// The result of one, as soon as it is there.
    fn take(&self, at: usize) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(value) = state.done.remove(&at) {
                state.taken = at + 1;
                self.changed.notify_all();
                return Some(value);
            }
            if state.broken {
                return None;
            }
            state = self.wait(state);
        }
    }
}

/// Tells everybody when a worker panics.
struct Alarm<'a, T>(&'a Shared<T>);

impl<T> Drop for Alarm<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().broken = true;
            self.0.changed.notify_all();
        }
    }
}

/// Calls `work` for 0, 1, 2 and so on, on all threads of the pool, and `take` with each result in
/// that order, on this thread.
pub(super) fn in_order<T: Send>(
    count: usize,
    work: &(dyn Fn(usize) -> T + Sync),
    take: &mut dyn FnMut(T),
) {
    let threads = rayon::current_num_threads();
    let shared = Shared {
        state: Mutex::new(State { next: 0, done: BTreeMap::new(), taken: 0, broken: false }),
        changed: Condvar::new(),
    };
    rayon::in_place_scope(|scope| {
        for _ in 0..threads.min(count) {
            scope.spawn(|_| {
                let alarm = Alarm(&shared);
                while let Some(at) = shared.begin(count, threads * WINDOW) {
                    let value = work(at);
                    shared.lock().done.insert(at, value);
                    shared.changed.notify_all();
                }
                drop(alarm);
            });
        }
        let alarm = Alarm(&shared);
        for at in 0..count {
            match shared.take(at) {
                Some(value) => take(value),
                None => break,
            }
        }
        drop(alarm);
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_and_few_wait() {
        let begun = AtomicUsize::new(0);
        let mut taken = Vec::new();
        let work = |at: usize| {
            begun.fetch_add(1, Ordering::SeqCst);
            if at.is_multiple_of(7) {
                std::thread::yield_now();
            }
            at * 2
        };
        in_order(1000, &work, &mut |value| {
            taken.push(value);
            let most = taken.len() + (WINDOW + 1) * rayon::current_num_threads();
            assert!(begun.load(Ordering::SeqCst) <= most);
        });
        assert_eq!(taken, (0..1000).map(|at| at * 2).collect::<Vec<_>>());
        in_order(0, &work, &mut |_| unreachable!());
    }

    #[test]
    fn a_panic_is_heard_and_nobody_waits_for_ever() {
        let work = |at: usize| assert_ne!(at, 20, "planted");
        let result = std::panic::catch_unwind(|| in_order(100, &work, &mut |()| {}));
        assert!(result.is_err());
    }
}
