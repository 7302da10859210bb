//! One at a time, in order.

use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use futures::stream;
use pin_project_lite::pin_project;

use crate::outcome::{EndReason, ParallelResult, TaskError, TaskOutput};
use crate::run::sink::Outcomes;
use crate::run::{Concurrency, Deadline, Observer, Run, StopOn, Stoppable};
use crate::time::Timer;

/// Runs tasks one at a time, in order, and stops at the first error.
///
/// The same as [`parallel()`](crate::parallel()) with a concurrency of 1 and fail-fast, but for what it resolves to.
///
/// ```
/// use abreast::sequential;
///
/// # smol::block_on(async {
/// let mut steps = Vec::new();
/// let migrate = ["create", "fill", "index"].map(|step| async move { Ok::<_, ()>(step) });
/// for step in sequential(migrate).await.unwrap() {
///     steps.push(step);
/// }
/// assert_eq!(steps, ["create", "fill", "index"]);
/// # });
/// ```
///
/// # Order
/// A task is pulled from the iterator when the one before it has ended and been dropped. After an error no further task
/// is pulled.
///
/// # Errors
/// [`TaskError::Failed`] with the first error and its index.
///
/// # Cancel safety
/// Dropping the future drops the running task at once.
///
/// # Panics
/// A panic of a task or the iterator passes through. Polled again, the next task is run. If a task has panicked, the
/// run ends with [`TaskError::Cancelled`] unless another one fails.
///
/// # Polls and allocations
/// Each task is polled once when it starts, and once per wake. Four allocations, and a few more for the list of values,
/// however many tasks there are.
pub fn sequential<I, Fut, T, E>(tasks: I) -> Sequential<I::IntoIter, Fut, T, E>
where
    I: IntoIterator<Item = Fut>,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    let mut run = Run::new(stream::iter(tasks), Concurrency::Rolling(1));
    run.set_fail_fast(true);
    Sequential { run }
}

pin_project! {
    /// The future of [`sequential()`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Sequential<I, Fut, T, E, O = ()> {
        #[pin]
        run: Run<stream::Iter<I>, Fut, Outcomes<T, E>, O>,
    }
}

impl_hooks!(Sequential<I, Fut>, "a task", "abreast::sequential(tasks)");

impl<I, Fut, T, E, O> Sequential<I, Fut, T, E, O> {
    /// Ends the run when `signal` is ready, and keeps what is done by then: see
    /// [`Parallel::stop_on`](crate::Parallel::stop_on).
    ///
    /// It resolves to a [`ParallelResult`], which has a place for each task and says
    /// [why](ParallelResult::end_reason) the run ended. An error still ends it.
    ///
    /// ```
    /// use abreast::{EndReason, sequential};
    ///
    /// # smol::block_on(async {
    /// // Closed when the program is to shut down.
    /// let (shut_down, closing) = async_channel::bounded::<()>(1);
    /// # let mut shut_down = Some(shut_down);
    ///
    /// let steps = ["create", "fill", "index"].map(|step| async move {
    ///     // ...
    /// #   if step == "index" { std::future::pending::<()>().await }
    ///     Ok::<_, String>(step)
    /// });
    /// let result = sequential(steps)
    /// #   .on_complete(|_, step| if step == 1 { shut_down = None })
    ///     .stop_on(closing.recv())
    ///     .await;
    /// assert_eq!(result.end_reason(), EndReason::Stopped);
    /// assert_eq!(result.into_successful_results(), ["create", "fill"]);
    /// # });
    /// ```
    pub fn stop_on<F: Future>(self, signal: F) -> StopOn<Self, F> {
        StopOn::new(self, signal, EndReason::Stopped)
    }

    /// Ends the run when `duration` has passed since its first poll, and keeps what is done by then: see
    /// [`stop_on`](Self::stop_on).
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::{EndReason, sequential};
    ///
    /// # smol::block_on(async {
    /// let tasks = [0, 60, 0].map(|minutes| async move {
    ///     smol::Timer::after(Duration::from_secs(60 * minutes)).await;
    ///     Ok::<_, String>(minutes)
    /// });
    /// let result = sequential(tasks).deadline(Duration::from_millis(5), smol::Timer::after).await;
    /// assert_eq!(result.end_reason(), EndReason::DeadlineElapsed);
    /// assert_eq!((result.success_count(), result.cancelled_count()), (1, 2));
    /// # });
    /// ```
    pub fn deadline<M: Timer>(self, duration: Duration, timer: M) -> StopOn<Self, Deadline<M>> {
        StopOn::after(self, duration, timer)
    }
}

impl<I, Fut, T, E, O> Stoppable for Sequential<I, Fut, T, E, O>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    type Output = ParallelResult<T, E>;

    fn poll_run(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx)
    }

    fn stop(self: Pin<&mut Self>, reason: EndReason) {
        self.project().run.stop(reason);
    }
}

impl<I, Fut, T, E, O> Future for Sequential<I, Fut, T, E, O>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    type Output = Result<Vec<T>, TaskError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll_values(cx)
    }
}

impl_fused!(FusedFuture for Sequential<I, Fut, T, E, O> |self| self.run.is_done());
impl_debug! { Sequential<I, Fut, T, E, O> { run } }
