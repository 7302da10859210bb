//! When the next task of a race starts.

use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::time::{Sleep, Timer};

/// Says when the next task may start although those before it are still running.
pub trait StartPolicy {
    /// Polls for the moment when the next task may start; after it was ready, for that of the task after it.
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Returns whether all tasks are to run side by side, as far as can be said beforehand.
    fn starts_all(&self) -> bool {
        false
    }

    /// Begins a delay anew, as the next task has started for another reason.
    fn restart(&mut self) {}
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

/// Some delay: the policy of a [staggered](crate::Race::stagger) race.
pub struct Staggered<M: Timer> {
    delay: Duration,
    timer: M,
    /// Boxed, so that a race stays `Unpin`. Made on first use, and then reused.
    sleep: Option<Pin<Box<Sleep<M::Sleep>>>>,
}

impl<M: Timer> Staggered<M> {
    pub(super) const fn new(delay: Duration, timer: M) -> Self {
        Self {
            delay,
            timer,
            sleep: None,
        }
    }
}

impl<M: Timer> StartPolicy for Staggered<M> {
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(Sleep::new()));
        ready!(sleep.as_mut().poll(cx, || self.timer.sleep(self.delay)));
        sleep.as_mut().stop();
        Poll::Ready(())
    }

    fn restart(&mut self) {
        if let Some(sleep) = &mut self.sleep {
            sleep.as_mut().stop();
        }
    }
}

impl_debug! { Staggered<M: Timer> { delay } }
