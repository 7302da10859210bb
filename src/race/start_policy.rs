//! When the next task of a race starts.
//!
//! The delay of a staggered race, from one start to the next:
//!
//! ```text
//!              poll_start: there is a delay            the timer has fired
//!   Unknown ---------------------------------> After ----------------------> a task starts: Unknown again
//!      |                                         |
//!      |  there is none                          |  the timer has fired, and the budget is empty
//!      '-----------------> Never <---------------'
//! ```
//!
//! A failure leads back to `Unknown` from anywhere: then the next task starts at once, and a delay begins anew.

use alloc::boxed::Box;
use core::fmt::{self, Debug};
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::hedge::StaggerDelay;
use crate::time::{Clock, Sleep, Timer};

/// Says when the next task may start although those before it are still running.
pub trait StartPolicy {
    /// Polls for the moment when the next task may start; after it was ready, for that of the task after it.
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Returns whether all tasks start at once, so that nothing else is asked. Always the same.
    fn starts_all(&self) -> bool {
        false
    }

    /// Begins a delay anew, as the next task is to start for another reason: it is the first, or one has failed.
    fn restart(&mut self) {}

    /// Returns whether that task may start, of which there probably is one.
    fn may_start(&mut self, is_first: bool) -> bool {
        let _ = is_first;
        true
    }

    /// Notes that the race was won.
    fn on_won(&mut self) {}
}

/// No delay: the policy of a [`race()`](crate::race()).
#[derive(Clone, Copy, Debug)]
pub struct AtOnce;

impl StartPolicy for AtOnce {
    fn poll_start(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn starts_all(&self) -> bool {
        true
    }
}

/// An infinite delay: the policy of [`fall_through`](crate::fall_through()).
#[derive(Clone, Copy, Debug)]
pub struct OneByOne;

impl StartPolicy for OneByOne {
    fn poll_start(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// When the next task of a staggered race starts, unless one fails before.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The delay is still to be asked for.
    Unknown,
    After(Duration),
    /// There is no delay yet, or no budget.
    Never,
}

/// Some delay: the policy of a [staggered](crate::Race::stagger) race.
pub struct Staggered<M: Timer, D = Duration> {
    delay: D,
    timer: M,
    next: Next,
    /// Measures from the first start, if the delay is learned.
    clock: Clock,
    /// Boxed, so that a race stays `Unpin`. Made on first use, and then reused.
    sleep: Option<Pin<Box<Sleep<M::Sleep>>>>,
}

impl<M: Timer, D> Staggered<M, D> {
    pub(crate) fn new(delay: D, timer: M) -> Self {
        Self {
            delay,
            timer,
            next: Next::Unknown,
            clock: Clock::default(),
            sleep: None,
        }
    }
}

/// A policy of the same delay, that has not started.
impl<M: Timer + Clone, D: Clone> Clone for Staggered<M, D> {
    fn clone(&self) -> Self {
        Self {
            delay: self.delay.clone(),
            timer: self.timer.clone(),
            next: Next::Unknown,
            clock: Clock::default(),
            sleep: None,
        }
    }
}

impl<M: Timer, D: StaggerDelay> StartPolicy for Staggered<M, D> {
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(Sleep::new()));
        // The delay is asked for when its wait begins, and then stays, whatever is learned meanwhile.
        let next = match self.next {
            Next::Unknown => self.delay.delay().map_or(Next::Never, Next::After),
            known => known,
        };
        self.next = next;
        let Next::After(delay) = next else {
            return Poll::Pending;
        };
        ready!(sleep.as_mut().poll(cx, || self.timer.sleep(delay)));
        // The budget is asked when it is needed. If it is empty, only a failure can start another task.
        self.next = if self.delay.withdraw() {
            Next::Unknown
        } else {
            Next::Never
        };
        sleep.as_mut().stop();
        match self.next {
            Next::Never => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }

    fn restart(&mut self) {
        self.next = Next::Unknown;
        if let Some(sleep) = &mut self.sleep {
            sleep.as_mut().stop();
        }
    }

    fn may_start(&mut self, is_first: bool) -> bool {
        if !is_first {
            return self.delay.withdraw();
        }
        // The race begins.
        self.delay.deposit();
        if D::LEARNS {
            self.clock.start(self.timer.now());
        }
        true
    }

    fn on_won(&mut self) {
        if D::LEARNS {
            if let Some(latency) = self.clock.measure(self.timer.now()) {
                self.delay.learn(latency);
            }
        }
    }
}

impl<M: Timer, D: Debug> Debug for Staggered<M, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staggered")
            .field("delay", &self.delay)
            .finish_non_exhaustive()
    }
}
