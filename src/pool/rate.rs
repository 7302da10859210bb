//! A rate as the workers of a pool wait for it.

use core::ops::Deref;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::rate::{Rate, RateGate};
use crate::time::Timer;

/// The place of a worker in the line of a rate, without the type of its timer.
pub trait RateWaiter {
    /// Polls for a unit as long as it is asked for: see [`RateGate::poll_asking`].
    fn poll_asking(
        &mut self,
        cx: &mut Context<'_>,
        ask: &mut dyn FnMut(&mut dyn FnMut() -> bool),
    ) -> Poll<()>;

    /// Leaves the line. Returns whether it was in it.
    fn stop_waiting(&mut self) -> bool;
}

impl<M: Timer> RateWaiter for RateGate<M> {
    fn poll_asking(
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

/// Returns what makes a place in the line of a rate for each worker. `P` is an `Arc` or `Rc` of the timer.
pub(super) fn rate_waiters<P>(
    rate: &Rate,
    timer: P,
) -> impl Fn() -> RateGate<WorkerTimer<P>> + use<P>
where
    P: Deref<Target: Timer> + Clone,
{
    let rate = rate.clone();
    move || rate.waiter(WorkerTimer(timer.clone()))
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
