//! The runtimes that futures run in, those of this crate and others' that are compared with them.

use std::sync::LazyLock;

use harness::drive;
use tokio::runtime::{Builder, Runtime};

/// Runs `future` in a current-thread runtime, with `burst` wakes from the board whenever it sleeps.
pub fn block_on<F: Future>(future: F, burst: usize) -> F::Output {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime without drivers");
    }
    RUNTIME.with(|runtime| runtime.block_on(drive(future, burst)))
}

/// Runs `future` in a runtime with two threads, beside the one that calls.
///
/// # Panics
/// If there is a burst: the board is another one on each thread.
pub fn block_on_threads<F: Future>(future: F, burst: usize) -> F::Output {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(2)
            .build()
            .expect("a runtime without drivers")
    });
    assert_eq!(burst, 0, "the board wakes tasks of one thread");
    RUNTIME.block_on(future)
}
