//! Which settings wait, and what they wait by. Whoever asks for a delay without a timer hears of it from the compiler.

use alloc::sync::Arc;
use core::future::{self, Future};
use core::time::Duration;

use crate::time::{Stopwatch, Timer};

/// Stands in the type of an [`Operation`](super::Operation) or an [`OperationPool`](super::OperationPool) for a setting
/// that was not made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unset;

/// Stands in the type of an [`Operation`](super::Operation) or an [`OperationPool`](super::OperationPool) for the timer
/// `M`.
#[derive(Clone, Copy, Debug)]
pub struct By<M>(pub(super) M);

/// A timer, or none.
pub trait Waits {
    #[doc(hidden)]
    type Sleep: Future;
    #[doc(hidden)]
    fn sleep(&self, duration: Duration) -> Self::Sleep;
    #[doc(hidden)]
    fn now(&self) -> Option<Duration>;
}

impl<M: Timer> Waits for By<M> {
    type Sleep = M::Sleep;

    fn sleep(&self, duration: Duration) -> M::Sleep {
        self.0.sleep(duration)
    }

    fn now(&self) -> Option<Duration> {
        self.0.now()
    }
}

/// Never asked to sleep: see [`Covers`].
impl Waits for Unset {
    type Sleep = future::Pending<()>;

    fn sleep(&self, _: Duration) -> Self::Sleep {
        future::pending()
    }

    fn now(&self) -> Option<Duration> {
        None
    }
}

/// Shared by the operations of a pool.
impl<M: Waits> Waits for Arc<M> {
    type Sleep = M::Sleep;

    fn sleep(&self, duration: Duration) -> M::Sleep {
        (**self).sleep(duration)
    }

    fn now(&self) -> Option<Duration> {
        (**self).now()
    }
}

/// Says of a [`Retry`](super::Retry) that it waits, and so needs a timer.
#[derive(Clone, Copy, Debug)]
pub enum Delayed {}

/// Says of a [`Retry`](super::Retry) that it never waits: see [`without_delay`](super::Retry::without_delay).
#[derive(Clone, Copy, Debug)]
pub enum Immediate {}

/// A timer, or none where none is needed.
#[diagnostic::on_unimplemented(
    message = "this operation waits, but has no timer to wait by",
    label = "it has a timeout, or retries with a delay, and no timer",
    note = "give it the `sleep` function of your runtime: `.timer(tokio::time::sleep)`, `.timer(smol::Timer::after)`",
    note = "or let it retry at once: `.retry(Retry::recommended().without_delay())`"
)]
pub trait Covers<W>: Waits {}

impl<M: Timer, W> Covers<W> for By<M> {}
impl Covers<Immediate> for Unset {}
impl<M: Covers<W>, W> Covers<W> for Arc<M> {}

/// The time since an operation began, by the clock of its timer, or else by the system's. Without either it stands still.
#[derive(Debug, Default)]
pub(super) struct Clock {
    began: Option<Duration>,
    stopwatch: Stopwatch,
    now: Duration,
}

impl Clock {
    pub(super) fn start(&mut self, timer: &impl Waits) {
        self.began = timer.now();
        if self.began.is_none() {
            self.stopwatch.start();
        }
    }

    /// Looks at the clock. Time never goes back.
    pub(super) fn look(&mut self, timer: &impl Waits) -> Duration {
        let elapsed = match (self.began, timer.now()) {
            (Some(began), Some(now)) => now.saturating_sub(began),
            #[cfg(feature = "std")]
            _ => self.stopwatch.elapsed(),
            #[cfg(not(feature = "std"))]
            _ => Duration::ZERO,
        };
        self.now = self.now.max(elapsed);
        self.now
    }

    /// What the clock showed when it was last looked at.
    pub(super) const fn last(&self) -> Duration {
        self.now
    }
}
