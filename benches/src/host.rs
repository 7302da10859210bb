//! Where contenders run: the plainest executor there is, and those of the runtimes that bring their own.

use std::future::{self, Future};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use async_executor::{Executor, LocalExecutor};
use tokio::runtime::{Builder, Runtime};

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Polls `future` until it resolves, once per wake. All benchmarks run on one thread, so a future that is pending and was
/// not woken never will be.
///
/// # Panics
/// If it stalls.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(flag.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        assert!(
            flag.0.swap(false, Ordering::AcqRel),
            "stalled: pending, and nobody left to wake it"
        );
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Runs `future` in a current-thread runtime of tokio.
pub(crate) fn block_on_tokio<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime without drivers");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// The local executor that [`block_on_smol`] runs.
pub(crate) fn with_executor<R>(f: impl FnOnce(&LocalExecutor<'static>) -> R) -> R {
    thread_local! {
        static EXECUTOR: LocalExecutor<'static> = const { LocalExecutor::new() };
    }
    EXECUTOR.with(f)
}

/// Runs `future` beside the tasks of a local async-executor.
pub(crate) fn block_on_smol<F: Future>(future: F) -> F::Output {
    with_executor(|executor| block_on(executor.run(future)))
}

/// Runs `future` in a runtime of tokio with two threads.
pub(crate) fn block_on_tokio_threads<F: Future>(future: F) -> F::Output {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(2)
            .build()
            .expect("a runtime without drivers")
    });
    RUNTIME.block_on(future)
}

/// The executor that two threads run, started at the first call.
pub(crate) fn on_executor_threads() -> &'static Executor<'static> {
    static EXECUTOR: LazyLock<&'static Executor<'static>> = LazyLock::new(|| {
        let executor: &'static Executor<'static> = Box::leak(Box::new(Executor::new()));
        for _ in 0..2 {
            thread::spawn(|| futures::executor::block_on(executor.run(future::pending::<()>())));
        }
        executor
    });
    &EXECUTOR
}

/// Runs `future` beside those threads.
pub(crate) fn block_on_executor_threads<F: Future>(future: F) -> F::Output {
    futures::executor::block_on(future)
}
