//! Where the tasks of a window come from: whether there may be another one.
//!
//! ```text
//!            pending                 the source has ended
//!   open ------------> asleep        open ---------------> exhausted
//!    ^                   |
//!    +-------------------+
//!      its waker was woken, or the task set says to retry; if it panics then, it stays open
//! ```

use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::task_set::TaskSet;

/// Remembers what is known of the source of tasks.
pub(super) struct Source {
    /// The waker that it is polled with.
    waker: Waker,
    /// Whether it is to be asked: it was not pending, or was woken since, and has not ended.
    is_open: bool,
    /// Whether it has ended.
    exhausted: bool,
}

impl Source {
    pub(super) const fn new(waker: Waker) -> Self {
        Self {
            waker,
            is_open: true,
            exhausted: false,
        }
    }

    #[inline(always)]
    pub(super) const fn has_ended(&self) -> bool {
        self.exhausted
    }

    /// Returns whether the source is to be asked for a task that runs beside the `in_flight` others.
    #[inline(always)]
    pub(super) fn may_start<V: TaskSet>(&self, tasks: &V, in_flight: usize) -> bool {
        (self.is_open || (tasks.retry_source() && !self.exhausted)) && tasks.has_capacity(in_flight)
    }

    /// Hands the next task of the source to `start`. False if there is none for now.
    #[inline(always)]
    pub(super) fn next<V: TaskSet>(
        &mut self,
        tasks: Pin<&mut V>,
        start: impl FnOnce(V::Task),
    ) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        // If it panics, it is asked again, although it may have been asleep.
        self.is_open = true;
        let polled = tasks.poll_task(&mut cx, start);
        self.is_open = polled == Poll::Ready(true);
        if polled == Poll::Ready(false) {
            self.end();
        }
        self.is_open
    }

    /// Opens it again, as its waker was woken.
    #[inline(always)]
    pub(super) const fn wake(&mut self) {
        self.is_open = !self.exhausted;
    }

    /// Notes that it has no more tasks.
    pub(super) const fn end(&mut self) {
        self.is_open = false;
        self.exhausted = true;
    }
}
