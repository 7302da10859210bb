//! Who waits for a rate: own code by a future, and runs by a gate.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::future::FusedFuture;

use super::state::Attempt;
use super::{Rate, Shared, wake};
use crate::run::{Gate, Observer};
use crate::time::{Sleep, Timer};

/// The place of a waiter in the line of a rate, and the wait that it has while it is the first: `F` is the
/// [`Sleep`](Timer::Sleep) of its timer, which is handed to each poll.
pub(crate) struct Acquisition<F> {
    shared: Arc<Shared>,
    cost: u32,
    /// There while it waits.
    ticket: Option<u64>,
    /// The run that it waits for, if it does, so that the run can take it out of the line.
    run: Option<u64>,
    /// Boxed, so that a run stays `Unpin`. Made on first use, and then reused.
    sleep: Option<Pin<Box<Sleep<F>>>>,
    /// Whether the timer is running.
    sleeps: bool,
}

impl<F: Future> Acquisition<F> {
    fn new(rate: &Rate, cost: u32, run: Option<u64>) -> Self {
        Self {
            shared: rate.shared.clone(),
            cost,
            ticket: None,
            run,
            sleep: None,
            sleeps: false,
        }
    }

    /// Polls until the cost was acquired.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, timer: &impl Timer<Sleep = F>) -> Poll<()> {
        self.poll_asking(cx, timer, |attempt| _ = attempt())
    }

    /// Polls until the cost was acquired, or is not asked for any more: `ask` calls the attempt that it is given, which
    /// returns whether the cost was acquired, or does without.
    ///
    /// The attempt takes a lock and calls nothing foreign, so `ask` may call it under a lock of its own.
    fn poll_asking(
        &mut self,
        cx: &mut Context<'_>,
        timer: &impl Timer<Sleep = F>,
        mut ask: impl FnMut(&mut dyn FnMut() -> bool),
    ) -> Poll<()> {
        loop {
            // The first in line waits for its timer.
            if let (true, Some(sleep)) = (self.sleeps, &mut self.sleep) {
                // It is running, so none is started.
                ready!(
                    sleep
                        .as_mut()
                        .poll(cx, || timer.sleep(core::time::Duration::ZERO))
                );
                self.sleeps = false;
                sleep.as_mut().stop();
            }
            // What the timer was for may have been put off meanwhile, so the clock decides.
            let now = self.shared.now(timer);
            let (quota, cost, run) = (self.shared.quota, self.cost, self.run);
            let (state, ticket) = (&self.shared.state, &mut self.ticket);
            let mut attempt = None;
            ask(&mut || {
                let made = state.with(|state| state.attempt(quota, cost, now, ticket, run));
                let is_acquired = matches!(made, Attempt::Acquired(_));
                attempt = Some(made);
                is_acquired
            });
            match attempt {
                None => return Poll::Ready(()),
                Some(Attempt::Acquired(next)) => {
                    wake(next);
                    return Poll::Ready(());
                }
                Some(Attempt::Wait(wait)) => {
                    let sleep = self.sleep.get_or_insert_with(|| Box::pin(Sleep::new()));
                    self.sleeps = true;
                    ready!(sleep.as_mut().poll(cx, || timer.sleep(wait)));
                    // A timer that is ready at once is not polled again.
                    self.sleeps = false;
                    sleep.as_mut().stop();
                }
                Some(Attempt::Behind) => {
                    // Cloned outside of the lock, as a waker is foreign. So it may be the first by now, and tries
                    // again.
                    let mut waker = Some(cx.waker().clone());
                    let ticket = self.ticket;
                    let waits = self
                        .shared
                        .state
                        .with(|state| state.wait_behind(ticket, &mut waker));
                    if waits {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl<F> Acquisition<F> {
    /// Leaves the line, and wakes the one that is the first now. Returns whether it was in it.
    fn leave(&mut self) -> bool {
        let was_waiting = self.ticket.is_some();
        if was_waiting {
            let ticket = &mut self.ticket;
            let (own, next) = self.shared.state.with(|state| state.leave(ticket));
            wake(next);
            drop(own);
        }
        was_waiting
    }
}

impl<F> Drop for Acquisition<F> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The future of [`Rate::acquire`].
#[must_use = "futures do nothing unless polled"]
pub struct AcquireUnits<M: Timer> {
    // `None` once it has resolved.
    acquisition: Option<Acquisition<M::Sleep>>,
    timer: M,
}

impl<M: Timer> AcquireUnits<M> {
    pub(super) fn new(rate: &Rate, cost: u32, timer: M) -> Self {
        let acquisition = Some(Acquisition::new(rate, cost, None));
        Self { acquisition, timer }
    }
}

impl<M: Timer> Future for AcquireUnits<M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { acquisition, timer } = &mut *self;
        let waiting = acquisition.as_mut();
        let waiting = waiting.expect("`AcquireUnits` was polled after it had resolved");
        ready!(waiting.poll(cx, timer));
        *acquisition = None;
        Poll::Ready(())
    }
}

impl<M: Timer> Unpin for AcquireUnits<M> {}

impl<M: Timer> FusedFuture for AcquireUnits<M> {
    fn is_terminated(&self) -> bool {
        self.acquisition.is_none()
    }
}

/// Lets a task of a run start when the rate has room for it: see [`Parallel::rate`](crate::Parallel::rate).
pub struct RateGate<M: Timer> {
    acquisition: Acquisition<M::Sleep>,
    timer: M,
}

impl<M: Timer> Unpin for RateGate<M> {}

/// Takes a run that has stopped out of the line of its rate: see [`Parallel::rate`](crate::Parallel::rate).
pub struct LeaveRate {
    shared: Arc<Shared>,
    run: u64,
}

impl Rate {
    /// Creates both ends of a run that has a place in the line.
    pub(crate) fn gate<M: Timer>(&self, timer: M) -> (RateGate<M>, LeaveRate) {
        let run = self.shared.state.with(super::State::next_ticket);
        let acquisition = Acquisition::new(self, 1, Some(run));
        let shared = self.shared.clone();
        (RateGate { acquisition, timer }, LeaveRate { shared, run })
    }

    /// Creates what asks for a unit again and again.
    pub(crate) fn acquisition<F: Future>(&self) -> Acquisition<F> {
        Acquisition::new(self, 1, None)
    }

    /// Creates what asks for a unit again and again, with its timer.
    pub(crate) fn waiter<M: Timer>(&self, timer: M) -> RateGate<M> {
        let acquisition = self.acquisition();
        RateGate { acquisition, timer }
    }
}

impl<M: Timer> RateGate<M> {
    /// Polls for a unit as long as `ask` asks for it: it calls what it is given, which returns whether the unit was
    /// acquired. That calls nothing foreign, so it may be called under a lock.
    pub(crate) fn poll_asking(
        &mut self,
        cx: &mut Context<'_>,
        ask: impl FnMut(&mut dyn FnMut() -> bool),
    ) -> Poll<()> {
        self.acquisition.poll_asking(cx, &self.timer, ask)
    }

    /// Leaves the line, and drops the timer. Returns whether it was in the line.
    pub(crate) fn leave(&mut self) -> bool {
        let was_waiting = self.acquisition.leave();
        self.acquisition.sleeps = false;
        if let Some(sleep) = &mut self.acquisition.sleep {
            sleep.as_mut().stop();
        }
        was_waiting
    }

    /// Sets the cost of the next task; 1 at first. To be called while none waits.
    ///
    /// # Panics
    /// If it is more than the burst: it would never be there.
    pub(crate) fn set_cost(&mut self, cost: u32) {
        self.acquisition.shared.check(cost);
        self.acquisition.cost = cost;
    }
}

impl<M: Timer> Gate for RateGate<M> {
    type Pass = ();

    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.acquisition.poll(cx, &self.timer)
    }
}

impl<T, E> Observer<T, E> for LeaveRate {
    #[inline]
    fn has_start_hook(&self) -> bool {
        false
    }

    fn reads_progress(&self) -> bool {
        false
    }

    fn on_stop(&mut self) {
        let (own, next) = self.shared.state.with(|state| state.leave_run(self.run));
        wake(next);
        drop(own);
    }
}

impl_debug!(AcquireUnits<M: Timer> |self| { done: self.acquisition.is_none() });
impl_debug!(RateGate<M: Timer> |self| { waits: self.acquisition.ticket.is_some() });
impl_debug! { LeaveRate { run } }
