//! How fast racers follow each other.

use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::time::{Sleep, Timer};

/// When a racer may start although the ones before it are still running.
pub trait Pace {
    /// Ready when the next may start. Once it was ready, it is about the one after that.
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// The next has started for another reason, so a delay begins anew.
    fn restart(&mut self) {}
}

/// No delay: the pace of a [`race()`](crate::race()).
#[derive(Clone, Copy, Debug)]
pub struct AtOnce;

impl Pace for AtOnce {
    fn poll_start(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// An infinite delay: the pace of [`fall_through`](crate::fall_through()).
#[derive(Clone, Copy, Debug)]
pub struct OneByOne;

impl Pace for OneByOne {
    fn poll_start(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// Some delay: the pace of a [staggered](crate::Race::stagger) race.
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

impl<M: Timer> Pace for Staggered<M> {
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

impl_debug!(Staggered<M: Timer> { delay });
