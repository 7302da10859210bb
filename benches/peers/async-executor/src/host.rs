//! The executors that tasks are spawned on.

use std::sync::LazyLock;
use std::thread;

use async_executor::{Executor, LocalExecutor, Task};

thread_local! {
    static EXECUTOR: LocalExecutor<'static> = const { LocalExecutor::new() };
}

/// Spawns a task on the executor that [`block_on`] runs.
pub(crate) fn spawn<T: 'static>(task: impl Future<Output = T> + 'static) -> Task<T> {
    EXECUTOR.with(|executor| executor.spawn(task))
}

/// Runs `future` beside the tasks of a local executor, with `burst` wakes from the board whenever all sleep.
pub(crate) fn block_on<F: Future>(future: F, burst: usize) -> F::Output {
    EXECUTOR.with(|executor| harness::block_on(executor.run(future), burst))
}

/// Returns the executor that two threads run, started at the first call.
pub(crate) fn on_threads() -> &'static Executor<'static> {
    static EXECUTOR: LazyLock<&'static Executor<'static>> = LazyLock::new(|| {
        let executor: &'static Executor<'static> = Box::leak(Box::new(Executor::new()));
        for _ in 0..2 {
            let run = executor.run(std::future::pending::<()>());
            thread::spawn(|| futures::executor::block_on(run));
        }
        executor
    });
    &EXECUTOR
}

/// Runs `future` beside those threads.
///
/// # Panics
/// If there is a burst: the board is another one on each thread.
pub(crate) fn block_on_threads<F: Future>(future: F, burst: usize) -> F::Output {
    assert_eq!(burst, 0, "the board wakes tasks of one thread");
    futures::executor::block_on(future)
}
