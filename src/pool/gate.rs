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
use core::ops::Deref;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;

use super::inner::{Inner, QueuedJob};
use super::kind::{Kind, Local, Sendable};
use super::state::Next;
use crate::limit::{AcquirePermit, Limit, Permit};
use crate::rate::{Rate, RateGate};
use crate::time::Timer;

/// What holds the starts of a pool back.
pub(super) struct Gates<K: Kind> {
    pub(super) limit: Option<Limit>,
    pub(super) rate: Option<Box<K::NewTurn>>,
}

impl<K: Kind> Gates<K> {
    pub(super) const fn none() -> Self {
        Self {
            limit: None,
            rate: None,
        }
    }

    pub(super) const fn is_none(&self) -> bool {
        self.limit.is_none() && self.rate.is_none()
    }

    /// Creates what a worker needs to start jobs, if that takes anything.
    pub(super) fn gate(&self) -> Option<Gate<K>> {
        if self.is_none() {
            return None;
        }
        Some(Gate {
            permits: self.limit.clone().map(Permits::new),
            turn: self.rate.as_ref().map(|new_turn| new_turn()),
        })
    }
}

impl Gates<Sendable> {
    /// Makes it that of a pool whose jobs stay on one thread.
    pub(super) fn local(self) -> Gates<Local> {
        let rate = self.rate;
        Gates {
            limit: self.limit,
            rate: rate.map(|new_turn| Box::new(move || -> Box<dyn RateTurn> { new_turn() }) as _),
        }
    }
}

/// What one worker has of all that, or a driver, which is a worker that runs many jobs.
pub(super) struct Gate<K: Kind> {
    permits: Option<Permits>,
    turn: Option<Box<K::RateTurn>>,
}

impl<K: Kind> Gate<K> {
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
        match &mut self.turn {
            None => next = inner.state.next(worker, waker),
            // Asked for under the lock of the queue, so no unit is taken without a job.
            Some(turn) => ready!(turn.poll_turn(cx, &mut |acquire| {
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
        let rated = self.turn.as_mut().is_some_and(|turn| turn.stop_waiting());
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

/// The place of a worker in the line of a rate, without the type of its timer.
pub trait RateTurn {
    /// Polls for a unit as long as it is asked for: see [`RateGate::poll_asking`].
    fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        ask: &mut dyn FnMut(&mut dyn FnMut() -> bool),
    ) -> Poll<()>;

    /// Leaves the line. Returns whether it was in it.
    fn stop_waiting(&mut self) -> bool;
}

impl<M: Timer> RateTurn for RateGate<M> {
    fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        ask: &mut dyn FnMut(&mut dyn FnMut() -> bool),
    ) -> Poll<()> {
        self.poll_asking(cx, ask)
    }

    fn stop_waiting(&mut self) -> bool {
        self.leave()
    }
}

/// Creates what the workers of a pool go by a rate with: a place in its line for each. `P` is an `Arc` or `Rc` of the
/// timer.
pub(super) fn turns<P>(rate: &Rate, timer: P) -> impl Fn() -> RateGate<WorkerTimer<P>> + use<P>
where
    P: Deref<Target: Timer> + Clone,
{
    let rate = rate.clone();
    move || rate.turn_by(WorkerTimer(timer.clone()))
}

/// The timer that the workers of a pool share.
pub(super) struct WorkerTimer<P>(P);

impl<P: Deref<Target: Timer>> Timer for WorkerTimer<P> {
    type Sleep = <P::Target as Timer>::Sleep;

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn now(&self) -> Option<Duration> {
        self.0.now()
    }
}
