//! The trait that each library implements, and what most of its implementations are written with.

use std::future::Future;

use futures::{Stream, StreamExt};

use crate::host::block_on;
use crate::workload::Task;

/// A way to run many tasks.
pub trait Scheme {
    /// Runs all tasks, and keeps their results. What `size` limits depends on the scheme. Returns the number of
    /// results.
    fn run<F: Task>(
        tasks: impl ExactSizeIterator<Item = F>,
        size: usize,
    ) -> impl Future<Output = usize>;

    /// Runs the future of [`run`](Self::run) where it belongs, with `burst` wakes from the board whenever it sleeps.
    fn host<T: Future>(future: T, burst: usize) -> T::Output {
        block_on(future, burst)
    }
}

/// Declares a [`Scheme`]: `Name, |tasks, size| expression`, where the expression is in an async function, and `F` is
/// the type of the tasks. `Name on host` has the future run by that function.
///
/// ```
/// harness::scheme!(OneByOne, |tasks, _size| {
///     let mut results = Vec::new();
///     for task in tasks {
///         results.push(task.await);
///     }
///     results.len()
/// });
/// ```
#[macro_export]
macro_rules! scheme {
    ($name:ident, |$tasks:ident, $size:ident| $run:expr) => {
        $crate::scheme!($name on $crate::block_on, |$tasks, $size| $run);
    };
    ($name:ident on $host:path, |$tasks:ident, $size:ident| $run:expr) => {
        struct $name;

        impl $crate::Scheme for $name {
            async fn run<F: $crate::Task>(
                $tasks: impl ExactSizeIterator<Item = F>,
                $size: usize,
            ) -> usize {
                $run
            }

            fn host<T: Future>(future: T, burst: usize) -> T::Output {
                $host(future, burst)
            }
        }
    };
}

/// Takes all items of a stream and keeps none. Returns how many there were.
pub async fn consume(results: impl Stream) -> usize {
    let mut results = std::pin::pin!(results);
    let mut count = 0;
    while let Some(result) = results.next().await {
        std::hint::black_box(result);
        count += 1;
    }
    count
}

/// Returns the values of tasks none of which fails.
///
/// # Panics
/// If one does.
pub fn values<T, E: std::fmt::Debug>(results: Result<T, E>) -> T {
    results.expect("no task fails")
}
