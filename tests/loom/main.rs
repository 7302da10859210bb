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

        use loom::sync::RwLock;
        use std::task::Waker;

        #[derive(Debug)]
        pub(crate) struct WakerCell(RwLock<Option<Waker>>);

        impl WakerCell {
            pub(crate) fn new() -> Self {
                Self(RwLock::new(None))
            }

            pub(crate) fn wake(&self) {
                if let Ok(waker) = self.0.try_read() {
                    if let Some(waker) = &*waker {
                        waker.wake_by_ref();
                    }
                }
            }

            pub(crate) fn try_replace(
                &self,
                waker: Option<Waker>,
            ) -> Result<Option<Waker>, Option<Waker>> {
                match self.0.try_write() {
                    Ok(mut cell) => Ok(std::mem::replace(&mut *cell, waker)),
                    Err(_) => Err(waker),
                }
            }
        }
    }
}

/// The state of a pool as it is, on loom's lock.
#[path = "../../src/pool"]
#[allow(dead_code, unreachable_pub)]
mod pool {
    mod answer;
    mod queue;
    pub(crate) mod state;
    pub(crate) mod stats;
    mod waiters;
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
