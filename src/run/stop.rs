//! Runs that end before all of their tasks have, and keep what is done by then.
//!
//! ```text
//!              the run is ready
//!   running --------------------------------------------------------------.
//!      |                       what was woken is polled once,              > resolved
//!      '---------> stopping -- and the rest is dropped ------------------'
//!   the signal is ready
//! ```

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::outcome::EndReason;
use crate::time::{Sleep, Timer};

/// A run that can be stopped, and keeps what is done.
pub trait Stoppable {
    /// What it resolves to, whether it was stopped or not.
    type Output;

    /// Runs on, as if it could not be stopped; after [`stop`](Self::stop), drops what is left and is ready.
    ///
    /// # Panics
    /// If it has resolved before.
    fn poll_run(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output>;

    /// Polls what was woken once more, and starts nothing from now on. If a task panics, it is to be called again.
    fn stop(self: Pin<&mut Self>, reason: EndReason);
}

pin_project! {
    /// The future of [`Parallel::stop_on`](crate::Parallel::stop_on) and [`deadline`](crate::Parallel::deadline), and
    /// of the methods of these names that other verbs have.
    #[must_use = "futures do nothing unless polled"]
    pub struct StopOn<V, F> {
        #[pin]
        run: V,
        // Dropped when it was ready.
        #[pin]
        signal: Option<F>,
        reason: EndReason,
        state: State,
    }
}

/// How far a run is that may be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    /// The signal is being polled. If it panics, it stays so until the next poll.
    Asking,
    /// The signal was ready, and what was woken by then is yet to be polled.
    Stopping,
    /// The end is settled.
    Ending,
    Resolved,
}

impl<V, F> StopOn<V, F> {
    pub(crate) const fn new(run: V, signal: F, reason: EndReason) -> Self {
        Self {
            run,
            signal: Some(signal),
            reason,
            state: State::Running,
        }
    }
}

impl<V: Stoppable, F: Future> StopOn<V, F> {
    /// Stops as well when `signal` is ready: whichever is first.
    ///
    /// ```
    /// use std::{future::pending, time::Duration};
    /// use abreast::{EndReason, parallel};
    ///
    /// # smol::block_on(async {
    /// let (shut_down, closing) = async_channel::bounded::<()>(1);
    /// let result = parallel([pending::<Result<(), ()>>()])
    ///     .deadline(Duration::from_millis(1), smol::Timer::after)
    ///     .stop_on(closing.recv())
    ///     .await;
    /// assert_eq!(result.end_reason(), EndReason::DeadlineElapsed);
    /// # drop(shut_down);
    /// # });
    /// ```
    pub fn stop_on<G: Future>(self, signal: G) -> StopOn<Self, G> {
        StopOn::new(self, signal, EndReason::Stopped)
    }

    /// Stops as well when `duration` has passed since the first poll: whichever is first.
    ///
    /// ```
    /// use std::{future::{pending, ready}, time::Duration};
    /// use abreast::{EndReason, parallel};
    ///
    /// # smol::block_on(async {
    /// let result = parallel([pending::<Result<(), ()>>()])
    ///     .stop_on(ready(()))
    ///     .deadline(Duration::from_secs(1), smol::Timer::after)
    ///     .await;
    /// assert_eq!(result.end_reason(), EndReason::Stopped);
    /// # });
    /// ```
    pub fn deadline<M: Timer>(self, duration: Duration, timer: M) -> StopOn<Self, Deadline<M>> {
        StopOn::after(self, duration, timer)
    }

    /// Polls the signal, unless it was ready or has panicked.
    fn poll_signal(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let mut this = self.project();
        // A future that has panicked is not to be polled again.
        if *this.state == State::Asking {
            *this.state = State::Running;
            this.signal.set(None);
        }
        if let (State::Running, Some(signal)) = (*this.state, this.signal.as_mut().as_pin_mut()) {
            *this.state = State::Asking;
            let polled = signal.poll(cx);
            *this.state = match polled {
                Poll::Ready(_) => State::Stopping,
                Poll::Pending => State::Running,
            };
        }
    }
}

impl<V: Stoppable, F: Future> Stoppable for StopOn<V, F> {
    type Output = V::Output;

    fn poll_run(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V::Output> {
        assert!(
            self.state != State::Resolved,
            "`StopOn` was polled after it had resolved"
        );
        // The signal comes first, so that a run of tasks that are always ready can be stopped.
        self.as_mut().poll_signal(cx);
        let mut this = self.project();
        if *this.state == State::Stopping {
            this.signal.set(None);
            this.run.as_mut().stop(*this.reason);
            *this.state = State::Ending;
        }
        let output = ready!(this.run.poll_run(cx));
        // A signal that was never ready stays until this is dropped: its destructor is foreign code, and must not cost
        // the result.
        *this.state = State::Resolved;
        Poll::Ready(output)
    }

    fn stop(self: Pin<&mut Self>, reason: EndReason) {
        self.project().run.stop(reason);
    }
}

impl<V: Stoppable, F: Future> Future for StopOn<V, F> {
    type Output = V::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<V::Output> {
        self.poll_run(cx)
    }
}

pin_project! {
    /// The signal of [`Parallel::deadline`](crate::Parallel::deadline): a time that begins with the first poll.
    #[must_use = "futures do nothing unless polled"]
    pub struct Deadline<M: Timer> {
        #[pin]
        sleep: Sleep<M::Sleep>,
        timer: M,
        duration: Duration,
    }
}

impl<V, M: Timer> StopOn<V, Deadline<M>> {
    /// Creates a run that ends when `duration` has passed since its first poll.
    pub(crate) const fn after(run: V, duration: Duration, timer: M) -> Self {
        let deadline = Deadline {
            sleep: Sleep::new(),
            timer,
            duration,
        };
        Self::new(run, deadline, EndReason::DeadlineElapsed)
    }
}

impl<M: Timer> Future for Deadline<M> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.sleep.poll(cx, || this.timer.sleep(*this.duration))
    }
}

impl_fused!(FusedFuture for StopOn<V, F> |self| self.state == State::Resolved);
impl_debug! { StopOn<V, F> { reason, state } }
impl_debug! { Deadline<M: Timer> { duration } }
