//! A rolling window over the tasks of an iterator or a stream.

mod for_each;
mod gates;
mod map;
mod outputs;
mod stop;
mod values;

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures::stream::{self, Stream};
use pin_project_lite::pin_project;

use crate::outcome::{ParallelResult, TaskOutput};
use crate::run::sink::{AsFinished, Buffer, InOrder, Outcomes};
use crate::run::{Concurrency, IndexedSource, Observer, Run};

pub use for_each::{ForEach, TryForEach};
pub use map::{Both, Cost, Keyed, MapSource, Weigh, parallel_map, parallel_map_stream};
pub use outputs::ParallelStream;
pub use values::Values;

/// Runs tasks side by side, at most [`concurrency`](Parallel::concurrency) at a time.
///
/// Tasks are pulled from the iterator as slots become free, so it may be lazy, and may be endless when its results are
/// taken [as a stream](Parallel::into_stream). A failing task leaves the others alone, unless
/// [`fail_fast`](Parallel::fail_fast) is set.
///
/// ```
/// use abreast::parallel;
///
/// async fn fetch(page: u32) -> Result<String, std::io::Error> {
///     // ...
/// #    Ok(format!("page {page}"))
/// }
///
/// #[tokio::main]
/// async fn main() {
///     let result = parallel((1..=100).map(fetch))
///         .concurrency(20)
///         .on_progress(|progress| println!("{progress}"))
///         .await;
///
///     println!("{} fetched, {} failed", result.success_count(), result.failure_count());
/// #    assert_eq!(result.successful_results().nth(99).unwrap(), "page 100");
/// }
/// ```
///
/// Tasks of different types go into a list in boxes, each `boxed()` by
/// [`FutureExt`](https://docs.rs/futures/latest/futures/future/trait.FutureExt.html#method.boxed):
///
/// ```
/// use abreast::parallel;
/// use futures::FutureExt;
///
/// # smol::block_on(async {
/// async fn user(id: u32) -> Result<u32, String> {
///     // ...
/// #    Ok(id)
/// }
///
/// let tasks = [user(7).boxed(), async { Ok(2) }.boxed()];
/// assert_eq!(parallel(tasks).await.into_values()?, [7, 2]);
/// # Ok::<_, String>(())
/// # }).unwrap();
/// ```
///
/// # Order
/// Tasks start in input order. The result is in input order, whatever the order in which they end.
///
/// # Cancel safety
/// Dropping the future drops all running tasks at once. No further task is pulled.
///
/// # Panics
/// A panic of a task, a hook or the iterator passes through to whoever polls this future. Nothing else is lost: polled
/// again, it carries on, and the task that panicked is [`Cancelled`](crate::Outcome::Cancelled).
///
/// # Polls and allocations
/// Each task is polled once when it starts, and once per wake. A window of *K* slots makes at most 2*K* allocations
/// (one for each waker, and one for eight slots or, if tasks are large, for each) and a few more for the list of
/// results, however many tasks there are. It yields to the executor after 128 polls of tasks, first polls and those of
/// windows within its tasks included; without `std`, each window counts its own. The waker of the first poll is kept
/// until the tasks have dropped theirs.
pub fn parallel<I, Fut, T, E>(tasks: I) -> Parallel<stream::Iter<I::IntoIter>, Fut, T, E>
where
    I: IntoIterator<Item = Fut>,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    parallel_stream(stream::iter(tasks))
}

/// Runs the tasks that a [`Stream`] yields side by side, at most [`concurrency`](Parallel::concurrency) at a time.
///
/// The same as [`parallel()`] otherwise. The stream is polled only when a slot is free, which puts back-pressure on
/// whatever feeds it; while it is pending, the running tasks go on. It has a waker of its own, so the wake of a task
/// does not poll it, nor the other way round.
///
/// ```
/// use abreast::parallel_stream;
/// use futures::StreamExt;
///
/// # smol::block_on(async {
/// let (pages, queue) = async_channel::bounded(10);
/// let produce = async move {
///     for page in 1..=100 {
///         pages.send(page).await.expect("the queue is open");
///     }
/// };
/// let consume = parallel_stream(queue.map(|page| async move { Ok::<_, ()>(page * 2) }));
///
/// let ((), result) = futures::join!(produce, consume);
/// assert_eq!(result.success_count(), 100);
/// # });
/// ```
pub fn parallel_stream<S, Fut, T, E>(tasks: S) -> Parallel<S, Fut, T, E>
where
    S: Stream<Item = Fut>,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    let options = ParallelOptions::new();
    let limit = Concurrency::Rolling(options.concurrency);
    Parallel {
        run: Run::new(tasks, limit),
    }
    .options(options)
}

/// The settings of [`parallel()`] as a value, to be kept and used again.
///
/// ```
/// use abreast::{ParallelOptions, parallel};
///
/// const POLITE: ParallelOptions = ParallelOptions::new().concurrency(2).fail_fast(true);
///
/// # smol::block_on(async {
/// let result = parallel([async { Ok::<_, ()>(1) }]).options(POLITE).await;
/// # assert!(result.all_succeeded());
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ParallelOptions {
    /// The limit to the tasks that run at the same time. At least 1; 5 by default.
    pub concurrency: usize,
    /// Whether the first failure drops the running tasks and ends the run; false by default.
    pub fail_fast: bool,
}

impl ParallelOptions {
    /// Creates the default settings: five tasks at a time, and failures leave the others alone.
    ///
    /// ```
    /// # use abreast::ParallelOptions;
    /// let options = ParallelOptions::new();
    /// assert_eq!((options.concurrency, options.fail_fast), (5, false));
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            concurrency: 5,
            fail_fast: false,
        }
    }

    /// Limits the tasks that run at the same time: see [`Parallel::concurrency`].
    ///
    /// ```
    /// use abreast::ParallelOptions;
    ///
    /// const POLITE: ParallelOptions = ParallelOptions::new().concurrency(3);
    /// assert_eq!(POLITE.concurrency, 3);
    /// ```
    ///
    /// # Panics
    /// If `limit` is 0: nothing could ever run.
    #[track_caller]
    #[must_use]
    pub const fn concurrency(mut self, limit: usize) -> Self {
        assert_some(limit);
        self.concurrency = limit;
        self
    }

    /// Sets whether the first failure ends the run: see [`Parallel::fail_fast`].
    ///
    /// ```
    /// use abreast::ParallelOptions;
    ///
    /// const STRICT: ParallelOptions = ParallelOptions::new().fail_fast(true);
    /// assert!(STRICT.fail_fast);
    /// ```
    #[must_use]
    pub const fn fail_fast(mut self, fail_fast: bool) -> Self {
        self.fail_fast = fail_fast;
        self
    }
}

impl Default for ParallelOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Refuses a limit that would run nothing.
#[track_caller]
const fn assert_some(limit: usize) {
    assert!(
        limit > 0,
        "a concurrency of 0 runs nothing: pass at least 1, or usize::MAX to run all tasks at once"
    );
}

pin_project! {
    /// The future of [`parallel()`] and [`parallel_stream`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Parallel<S, Fut, T, E, O = ()> {
        #[pin]
        run: Run<S, Fut, Outcomes<T, E>, O>,
    }
}

impl<S, Fut, T, E, O> Parallel<S, Fut, T, E, O> {
    /// Limits the tasks that run at the same time; 5 by default.
    ///
    /// With `usize::MAX`, all tasks run at once.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = (0..100).map(|n| async move { Ok::<_, ()>(n) });
    /// let result = abreast::parallel(tasks).concurrency(20).await;
    /// assert_eq!(result.success_count(), 100);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `limit` is 0: nothing could ever run.
    #[track_caller]
    pub fn concurrency(mut self, limit: usize) -> Self {
        assert_some(limit);
        self.run.set_limit(Concurrency::Rolling(limit));
        self
    }

    /// Sets whether the first failure ends the run; by default it does not.
    ///
    /// Running tasks are then dropped before the future resolves. They, and those that were never started, are
    /// [`Cancelled`](crate::Outcome::Cancelled) in the result, whose length is that of the input if its size hint is
    /// exact, and otherwise the number of tasks pulled so far.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no"), Ok(3)].map(|result| async move { result });
    /// let result = abreast::parallel(tasks).concurrency(1).fail_fast(true).await;
    /// assert!(result[0].is_succeeded() && result[1].is_failed() && result[2].is_cancelled());
    /// # });
    /// ```
    pub fn fail_fast(mut self, fail_fast: bool) -> Self {
        self.run.set_fail_fast(fail_fast);
        self
    }

    /// Takes all settings from `options`.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let options = abreast::ParallelOptions::new().concurrency(1).fail_fast(true);
    /// let tasks = [Err("no"), Ok(1)].map(|result| async move { result });
    /// let result = abreast::parallel(tasks).options(options).await;
    /// assert_eq!(result.cancelled_count(), 1);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If [`concurrency`](ParallelOptions::concurrency) is 0: nothing could ever run.
    #[track_caller]
    pub fn options(self, options: ParallelOptions) -> Self {
        self.concurrency(options.concurrency)
            .fail_fast(options.fail_fast)
    }

    /// Turns into a stream of `(index, result)` pairs, in the order in which tasks end.
    ///
    /// At most [`concurrency`](Self::concurrency) tasks are running or waiting to be handed over. Memory does not grow
    /// with the number of tasks, so the source may be endless. Hooks are called when a task ends, which may be before
    /// its result is handed over. With [`fail_fast`](Self::fail_fast), the stream ends after what was ready when a task
    /// failed.
    ///
    /// ```
    /// use futures::StreamExt;
    ///
    /// # smol::block_on(async {
    /// let squares = (0_u64..).map(|n| async move { Ok::<_, ()>(n * n) });
    /// let mut squares = abreast::parallel(squares).concurrency(3).into_stream();
    /// while let Some((index, square)) = squares.next().await {
    ///     if square > Ok(1000) {
    ///         assert_eq!(index, 32);
    ///         break;
    ///     }
    /// }
    /// # });
    /// ```
    ///
    /// It is `Unpin` if the source of the tasks is, and nearly all iterators are; a stream that is not has to be
    /// pinned, as by [`pin!`](core::pin::pin).
    ///
    /// # Cancel safety
    /// Dropping a pending `next()` loses nothing. Dropping the stream drops all running tasks, and results that were
    /// not handed over.
    pub fn into_stream(self) -> ParallelStream<S, Fut, AsFinished<T, E>, O> {
        self.into_stream_with(AsFinished::new())
    }

    /// Turns into a stream of `(index, result)` pairs, in input order.
    ///
    /// The same as [`into_stream`](Self::into_stream) otherwise. A slow task holds up those behind it: at most
    /// [`concurrency`](Self::concurrency) tasks are started and not handed over. For `try_collect` and the like, the
    /// stream of its [`values`](ParallelStream::values) leaves the indices out.
    ///
    /// ```
    /// use futures::StreamExt;
    ///
    /// # smol::block_on(async {
    /// let tasks = ["a", "b", "c"].map(|name| async move { Ok::<_, ()>(name) });
    /// let stream = abreast::parallel(tasks).into_ordered_stream();
    /// assert_eq!(stream.collect::<Vec<_>>().await, [(0, Ok("a")), (1, Ok("b")), (2, Ok("c"))]);
    /// # });
    /// ```
    pub fn into_ordered_stream(self) -> ParallelStream<S, Fut, InOrder<T, E>, O> {
        self.into_stream_with(InOrder::new())
    }

    fn into_stream_with<K>(self, sink: K) -> ParallelStream<S, Fut, K, O> {
        ParallelStream {
            run: self.run.with_sink(sink),
        }
    }
}

impl_hooks!(Parallel<S, Fut>, "a task", "abreast::parallel(tasks)");

impl<S, Fut, T, E, O> Future for Parallel<S, Fut, T, E, O>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    type Output = ParallelResult<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx)
    }
}

impl_fused!(FusedFuture for Parallel<S, Fut, T, E, O> |self| self.run.is_done());
impl_debug! { Parallel<S, Fut, T, E, O> { run } }
