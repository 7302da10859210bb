//! Structured concurrency: a scope that tasks are spawned into.
//!
//! ```text
//!  Group::spawn            queue.rs               scope.rs               window
//!  from body, tasks,  ->   tasks that have   ->   waiting: tasks    ->   body and tasks
//!  or anywhere else        just come              beyond the limit       that run
//!       |                                                                    |
//!       '-- TaskHandle  <----------------- value, by a oneshot -----------------'
//! ```
//!
//! A group runs until the body has returned and no task is left, or until anything has failed. Then it ends:
//!
//! | step | what happens | if a destructor panics |
//! |---|---|---|
//! | decided | the queue is closed: what is spawned from now on is dropped | |
//! | dropping | what runs is dropped, then what waits, then what is still in the queue | the rest is dropped all the same, and the next poll goes on |
//! | ended | handles outside of the group are woken, and panic | |
//! | done | the future resolves | |

mod error;
mod group;
mod handle;
mod queue;
mod result;
mod scope;
mod stop;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use crate::engine::Window;

pub use error::{Origin, TaskGroupError};
pub use group::{BoxTask, Group, LocalBoxTask, LocalGroup};
pub use handle::TaskHandle;
pub use result::TaskGroupResult;

use queue::{End, Queue};
use scope::{GroupFuture, Scope};

/// Runs `body` with a group that it can spawn tasks into, and resolves when the body and all tasks are done.
///
/// The number of tasks is open: the body spawns them as it goes, and tasks spawn others. None of them outlives the
/// group, so they may borrow whatever lives outside of it, mutably too. If the body or a task fails, all others are
/// dropped.
///
/// ```
/// use abreast::task_group;
///
/// #[derive(Default)]
/// struct Dashboard {
///     health: String,
///     classes: usize,
/// }
///
/// # smol::block_on(async {
/// async fn health() -> Result<String, String> {
///     // ...
/// #    Ok("healthy".into())
/// }
/// async fn classes(limit: usize) -> Result<Vec<u32>, String> {
///     // ...
/// #    Ok(vec![1; limit])
/// }
///
/// let mut dashboard = Dashboard::default();
/// task_group(async |group| {
///     group.spawn(async {
///         dashboard.health = health().await?;
///         Ok::<_, String>(())
///     });
///     group.spawn(async {
///         dashboard.classes = classes(100).await?.len();
///         Ok::<_, String>(())
///     });
///     Ok(())
/// })
/// .await?;
/// assert_eq!((dashboard.health.as_str(), dashboard.classes), ("healthy", 100));
/// # Ok::<_, abreast::TaskGroupError<String>>(())
/// # }).unwrap();
/// ```
///
/// # Spawning
/// [`Group::spawn`] returns a [`TaskHandle`], a future of the task's value. It may be dropped: the task runs on. A task
/// that spawns others takes a clone of the group with it:
///
/// ```
/// use abreast::{Group, task_group};
///
/// fn visit<'env>(group: &Group<'env, String>, depth: u32) {
///     let inner = group.clone();
///     group.spawn(async move {
///         if depth > 0 {
///             visit(&inner, depth - 1);
///             visit(&inner, depth - 1);
///         }
///         Ok(())
///     });
/// }
///
/// # smol::block_on(async {
/// let sum = task_group(async |group| {
///     visit(&group, 4);
///     let a = group.spawn(async { Ok(20) });
///     let b = group.spawn(async { Ok(3) });
///     Ok(a.await + b.await)
/// });
/// assert_eq!(sum.await, Ok(23));
/// # });
/// ```
///
/// What a task borrows must live outside of the group. What is made inside of the body must be moved into the task, or
/// shared by an `Arc`. A task that needs both, such as each of a loop, is an `async move` block, and takes a reference
/// to what is outside:
///
/// ```
/// use abreast::task_group;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// #[tokio::main]
/// async fn main() {
///     let total = AtomicU64::new(0);
///     let sum = &total; // moved into each task
///     task_group(async |group| {
///         for size in [1, 2, 3] {
///             group.spawn(async move {
///                 sum.fetch_add(size, Ordering::Relaxed);
///                 Ok(())
///             });
///         }
///         Ok::<_, std::io::Error>(())
///     })
///     .await
///     .unwrap();
///     assert_eq!(total.into_inner(), 6);
/// }
/// ```
///
/// # Concurrent, not parallel
/// All of a group runs within the task of the executor that awaits it, so on one thread at a time. That is what lets
/// tasks borrow, and it is enough for whatever spends its time waiting. For parallelism, hand the work to threads and
/// await it in the group: `group.spawn(async { Ok(smol::unblock(work).await) })`, `tokio::spawn(task)` or
/// `spawn_blocking(work)`, whose futures must then be `'static`; or give each thread a group of its own.
///
/// # Order
/// Tasks start in the order in which they are spawned, not before the body is polled first.
///
/// # Errors
/// [`TaskGroupError`] with the error of the body or of the task that failed, and with those of all others that had
/// failed by then: those that had been woken are polled once more before they are dropped.
///
/// # Cancel safety
/// Dropping the future drops the body and all tasks at once, those included that were not started yet. When it
/// resolves, they have been dropped already. A task that is spawned when the group has ended is dropped.
///
/// # Panics
/// A panic of the body or of a task passes through to whoever polls this future. Polled again, the group has failed:
/// the rest is dropped, and the error says that there was a panic. If a destructor panics when the group ends, the next
/// poll resolves to the result.
///
/// # Polls and allocations
/// Body and tasks are polled once when they start, and once per wake. Two allocations for each task, at most two more
/// for each that runs at the same time, and a few for the group. All tasks run at once, unless there is a
/// [limit](TaskGroup::concurrency).
///
/// # Without `std`
/// Spawning and awaiting handles takes a lock that spins, for a few instructions. So neither may be done in an
/// interrupt handler that may have interrupted the group itself.
///
/// # Local tasks
/// Tasks must be [`Send`], so that a group can be spawned on an executor with several threads. For tasks that are not,
/// there is [`local_task_group`].
pub fn task_group<'env, F, Fut, T, E>(body: F) -> TaskGroup<Fut, BoxTask<'env, E>, T, E>
where
    F: FnOnce(Group<'env, E>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    TaskGroup::new(|queue| body(Group::new(queue)))
}

/// Runs `body` with a group that it can spawn tasks into that are not [`Send`].
///
/// The same as [`task_group`] otherwise.
///
/// ```
/// use std::cell::Cell;
/// use abreast::local_task_group;
///
/// # smol::block_on(async {
/// let count = Cell::new(0);
/// local_task_group(async |group| {
///     for _ in 0..3 {
///         group.spawn(async { Ok(count.set(count.get() + 1)) });
///     }
///     Ok::<_, ()>(())
/// })
/// .await?;
/// assert_eq!(count.get(), 3);
/// # Ok::<_, abreast::TaskGroupError<()>>(())
/// # }).unwrap();
/// ```
pub fn local_task_group<'env, F, Fut, T, E>(body: F) -> TaskGroup<Fut, LocalBoxTask<'env, E>, T, E>
where
    F: FnOnce(LocalGroup<'env, E>) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    TaskGroup::new(|queue| body(LocalGroup::new(queue)))
}

/// The future of [`task_group`] and [`local_task_group`].
#[must_use = "futures do nothing unless polled"]
pub struct TaskGroup<Fut, Task, T, E> {
    window: Window<GroupFuture<Fut, Task>>,
    scope: Scope<Fut, Task, T, E>,
    /// Whether the result is known, and only has to wait until all has been dropped.
    decided: bool,
    done: bool,
}

/// A group keeps its body and its tasks in boxes, and nothing else in it is ever pinned.
impl<Fut, Task, T, E> Unpin for TaskGroup<Fut, Task, T, E> {}

impl<Fut, Task, T, E> TaskGroup<Fut, Task, T, E> {
    fn new(body: impl FnOnce(Arc<Queue<Task>>) -> Fut) -> Self {
        let queue = Arc::new(Queue::new());
        let body = Box::pin(body(queue.clone()));
        Self {
            window: Window::new(),
            scope: Scope::new(body, queue),
            decided: false,
            done: false,
        }
    }

    /// Limits how many tasks run at any time; all by default. The body is not counted.
    ///
    /// Tasks beyond the limit wait for their turn, so a task that awaits the handle of another may wait for ever if it
    /// has taken the last place.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let group = abreast::task_group(async |group| {
    ///     for n in 0..100 {
    ///         group.spawn(async move { Ok(n) });
    ///     }
    ///     Ok::<_, ()>(())
    /// });
    /// group.concurrency(20).await.unwrap();
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `limit` is 0: no task could ever run.
    #[track_caller]
    pub fn concurrency(mut self, limit: usize) -> Self {
        assert!(
            limit > 0,
            "a concurrency of 0 runs no task: pass at least 1, or usize::MAX to run all tasks at once"
        );
        self.scope.limit = limit;
        self
    }

    /// Polls until the result is known.
    fn poll_decided(&mut self, cx: &mut Context<'_>) -> Poll<()>
    where
        Fut: Future<Output = Result<T, E>>,
        Task: Future<Output = Result<(), E>> + Unpin,
    {
        assert!(!self.done, "`TaskGroup` was polled after it had resolved");
        if !self.decided {
            ready!(self.window.poll(cx, Pin::new(&mut self.scope)));
            // A failure that is known already must not be lost because a poll of the window is bounded.
            if self.scope.has_failed() {
                self.window.poll_woken(Pin::new(&mut self.scope));
            }
            self.decided = true;
        }
        Poll::Ready(())
    }

    /// Drops everything before the result is out. If a destructor panics here, the next poll goes on from this point.
    fn finish(&mut self) {
        self.end();
        self.done = true;
    }

    /// Drops all that runs or waits to run. If a destructor panics, all the rest is dropped nevertheless.
    fn end(&mut self) {
        // From now on, what is spawned is dropped. The guards do their part even if a destructor panics, the last one
        // first.
        let queue = self.scope.queue.clone();
        queue.close();
        let _end = EndGuard(queue.end());
        // Tasks may hold the queue, so it must be emptied for them to go.
        let _arrivals = ArrivalsGuard(&queue);
        self.window.clear();
        self.scope.clear();
    }
}

/// Drops what was spawned and never taken.
struct ArrivalsGuard<'a, Task>(&'a Queue<Task>);

impl<Task> Drop for ArrivalsGuard<'_, Task> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// Says that the group has ended, once all of it has been dropped.
struct EndGuard<'a>(&'a End);

impl Drop for EndGuard<'_> {
    fn drop(&mut self) {
        self.0.arrive();
    }
}

impl<Fut, Task, T, E> Future for TaskGroup<Fut, Task, T, E>
where
    Fut: Future<Output = Result<T, E>>,
    Task: Future<Output = Result<(), E>> + Unpin,
{
    type Output = Result<T, TaskGroupError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.poll_decided(cx));
        self.finish();
        Poll::Ready(self.scope.take_result())
    }
}

impl<Fut, Task, T, E> Drop for TaskGroup<Fut, Task, T, E> {
    fn drop(&mut self) {
        if !self.done {
            self.end();
        }
    }
}

impl_fused!(FusedFuture for TaskGroup<Fut, Task, T, E> |self| self.done);
impl_debug!(TaskGroup<Fut, Task, T, E> |self| { window: self.window, queue: self.scope.queue });
