//! Groups that end at a signal, and keep what is done.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::{TaskGroup, TaskGroupResult};
use crate::outcome::EndReason;
use crate::run::{Deadline, StopOn, Stoppable};
use crate::time::Timer;

impl<Fut, Task, T, E> TaskGroup<Fut, Task, T, E> {
    /// Ends the group when `signal` is ready, and keeps what is done by then.
    ///
    /// The body and the tasks that still run are dropped at once. The limit is set before.
    ///
    /// ```
    /// use abreast::{EndReason, task_group};
    /// use futures::channel::oneshot;
    /// use std::future::pending;
    ///
    /// # smol::block_on(async {
    /// let (stop, stopped) = oneshot::channel();
    /// let mut log = Vec::new();
    /// let group = task_group(async |group| {
    ///     group.spawn(async { pending::<Result<(), String>>().await });
    ///     group.spawn(async {
    ///         log.push("saved");
    ///         let _ = stop.send(());
    ///         Ok(())
    ///     });
    ///     Ok("body")
    /// });
    /// let result = group.stop_on(stopped).await;
    ///
    /// assert_eq!(result.end_reason, EndReason::Stopped);
    /// assert_eq!((result.value, result.cancelled_count), (Some("body"), 1));
    /// assert_eq!(log, ["saved"]);
    /// # });
    /// ```
    ///
    /// # Order
    /// The signal is polled before the body and the tasks. When it is ready, what has been woken by then is polled once
    /// more, so that what was ready is not lost; none is started. If nothing is left then, the group is
    /// [`Completed`](EndReason::Completed), and if something has failed, [`Failed`](EndReason::Failed).
    ///
    /// # Cancel safety
    /// Dropping the future drops the signal, the body and all tasks at once. When it resolves, body and tasks have been
    /// dropped.
    ///
    /// # Panics
    /// A panic of the signal passes through. Polled again, the group goes on without it.
    ///
    /// # Polls and allocations
    /// The signal is polled once each time that this future is. No allocations.
    pub fn stop_on<F: Future>(self, signal: F) -> StopOn<Self, F> {
        StopOn::new(self, signal, EndReason::Stopped)
    }

    /// Ends the group when `duration` has passed since its first poll, and keeps what is done by then: see
    /// [`stop_on`](Self::stop_on).
    ///
    /// ```
    /// use abreast::{EndReason, task_group};
    /// use std::{future::pending, time::Duration};
    ///
    /// # smol::block_on(async {
    /// let group = task_group(async |group| {
    ///     let first = group.spawn(async { Ok(1) });
    ///     group.spawn(async { pending::<Result<(), String>>().await });
    ///     Ok(first.await)
    /// });
    /// let result = group.deadline(Duration::from_millis(5), smol::Timer::after).await;
    /// assert_eq!(result.end_reason, EndReason::DeadlineElapsed);
    /// assert_eq!((result.value, result.error), (Some(1), None));
    /// # });
    /// ```
    pub fn deadline<M: Timer>(self, duration: Duration, timer: M) -> StopOn<Self, Deadline<M>> {
        StopOn::after(self, duration, timer)
    }
}

impl<Fut, Task, T, E> Stoppable for TaskGroup<Fut, Task, T, E>
where
    Fut: Future<Output = Result<T, E>>,
    Task: Future<Output = Result<(), E>> + Unpin,
{
    type Output = TaskGroupResult<T, E>;

    fn poll_run(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.poll_decided(cx));
        self.scope.count_cancelled();
        self.finish();
        Poll::Ready(self.scope.take_outcome())
    }

    fn stop(mut self: Pin<&mut Self>, reason: EndReason) {
        let this = &mut *self;
        if this.decided {
            return;
        }
        // What is ready is kept, and what it spawns is not started.
        this.scope.start_no_more();
        this.window.poll_woken(Pin::new(&mut this.scope));
        this.scope.stop(reason);
        this.decided = true;
    }
}
