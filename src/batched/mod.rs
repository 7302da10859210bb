//! A batch at a time.

mod source;
mod stop;

use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use futures::stream::Stream;
use pin_project_lite::pin_project;

use crate::outcome::{ParallelResult, TaskError, TaskOutput};
use crate::run::sink::Outcomes;
use crate::run::{Concurrency, Observer, Run};
use crate::time::Timer;

pub use source::{ChunkedItems, MappedSource, Paused};
use source::{PausedSource, TaskSource};

/// Runs `handler` on each item, a batch at a time: the next batch starts when all of the last one has ended.
///
/// For services that count requests per burst. Where that does not matter, the rolling window of
/// [`parallel()`](crate::parallel()) is faster, as it does not wait for the slowest of each batch. A handler that takes
/// a whole batch at once is for [`batched_chunks`].
///
/// ```
/// use abreast::batched;
///
/// # smol::block_on(async {
/// async fn measure(url: &str) -> Result<usize, std::io::Error> {
///     // ...
/// #    Ok(url.len())
/// }
///
/// let urls = ["/", "/about", "/news"];
/// let sizes = batched(urls, measure)
///     .batch_size(2)
///     .on_progress(|progress| println!("{progress}"))
///     .await
///     .unwrap();
/// assert_eq!(sizes, [1, 6, 5]);
/// # });
/// ```
///
/// # Order
/// Items are pulled, and the handler called on them, in input order, when their batch starts. The values are in input
/// order.
///
/// # Errors
/// [`TaskError::Failed`] with the first error, and the index of its item. It drops what else runs in the batch, and no
/// further batch starts.
///
/// # Cancel safety
/// Dropping the future drops all running tasks at once.
///
/// # Panics
/// A panic of a task, the handler, a hook or the iterator passes through. Polled again, the rest is run. If a task has
/// panicked, the run ends with [`TaskError::Cancelled`] unless another one fails. An item on which the handler itself
/// has panicked is left out, as if it had not been there: those behind it move up.
///
/// # Polls and allocations
/// Each task is polled once when it starts, and once per wake. Twice the batch size and a few more for the list of
/// values, however many items there are.
pub fn batched<I, F, Fut, T, E>(
    items: I,
    handler: F,
) -> Batched<MappedSource<I::IntoIter, F>, Fut, T, E>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    let batch_size = 10;
    let tasks = MappedSource::new(items.into_iter(), handler, batch_size);
    let mut run = Run::new(tasks, Concurrency::Batches(batch_size));
    run.set_fail_fast(true);
    Batched { run }
}

/// Runs `handler` on chunks of `size` items, one chunk at a time, for what takes many items at once: a transaction, a
/// bulk request.
///
/// The same as [`batched()`] otherwise, with a chunk in the place of an item: values, errors and progress count chunks.
/// The last chunk may be shorter; none is empty. To have several chunks in flight, set a
/// [`batch_size`](Batched::batch_size), which is 1 here by default.
///
/// ```
/// use abreast::batched_chunks;
///
/// # smol::block_on(async {
/// async fn insert(rows: Vec<u32>) -> Result<usize, std::io::Error> {
///     // begin, insert each, commit ...
/// #    Ok(rows.len())
/// }
///
/// let inserted = batched_chunks(1..=250, 100, insert).await.unwrap();
/// assert_eq!(inserted, [100, 100, 50]);
/// # });
/// ```
///
/// # Panics
/// If `size` is 0: no chunk could have an item. Beyond that, as with [`batched()`].
#[track_caller]
pub fn batched_chunks<I, F, Fut, T, E>(
    items: I,
    size: usize,
    handler: F,
) -> Batched<MappedSource<ChunkedItems<I::IntoIter>, F>, Fut, T, E>
where
    I: IntoIterator,
    F: FnMut(Vec<I::Item>) -> Fut,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    assert!(
        size > 0,
        "a chunk size of 0 takes no items: pass at least 1, or usize::MAX for one chunk of all"
    );
    batched(ChunkedItems::new(items.into_iter(), size), handler).batch_size(1)
}

pin_project! {
    /// The future of [`batched()`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Batched<S, Fut, T, E, O = ()> {
        #[pin]
        run: Run<S, Fut, Outcomes<T, E>, O>,
    }
}

impl<I, F, P, Fut, T, E, O> Batched<MappedSource<I, F, P>, Fut, T, E, O> {
    /// Sets how many tasks a batch has; 10 by default.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let mut progress = Vec::new();
    /// let values = abreast::batched(1..=5, |n| async move { Ok::<_, ()>(n * n) })
    ///     .batch_size(2)
    ///     .on_progress(|after_batch| progress.push(after_batch.completed))
    ///     .await;
    /// assert_eq!(values.unwrap(), [1, 4, 9, 16, 25]);
    /// assert_eq!(progress, [2, 4, 5]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `size` is 0: nothing could ever run.
    #[track_caller]
    pub fn batch_size(mut self, size: usize) -> Self {
        assert!(
            size > 0,
            "a batch size of 0 runs nothing: pass at least 1, or usize::MAX for one batch of all"
        );
        self.run.set_limit(Concurrency::Batches(size));
        self.run.source_mut().batch_size = size;
        self
    }
}

impl<I: Iterator, F, Fut, T, E, O> Batched<MappedSource<I, F>, Fut, T, E, O> {
    /// Waits for `delay` between two batches, for services that limit the rate of requests.
    ///
    /// The pause begins when all of a batch has ended. There is none after the last batch: the next item is pulled
    /// before the pause, and the handler is called on it afterwards.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main]
    /// # async fn main() {
    /// # let items = [1, 2, 3];
    /// let values = abreast::batched(items, |n| async move { Ok::<_, ()>(n) })
    ///     .batch_size(2)
    ///     .pause(Duration::from_millis(1), tokio::time::sleep)
    ///     .await;
    /// # assert_eq!(values.unwrap(), [1, 2, 3]);
    /// # }
    /// ```
    ///
    /// # Polls and allocations
    /// The timer is asked for once per pause, and polled once per wake of its own. No allocations.
    pub fn pause<M>(self, delay: Duration, timer: M) -> Batched<PausedSource<I, F, M>, Fut, T, E, O>
    where
        M: Timer,
    {
        let pause = Paused::new(delay, timer);
        Batched {
            run: self.run.map_source(|tasks| tasks.pause(pause)),
        }
    }
}

impl<S, Fut, T, E, O> Batched<S, Fut, T, E, O> {
    /// Keeps errors from ending the run: every item is handled, and the result has one outcome for each.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let result = abreast::batched([3, 0, 2], |n| async move { 6_i32.checked_div(n).ok_or("divided by zero") })
    ///     .batch_size(2)
    ///     .settle()
    ///     .await;
    /// assert_eq!(result.errors().collect::<Vec<_>>(), [None, Some(&"divided by zero"), None]);
    /// # });
    /// ```
    pub fn settle(self) -> BatchedSettle<S, Fut, T, E, O> {
        let mut run = self.run;
        run.set_fail_fast(false);
        BatchedSettle { run }
    }
}

impl_hooks!(
    Batched<S, Fut>,
    "a batch",
    "abreast::batched([1, 2, 3], |n| async move { Ok::<_, String>(n) })"
);

pin_project! {
    /// The future of [`Batched::settle`].
    #[must_use = "futures do nothing unless polled"]
    pub struct BatchedSettle<S, Fut, T, E, O = ()> {
        #[pin]
        run: Run<S, Fut, Outcomes<T, E>, O>,
    }
}

impl_hooks!(
    BatchedSettle<S, Fut>,
    "a batch",
    "abreast::batched([1, 2, 3], |n| async move { Ok::<_, String>(n) })\n    .settle()"
);

impl<S, Fut, T, E, O> Future for Batched<S, Fut, T, E, O>
where
    S: Stream<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    type Output = Result<Vec<T>, TaskError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll_values(cx)
    }
}

impl<S, Fut, T, E, O> Future for BatchedSettle<S, Fut, T, E, O>
where
    S: TaskSource<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    type Output = ParallelResult<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut run = self.project().run;
        let result = ready!(run.as_mut().poll(cx));
        Poll::Ready(result.measured_as(run.source().elapsed()))
    }
}

impl_fused!(FusedFuture for Batched<S, Fut, T, E, O> |self| self.run.is_done());

impl_fused!(FusedFuture for BatchedSettle<S, Fut, T, E, O> |self| self.run.is_done());
impl_debug! { Batched<S, Fut, T, E, O> { run } }

impl_debug! { BatchedSettle<S, Fut, T, E, O> { run } }
