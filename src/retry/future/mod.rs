//! The future that tries again.
//!
//! ```text
//!            first poll           opened                 the attempt succeeded
//!   Start  ------------>  Open  ---------->  Running  -------------------------->  Done
//!                          ^                    |                                   ^
//!                 delay    |                    | the attempt failed                |
//!                 is over  |                    v                                   |
//!                        Delay  <---------  Retries::decide  -----------------------'
//!                                  retry                        give up
//! ```
//!
//! If there is a rate, it waits in `Open` until that lets the attempt start. While it waits, for that, for an attempt
//! or for a delay, it waits for the limit of the total time as well.

mod options;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::decision::{Closures, Retries};
use super::handlers::RetryHandler;
use super::{Category, FailedTry, GiveUp, Plan, RetryError};
use crate::rate::Acquisition;
use crate::time::{Clock, Sleep, Timer};

/// The phase of a retried task: see the drawing above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Start,
    Open,
    Running,
    Delay(Duration),
    Done,
}

pin_project! {
    /// The future of [`retry()`](crate::retry()).
    //
    // The error is a parameter, and `Fut` is not bound: the compiler could not prove for all lifetimes that a future
    // which borrows has an output, and so would not spawn what has this in it.
    #[project = RetryProjection]
    #[must_use = "futures do nothing unless polled"]
    pub struct RetryFuture<F, Fut, M, E, H = ()>
    where
        M: Timer,
    {
        open: F,
        // Gone while the next one waits for its delay.
        #[pin]
        attempt: Option<Fut>,
        // Idle unless a delay is waited for.
        #[pin]
        delay: Sleep<M::Sleep>,
        // The limit of the total time, idle until something was waited for.
        #[pin]
        limit: Sleep<M::Sleep>,
        // The place in the line of the rate, if there is one.
        acquisition: Option<Box<Acquisition<M::Sleep>>>,
        timer: M,
        clock: Clock,
        total_time: Option<Duration>,
        phase: Phase,
        plan: Plan,
        retries: Retries,
        // The attempts that were started.
        attempts: u32,
        failed: Vec<FailedTry<E>>,
        handlers: H,
    }
}

impl<F, Fut, M: Timer, E> RetryFuture<F, Fut, M, E> {
    pub(super) fn new(plan: Plan, timer: M, open: F) -> Self {
        Self::from_parts(plan, timer, open, None, ())
    }
}

impl<F, Fut, M: Timer, E, H> RetryFuture<F, Fut, M, E, H> {
    /// Puts together what has not begun.
    fn from_parts(
        plan: Plan,
        timer: M,
        open: F,
        total_time: Option<Duration>,
        handlers: H,
    ) -> Self {
        Self {
            open,
            attempt: None,
            delay: Sleep::new(),
            limit: Sleep::new(),
            acquisition: None,
            timer,
            clock: Clock::default(),
            total_time,
            phase: Phase::Start,
            plan,
            retries: Retries::default(),
            attempts: 0,
            failed: Vec::new(),
            handlers,
        }
    }
}

impl<F, Fut, M, T, E, H> Future for RetryFuture<F, Fut, M, E, H>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    M: Timer,
    H: RetryHandler<E>,
{
    type Output = Result<T, RetryError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut has_failed = false;
        loop {
            // Most of what follows is foreign and may panic. If it does, the phase stays `Done`.
            match mem::replace(this.phase, Phase::Done) {
                // Nothing has happened before the first poll, so time is counted from here.
                Phase::Start => {
                    this.clock.start(this.timer.now());
                    if let Some(budget) = &this.plan.budget {
                        budget.deposit();
                    }
                    let rate = this.plan.rate.as_ref();
                    *this.acquisition = rate.map(|rate| Box::new(rate.acquisition()));
                    *this.phase = Phase::Open;
                }
                Phase::Open => {
                    // One attempt a poll, so that those which fail at once starve nothing else.
                    if has_failed {
                        *this.phase = Phase::Open;
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    // The rate comes last, so that the attempt starts when it says so.
                    if this.poll_rate(cx).is_pending() {
                        if this.poll_limit(cx).is_pending() {
                            *this.phase = Phase::Open;
                            return Poll::Pending;
                        }
                        return Poll::Ready(Err(this.give_up(GiveUp::OutOfTime)));
                    }
                    let attempt = (this.open)();
                    this.attempt.set(Some(attempt));
                    *this.attempts = this.attempts.saturating_add(1);
                    *this.phase = Phase::Running;
                }
                // The attempt comes before the limit: if both are ready, it has made it in time.
                Phase::Running => match this.poll_attempt(cx) {
                    Poll::Pending if this.poll_limit(cx).is_pending() => {
                        *this.phase = Phase::Running;
                        return Poll::Pending;
                    }
                    Poll::Pending => return Poll::Ready(Err(this.give_up(GiveUp::OutOfTime))),
                    Poll::Ready(Ok(value)) => {
                        this.limit.stop();
                        return Poll::Ready(Ok(value));
                    }
                    Poll::Ready(Err(error)) => match this.on_failure(error) {
                        Ok(delay) => {
                            has_failed = true;
                            *this.phase = Phase::Delay(delay);
                        }
                        Err(reason) => return Poll::Ready(Err(this.give_up(reason))),
                    },
                },
                // Without a delay, the timer is not asked.
                Phase::Delay(delay) => {
                    let sleep = this.delay.as_mut();
                    if !delay.is_zero() && sleep.poll(cx, || this.timer.sleep(delay)).is_pending() {
                        if this.poll_limit(cx).is_pending() {
                            *this.phase = Phase::Delay(delay);
                            return Poll::Pending;
                        }
                        return Poll::Ready(Err(this.give_up(GiveUp::OutOfTime)));
                    }
                    this.delay.as_mut().stop();
                    *this.phase = Phase::Open;
                }
                Phase::Done => panic!("`RetryFuture` was polled after it had resolved or panicked"),
            }
        }
    }
}

impl<F, Fut, M, T, E, H> RetryProjection<'_, F, Fut, M, E, H>
where
    Fut: Future<Output = Result<T, E>>,
    M: Timer,
    H: RetryHandler<E>,
{
    /// Polls the attempt, which is dropped before its result is used.
    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let attempt = self.attempt.as_mut().as_pin_mut();
        let result = attempt.expect("an attempt is running").poll(cx);
        if result.is_ready() {
            self.attempt.set(None);
        }
        result
    }

    /// Decides what follows an attempt that failed: another after a delay, or none.
    fn on_failure(&mut self, error: E) -> Result<Duration, GiveUp> {
        // It is kept with its category, which is asked for first.
        let classification = self.handlers.classify(&error);
        let classification = classification.unwrap_or(Category::Model.into());
        self.plan.hold_back(classification, self.timer);
        self.failed.push(FailedTry {
            error,
            category: classification.category,
            attempt: *self.attempts,
            delay: None,
        });
        let Some(failed) = self.failed.last_mut() else {
            return Err(GiveUp::Exhausted);
        };

        // The clock is read only if there is a limit that depends on it.
        let clock = &mut self.clock;
        let now = self.timer.now();
        let left = self
            .total_time
            .map(|total| total.saturating_sub(clock.read(now)));
        let mut closures = Asked {
            handlers: &mut *self.handlers,
            failed,
        };
        let delay = self
            .retries
            .decide(self.plan, classification, left, &mut closures)?;

        // There will be a retry.
        self.retries.spend(classification.category);
        failed.delay = Some(delay);
        self.handlers.on_retry(failed);
        Ok(delay)
    }
}

impl<F, Fut, M: Timer, E, H> RetryProjection<'_, F, Fut, M, E, H> {
    /// Waits until the rate lets an attempt start, if there is one.
    fn poll_rate(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.acquisition {
            Some(acquisition) => acquisition.poll(cx, self.timer),
            None => Poll::Ready(()),
        }
    }

    /// Waits for the end of the total time, if there is one.
    fn poll_limit(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(total) = *self.total_time else {
            return Poll::Pending;
        };
        let (timer, clock) = (&*self.timer, &mut *self.clock);
        self.limit.as_mut().poll(cx, || {
            let elapsed = clock.read(timer.now());
            timer.sleep(total.saturating_sub(elapsed))
        })
    }

    /// Drops what runs, and returns the final error.
    fn give_up(&mut self, reason: GiveUp) -> RetryError<E> {
        self.attempt.set(None);
        *self.acquisition = None;
        self.delay.as_mut().stop();
        self.limit.as_mut().stop();
        RetryError {
            reason,
            attempts: *self.attempts,
            failed: mem::take(self.failed),
        }
    }
}

/// The closures of a retried task, and the attempt that they are asked about.
struct Asked<'a, E, H> {
    handlers: &'a mut H,
    failed: &'a FailedTry<E>,
}

impl<E, H: RetryHandler<E>> Closures for Asked<'_, E, H> {
    fn allow(&mut self) -> bool {
        self.handlers.allow(self.failed)
    }

    fn delay(&mut self) -> Option<Duration> {
        self.handlers.delay(self.failed)
    }
}

impl_fused!(FusedFuture for RetryFuture<F, Fut, M: Timer, E, H> |self| self.phase == Phase::Done);
impl_debug!(RetryFuture<F, Fut, M: Timer, E, H> |self| {
    phase: self.phase,
    attempts: self.attempts,
});
