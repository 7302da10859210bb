//! The lock of pools and task groups: std's, or one that spins where there is no `std`. The loom model puts loom's in
//! its place.
//!
//! It is held for a few instructions and never while foreign code runs: no task, destructor, waker, or hook. So what is
//! called under it leaves nothing half done.
//!
//! Where it spins, whoever has the lock must be able to go on. So nothing that takes it may be called from an interrupt
//! handler, or from a thread of a higher fixed priority on the same core: if that has interrupted the one that has the
//! lock, it spins for ever. This is in the documentation of [`pool`](crate::pool) and of `task_group`.

#[cfg(not(feature = "std"))]
pub(crate) use spin::Lock;
#[cfg(feature = "std")]
pub(crate) use with_std::Lock;

#[cfg(feature = "std")]
mod with_std {
    use std::sync::{Mutex, PoisonError};

    #[derive(Debug)]
    pub(crate) struct Lock<T>(Mutex<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        #[inline]
        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
        }

        #[inline]
        pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
            f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }
    }
}

/// The value is in a queue with room for one, which keeps it inline. Whoever takes it out has the lock; others spin
/// until it is back.
#[cfg(not(feature = "std"))]
mod spin {
    use concurrent_queue::ConcurrentQueue;
    use core::hint;

    #[derive(Debug)]
    pub(crate) struct Lock<T>(ConcurrentQueue<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            let lock = Self(ConcurrentQueue::bounded(1));
            lock.put_back(value);
            lock
        }

        pub(crate) fn into_inner(self) -> T {
            match self.0.pop() {
                Ok(value) => value,
                Err(_) => unreachable!("whoever had it has put it back"),
            }
        }

        pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
            let mut value = loop {
                match self.0.pop() {
                    Ok(value) => break value,
                    Err(_) => hint::spin_loop(),
                }
            };
            let output = f(&mut value);
            self.put_back(value);
            output
        }

        fn put_back(&self, value: T) {
            let put = self.0.push(value);
            debug_assert!(put.is_ok(), "there is one value, and one place for it");
        }
    }
}
