//! Models: every interleaving of the threads that share a ready set, a limit, a rate, or the state of a pool.
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
#[allow(dead_code, unreachable_pub)]
mod engine {
    pub(crate) mod ready_set;
    mod root_alone;
    mod tree;
    mod waker;

    pub(crate) mod sync {
        pub(crate) use loom::sync::atomic::{AtomicUsize, Ordering};

        use std::sync::RwLock;
        use std::task::Waker;

        /// As `AtomicRefCell`: a count of readers, or `WRITER`. Locks of loom's own would not do, as it does not
        /// explore what comes between their steps.
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

#[path = "../../src/outcome"]
#[allow(dead_code, unreachable_pub)]
mod outcome {
    mod end_reason;

    pub(crate) use end_reason::EndReason;
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

/// A limit as it is.
#[path = "../../src/limit/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod limit;

/// A rate as it is, by timers that fire at once or never.
#[path = "../../src/rate/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod rate;

#[path = "../../src/time"]
#[allow(dead_code, unreachable_pub)]
mod time {
    mod clock;
    mod sleep;
    mod timer;

    pub(crate) use clock::{Clock, Moment};
    pub(crate) use sleep::Sleep;
    pub(crate) use timer::Timer;
}

/// What limits and rates know of runs.
#[allow(dead_code, unreachable_pub)]
mod run {
    use std::task::{Context, Poll};

    pub trait Gate {
        type Pass;

        fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<Self::Pass>;
    }

    pub trait Observer<T, E> {
        fn on_complete(&mut self, _: &T, _: usize) {}
        fn on_error(&mut self, _: &E, _: usize) {}
        fn on_stop(&mut self) {}
        fn has_start_hook(&self) -> bool;
        fn reads_progress(&self) -> bool;
    }
}

/// The consumer of a run, and its waker.
#[path = "../../src/run/consumer.rs"]
#[allow(dead_code)]
mod consumer;

#[path = "../../src/sync"]
#[allow(dead_code, unreachable_pub)]
mod sync {
    pub(crate) mod oneshot;
    pub(crate) mod panic;

    use std::task::Waker;

    use loom::sync::Mutex;
    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};

    /// As that of `futures`. Loom's own prints whatever it does.
    pub(crate) struct AtomicWaker(Mutex<Option<Waker>>);

    impl AtomicWaker {
        pub(crate) fn new() -> Self {
            Self(Mutex::new(None))
        }

        pub(crate) fn register(&self, waker: &Waker) {
            let before = self.0.lock().unwrap().replace(waker.clone());
            drop(before);
        }

        pub(crate) fn take(&self) -> Option<Waker> {
            self.0.lock().unwrap().take()
        }

        pub(crate) fn wake(&self) {
            if let Some(waker) = self.take() {
                waker.wake();
            }
        }
    }

    #[derive(Debug)]
    pub(crate) struct Lock<T>(Mutex<T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner().unwrap()
        }

        pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
            f(&mut self.0.lock().unwrap())
        }
    }
}

/// A waker that counts how often it is woken.
#[derive(Default)]
struct Count(std::sync::atomic::AtomicUsize);

impl Count {
    fn new() -> (std::sync::Arc<Self>, std::task::Waker) {
        let count = std::sync::Arc::new(Self::default());
        (count.clone(), count.into())
    }

    fn get(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl std::task::Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

#[path = "consumer.rs"]
mod consumer_model;
#[path = "limit.rs"]
mod limit_model;
#[path = "oneshot.rs"]
mod oneshot_model;
#[path = "pool.rs"]
mod pool_model;
#[path = "priorities.rs"]
mod priorities_model;
#[path = "rate.rs"]
mod rate_model;
#[path = "ready_set.rs"]
mod ready_set_model;
#[path = "task_group.rs"]
mod task_group_model;
