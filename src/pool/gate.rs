//! What a worker needs to start a job in a pool with a [`Limit`] or a [`Rate`]: a permit, and then a unit.
//!
//! ```text
//!           there is a job             permit              unit, and the job is still there
//!   idle -----------------> limit -----------------> rate ---------------------------------> the job starts
//!     ^                       |                        |
//!     +-----------------------+------------------------'
//!        there is no job: both lines are left, and the permit is given back
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use super::gates::Gates;
use super::inner::{Inner, QueuedJob};
use super::kind::Kind;
use super::rate::RateWaiter;
use super::state::Next;
use crate::limit::{AcquirePermit, Limit, Permit};

/// What one worker needs to start jobs, or a driver, which is a worker that runs many.
pub(super) struct Gate<K: Kind> {
    permits: Option<Permits>,
    rate: Option<Box<K::RateWaiter>>,
}

impl<K: Kind> Gate<K> {
    /// Creates what a worker needs to start jobs, if that takes anything.
    pub(super) fn new(gates: &Gates<K>) -> Option<Self> {
        if gates.is_none() {
            return None;
        }
        Some(Self {
            permits: gates.limit.clone().map(Permits::new),
            rate: gates.rate.as_ref().map(|new_waiter| new_waiter()),
        })
    }

    /// Polls for a job that may start, or for what is to be done if there is none.
    #[cold]
    #[inline(never)]
    pub(super) fn poll_next(
        &mut self,
        inner: &Inner<K>,
        worker: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Next<QueuedJob<K>, Waker>> {
        // Without a job it waits with the idle workers, and takes nothing from others.
        let waker = cx.waker();
        if let Some(next) = inner.state.next_unless_job(worker, waker) {
            self.stop_waiting();
            return Poll::Ready(next);
        }
        // The unit comes last: whoever has it and waits for a permit would start later than the rate says.
        if let Some(permits) = &mut self.permits {
            ready!(permits.poll_spare(cx));
        }
        let mut next = Next::Wait;
        match &mut self.rate {
            None => next = inner.state.next(worker, waker),
            // Asked for under the lock of the queue, so no unit is taken without a job.
            Some(rate) => ready!(rate.poll_asking(cx, &mut |acquire| {
                if let Some(decided) = inner.state.next_if(worker, waker, acquire) {
                    next = decided;
                }
            })),
        }
        match (&next, &mut self.permits) {
            (Next::Run { .. }, Some(permits)) => permits.has_spare = false,
            (Next::Run { .. }, None) => {}
            // Another worker was faster, or the job was cancelled.
            _ => _ = self.stop_waiting(),
        }
        Poll::Ready(next)
    }

    /// Gives back the permit of a job that has ended.
    pub(super) fn give_back(&mut self) {
        if let Some(permits) = &mut self.permits {
            drop(permits.held.pop());
        }
    }

    /// Gives back the permits of all jobs.
    pub(super) fn give_back_all(&mut self) {
        if let Some(permits) = &mut self.permits {
            permits.held.clear();
        }
    }

    /// Leaves the lines, and gives back what it has of them for a job that has not started. Returns whether there was
    /// anything.
    pub(super) fn stop_waiting(&mut self) -> bool {
        let permits = self.permits.as_mut();
        let limited = permits.is_some_and(Permits::stop_waiting);
        let rated = self.rate.as_mut().is_some_and(|rate| rate.stop_waiting());
        limited || rated
    }
}

/// The permits of a worker.
struct Permits {
    limit: Limit,
    /// There while the worker waits in the line of the limit. It does so only while there is a job that it could start.
    waiting: Option<AcquirePermit>,
    /// One for each job that the worker has, and the spare one. Which is whose does not matter.
    held: Vec<Permit>,
    /// Whether one of them is for a job that has not started, as it waits for the rate.
    has_spare: bool,
}

impl Permits {
    const fn new(limit: Limit) -> Self {
        Self {
            limit,
            waiting: None,
            held: Vec::new(),
            has_spare: false,
        }
    }

    /// Polls for a permit for one more job, unless there is one.
    fn poll_spare(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.has_spare {
            let limit = &self.limit;
            let waiting = self.waiting.get_or_insert_with(|| limit.acquire());
            self.held.push(ready!(Pin::new(waiting).poll(cx)));
            self.waiting = None;
            self.has_spare = true;
        }
        Poll::Ready(())
    }

    fn stop_waiting(&mut self) -> bool {
        let was_waiting = self.waiting.take().is_some() || self.has_spare;
        if self.has_spare {
            self.has_spare = false;
            drop(self.held.pop());
        }
        was_waiting
    }
}
