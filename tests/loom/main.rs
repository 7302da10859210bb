//! Models: every interleaving of the threads that share a ready set, or the state of a pool.
//!
//! Run with `RUSTFLAGS="--cfg abreast_loom" cargo test --release --test loom`.
#![cfg(abreast_loom)]

extern crate alloc;

#[macro_use]
#[allow(unused_macros)]
#[path = "../../src/macros.rs"]
mod macros;

/// The ready set as it is, on loom's atomics.
#[path = "../../src/engine"]
#[allow(dead_code)]
mod engine {
    pub(crate) mod ready_set;
    mod waker;

    pub(crate) mod sync {
        pub(crate) use loom::sync::atomic::{AtomicUsize, Ordering};

        use std::sync::RwLock;
        use std::task::Waker;

        /// As `AtomicRefCell`: a count of readers, or `WRITER`. Locks of loom's own would not do, as it does not explore what
        /// comes between their steps.
        #[derive(Debug)]
        pub(crate) struct WakerCell {
            state: AtomicUsize,
            waker: RwLock<Option<Waker>>,
        }

        const WRITER: usize = 1 << 16;

        impl WakerCell {
            pub(crate) fn new() -> Self {
                Self {
                    state: AtomicUsize::new(0),
                    waker: RwLock::new(None),
                }
            }

            fn with<R>(&self, f: impl FnOnce(&Waker) -> R) -> Option<R> {
                let result = match self.state.fetch_add(1, Ordering::Acquire) & WRITER {
                    0 => self.waker.read().unwrap().as_ref().map(f),
                    _ => None,
                };
                self.state.fetch_sub(1, Ordering::Release);
                result
            }

            pub(crate) fn wake(&self) {
                self.with(Waker::wake_by_ref);
            }

            pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
                self.with(|known| known.will_wake(waker)) == Some(true)
            }

            pub(crate) fn try_replace(
                &self,
                waker: Option<Waker>,
            ) -> Result<Option<Waker>, Option<Waker>> {
                let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
                let state = &self.state;
                if state.compare_exchange(0, WRITER, acquire, relaxed).is_err() {
                    return Err(waker);
                }
                let former = std::mem::replace(&mut *self.waker.write().unwrap(), waker);
                state.fetch_sub(WRITER, Ordering::Release);
                Ok(former)
            }
        }
    }
}

/// The state of a pool as it is, on loom's lock.
#[path = "../../src/pool"]
#[allow(dead_code, unreachable_pub)]
mod pool {
    pub(crate) mod state;
    pub(crate) mod stats;
}

/// What a group shares with whoever spawns into it.
#[path = "../../src/task_group"]
#[allow(dead_code, unreachable_pub)]
mod task_group {
    pub(crate) mod queue;
}

#[path = "../../src/sync"]
#[allow(dead_code, unreachable_pub)]
mod sync {
    pub(crate) mod oneshot;
    pub(crate) mod panic;

    use loom::sync::Mutex;
    use loom::sync::atomic::{AtomicBool, Ordering};

    #[derive(Debug)]
    pub(crate) struct Lock<T>(Mutex<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
            f(&mut self.0.lock().unwrap())
        }
    }
}

#[path = "oneshot.rs"]
mod oneshot_model;
#[path = "pool.rs"]
mod pool_model;
#[path = "ready_set.rs"]
mod ready_set_model;
#[path = "task_group.rs"]
mod task_group_model;
