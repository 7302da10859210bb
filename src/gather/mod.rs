//! Fixed sets of futures.

mod join_all;
mod list;
mod tuple;

use core::future::Future;

pub use join_all::{JoinAll, join_all};

/// Runs a set of futures side by side, and resolves to all that they return.
///
/// A set is a tuple of up to twelve futures of any types, or an array or a `Vec` of futures of one type; the outputs
/// come in the same shape. Nothing ends early: where futures return a `Result`, the set resolves to all the results, so
/// partial success is at hand. Use [`try_gather`] where all must succeed.
///
/// ```
/// use abreast::gather;
///
/// # smol::block_on(async {
/// async fn health() -> Result<&'static str, String> {
///     // ...
/// #    Ok("healthy")
/// }
/// async fn deployments(limit: usize) -> Result<Vec<u32>, String> {
///     // ...
/// #    Err(format!("503 for {limit}"))
/// }
///
/// let (health, deployments) = gather((health(), deployments(5))).await;
/// println!("health: {}", health.as_deref().unwrap_or("unknown"));
/// if let Err(error) = &deployments {
///     println!("no deployments: {error}");
/// }
/// # assert_eq!((health, deployments), (Ok("healthy"), Err("503 for 5".into())));
/// # });
/// ```
///
/// A [`task_group`](crate::task_group()) is for sets that grow while they run. What each does with an error is in the
/// [table of all verbs](crate).
///
/// # Order
/// Futures are polled first in the order of the set, and the outputs are in the order of the set.
///
/// # Cancel safety
/// Dropping the future drops the whole set, and outputs that were there already.
///
/// # Panics
/// A panic of a future passes through. Polled again, the set panics again: at once if it is a tuple, and when the
/// others have ended if it is an array or a `Vec`. If it was a destructor that panicked, no output is lost, and the
/// next poll goes on.
///
/// # Polls and allocations
/// Each future is polled once when it starts, and once per wake, whatever the size and the shape of the set. A tuple
/// keeps its futures in place, and makes one allocation. An array or a `Vec` of up to four makes one more, and that of
/// the outputs; a longer one makes one for each eight futures that are pending at the same time, and a few more.
/// Futures of more than 512 bytes have one each.
pub fn gather<S: Gather>(set: S) -> S::Future {
    set.gather()
}

/// Runs a set of tasks side by side, and resolves to all values, or to the first error.
///
/// The same as [`gather`] otherwise. All tasks have the same error type; the values may differ in a tuple.
///
/// ```
/// use abreast::try_gather;
///
/// # smol::block_on(async {
/// async fn user(id: u32) -> Result<String, std::io::Error> {
///     // ...
/// #    Ok(format!("user {id}"))
/// }
/// async fn orders(id: u32) -> Result<Vec<u32>, std::io::Error> {
///     // ...
/// #    Ok(vec![id])
/// }
///
/// let (user, bought) = try_gather((user(7), orders(7))).await?;
/// println!("{user} has {} orders", bought.len());
///
/// let [a, b] = try_gather([1, 2].map(orders)).await?;
/// assert_eq!([a, b].concat(), [1, 2]);
/// # Ok::<_, std::io::Error>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// The first error. The other tasks that have started, and the values that were there already, are dropped before the
/// future resolves.
pub fn try_gather<S: TryGather>(set: S) -> S::Future {
    set.try_gather()
}

/// A set that [`gather`] takes: a tuple, an array or a `Vec` of futures.
#[diagnostic::on_unimplemented(
    message = "`gather` takes a tuple of up to twelve futures, an array or a `Vec` of them",
    label = "not a set of futures",
    note = "a set may be in a set: `gather((gather((a, b)), gather((c, d))))`; any number of futures goes into `join_all`"
)]
pub trait Gather {
    /// What the futures return, in the shape of the set.
    type Output;
    /// The future of it.
    type Future: Future<Output = Self::Output>;

    /// Makes the future of [`gather`].
    fn gather(self) -> Self::Future;
}

/// A set that [`try_gather`] takes: a tuple, an array or a `Vec` of tasks with one error type.
#[diagnostic::on_unimplemented(
    message = "`try_gather` takes a tuple of up to twelve tasks, an array or a `Vec` of them",
    label = "not a set of tasks",
    note = "a task is a future of a `Result`, and all tasks of a set have the same type of error",
    note = "a set may be in a set: `try_gather((try_gather((a, b)), try_gather((c, d))))`"
)]
pub trait TryGather {
    /// The values of the tasks, in the shape of the set.
    type Output;
    /// The error of any of the tasks.
    type Error;
    /// The future of it.
    type Future: Future<Output = Result<Self::Output, Self::Error>>;

    /// Makes the future of [`try_gather`].
    fn try_gather(self) -> Self::Future;
}
