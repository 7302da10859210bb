//! Runs that end at a signal, and keep what is done.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use super::Parallel;
use crate::outcome::{EndReason, ParallelResult};
use crate::run::{Deadline, IndexedSource, Observer, StopOn, Stoppable};
use crate::time::Timer;

impl<S, Fut, T, E, O> Parallel<S, Fut, T, E, O> {
    /// Ends the run when `signal` is ready, and keeps what is done by then.
    ///
    /// The rest is dropped at once, and is [`Cancelled`](crate::Outcome::Cancelled) in the result, as after a failure
    /// that [ends](Self::fail_fast) the run. The result says [why](ParallelResult::end_reason) it ended. All other
    /// settings come before this one.
    ///
    /// ```
    /// use abreast::{EndReason, parallel};
    /// # async fn fetch(page: u32) -> Result<u32, std::io::Error> {
    /// #     if page < 3 { Ok(page) } else { std::future::pending().await }
    /// # }
    ///
    /// # smol::block_on(async {
    /// // Closed when the program is to shut down.
    /// let (shut_down, closing) = async_channel::bounded::<()>(1);
    /// # let mut shut_down = Some(shut_down);
    ///
    /// let result = parallel((0..100).map(fetch))
    ///     .concurrency(10)
    /// #   .on_complete(|_, page| if page == 2 { shut_down = None })
    ///     .stop_on(closing.recv())
    ///     .await;
    /// println!("{}: {} of {} pages are there", result.end_reason(), result.success_count(), result.len());
    /// # assert_eq!(result.end_reason(), EndReason::Stopped);
    /// # assert_eq!((result.success_count(), result.cancelled_count(), result.len()), (3, 97, 100));
    /// # });
    /// ```
    ///
    /// # Order
    /// The signal is polled before the tasks. When it is ready, each task that has been woken by then is polled once
    /// more, so what was ready is not lost; none is started. If that was the last of all tasks, the run is
    /// [`Completed`](crate::EndReason::Completed). A signal that is ready at the first poll starts nothing.
    ///
    /// # Cancel safety
    /// Dropping the future drops the signal and all running tasks at once. When it resolves, the tasks have been
    /// dropped already, and permits of a [`limit`](Self::limit) have been given back.
    ///
    /// # Panics
    /// A panic of the signal passes through. Polled again, the run goes on without it.
    ///
    /// # Polls and allocations
    /// The signal is polled once each time that this future is. No allocations.
    pub fn stop_on<F: Future>(self, signal: F) -> StopOn<Self, F> {
        StopOn::new(self, signal, EndReason::Stopped)
    }

    /// Ends the run when `duration` has passed since its first poll, and keeps what is done by then.
    ///
    /// The same as [`stop_on`](Self::stop_on) otherwise, with a timer as the signal. A [`timeout`](crate::timeout())
    /// around the run would drop what is done, and one around each task limits that task.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use std::time::Duration;
    /// use abreast::{EndReason, parallel, time::VirtualClock};
    ///
    /// // Or `tokio::time::sleep`, `smol::Timer::after` ...
    /// let clock = VirtualClock::new();
    /// let timer = clock.timer();
    /// let tasks = (1..=10).map(|n| {
    ///     let work = abreast::Timer::sleep(&timer, Duration::from_secs(n));
    ///     async move {
    ///         work.await;
    ///         Ok::<_, ()>(n)
    ///     }
    /// });
    /// let run = parallel(tasks).concurrency(10).deadline(Duration::from_millis(3500), clock.timer());
    /// let result = clock.run(run);
    ///
    /// assert_eq!(result.end_reason(), EndReason::DeadlineElapsed);
    /// assert_eq!(result.into_successful_results(), [1, 2, 3]);
    /// # }
    /// ```
    ///
    /// # Polls and allocations
    /// The timer is asked for once, at the first poll, and polled once each time that this future is. No allocations.
    pub fn deadline<M: Timer>(self, duration: Duration, timer: M) -> StopOn<Self, Deadline<M>> {
        StopOn::after(self, duration, timer)
    }
}

impl<S, Fut, T, E, O> Stoppable for Parallel<S, Fut, T, E, O>
where
    S: IndexedSource<Item = Fut>,
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
