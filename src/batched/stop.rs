//! Batches that end at a signal, and keep what is done.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::source::TaskSource;
use super::{Batched, BatchedSettle};
use crate::outcome::{EndReason, ParallelResult};
use crate::run::{Deadline, Observer, StopOn, Stoppable};
use crate::time::Timer;

impl<S, Fut, T, E, O> Batched<S, Fut, T, E, O> {
    /// Ends the run when `signal` is ready, and keeps what is done by then: see
    /// [`Parallel::stop_on`](crate::Parallel::stop_on).
    ///
    /// It resolves to a [`ParallelResult`], which has a place for each item and says
    /// [why](ParallelResult::end_reason) the run ended. An error still ends it, unless it is
    /// [settled](Self::settle).
    ///
    /// ```
    /// use abreast::{EndReason, batched_chunks};
    ///
    /// # smol::block_on(async {
    /// // Closed when the program is to shut down.
    /// let (shut_down, closing) = async_channel::bounded::<()>(1);
    /// # let mut shut_down = Some(shut_down);
    ///
    /// async fn insert(rows: Vec<u32>) -> Result<usize, std::io::Error> {
    ///     // begin, insert each, commit ...
    /// #    if rows[0] > 200 { std::future::pending::<()>().await }
    /// #    Ok(rows.len())
    /// }
    ///
    /// let result = batched_chunks(1..=1000, 100, insert)
    /// #   .on_complete(|_, chunk| if chunk == 1 { shut_down = None })
    ///     .stop_on(closing.recv())
    ///     .await;
    /// assert_eq!(result.end_reason(), EndReason::Stopped);
    /// assert_eq!(result.into_successful_results(), [100, 100]); // committed
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
    /// use abreast::{EndReason, batched};
    ///
    /// # smol::block_on(async {
    /// let result = batched(0..3, |n| async move {
    ///     smol::Timer::after(Duration::from_secs(60 * n)).await;
    ///     Ok::<_, ()>(n)
    /// })
    /// .deadline(Duration::from_millis(5), smol::Timer::after)
    /// .await;
    /// assert_eq!(result.end_reason(), EndReason::DeadlineElapsed);
    /// assert_eq!((result.success_count(), result.cancelled_count()), (1, 2));
    /// # });
    /// ```
    pub fn deadline<M: Timer>(self, duration: Duration, timer: M) -> StopOn<Self, Deadline<M>> {
        StopOn::after(self, duration, timer)
    }
}

impl<S, Fut, T, E, O> Stoppable for Batched<S, Fut, T, E, O>
where
    S: TaskSource<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    type Output = ParallelResult<T, E>;

    fn poll_run(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut run = self.project().run;
        let result = ready!(run.as_mut().poll(cx));
        Poll::Ready(result.measured_as(run.source().elapsed()))
    }

    fn stop(self: Pin<&mut Self>, reason: EndReason) {
        self.project().run.stop(reason);
    }
}

impl<S, Fut, T, E, O> BatchedSettle<S, Fut, T, E, O> {
    /// Ends the run when `signal` is ready, and keeps what is done by then: see
    /// [`Parallel::stop_on`](crate::Parallel::stop_on).
    ///
    /// ```
    /// use abreast::{EndReason, batched};
    /// use futures::channel::oneshot;
    ///
    /// # smol::block_on(async {
    /// let (stop, stopped) = oneshot::channel::<()>();
    /// let mut stop = Some(stop);
    /// let result = batched(0..10, |n| async move {
    ///     // ...
    /// #    if n >= 4 { std::future::pending::<()>().await }
    ///     Ok::<_, ()>(n)
    /// })
    /// .batch_size(4)
    /// .on_progress(|_| stop = None)
    /// .settle()
    /// .stop_on(stopped)
    /// .await;
    /// assert_eq!(result.end_reason(), EndReason::Stopped);
    /// assert_eq!(result.into_successful_results(), [0, 1, 2, 3]);
    /// # });
    /// ```
    pub fn stop_on<F: Future>(self, signal: F) -> StopOn<Self, F> {
        StopOn::new(self, signal, EndReason::Stopped)
    }

    /// Ends the run when `duration` has passed since its first poll, and keeps what is done by then: see
    /// [`Parallel::deadline`](crate::Parallel::deadline).
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::{EndReason, batched};
    ///
    /// # smol::block_on(async {
    /// let result = batched(0..3, |n| async move {
    ///     smol::Timer::after(Duration::from_secs(60 * n)).await;
    ///     Ok::<_, ()>(n)
    /// })
    /// .settle()
    /// .deadline(Duration::from_millis(5), smol::Timer::after)
    /// .await;
    /// assert_eq!(result.end_reason(), EndReason::DeadlineElapsed);
    /// assert_eq!(result.into_successful_results(), [0]);
    /// # });
    /// ```
    pub fn deadline<M: Timer>(self, duration: Duration, timer: M) -> StopOn<Self, Deadline<M>> {
        StopOn::after(self, duration, timer)
    }
}

impl<S, Fut, T, E, O> Stoppable for BatchedSettle<S, Fut, T, E, O>
where
    S: TaskSource<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    type Output = ParallelResult<T, E>;

    fn poll_run(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll(cx)
    }

    fn stop(self: Pin<&mut Self>, reason: EndReason) {
        self.project().run.stop(reason);
    }
}
