//! The trait of timers.

use core::future::Future;
use core::time::Duration;

/// Makes futures that resolve when some time has passed.
///
/// Every `Fn(Duration) -> impl Future` is a timer, so the `sleep` functions of the runtimes are, and so is a closure
/// that calls one. What the future resolves to does not matter.
///
/// | runtime | timer |
/// |---|---|
/// | tokio | `tokio::time::sleep` |
/// | smol | `smol::Timer::after` |
/// | async-std | `async_std::task::sleep` |
/// | browser | `\|duration\| gloo_timers::future::sleep(duration)` |
/// | tests | `VirtualClock::timer` in [`time`](crate::time), behind the feature `test-util` |
///
/// ```
/// use std::time::Duration;
/// use abreast::Timer;
///
/// # smol::block_on(async {
/// async fn doze(timer: impl Timer) {
///     timer.sleep(Duration::from_millis(1)).await;
/// }
///
/// doze(smol::Timer::after).await;
/// doze(|duration| smol::Timer::after(duration / 2)).await;
/// # });
/// ```
///
/// A timer that a function was given is passed on by [`by_ref`](Self::by_ref): `&M` is no timer by itself, except where
/// `M` is a function.
///
/// The crate asks a timer only when there is something to wait for, polls its future like any other, and believes what
/// it says: a timer that fires early ends the wait early, and one that never fires ends it never.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a timer",
    label = "not a timer",
    note = "pass a function from a `Duration` to a future, such as `tokio::time::sleep`, `smol::Timer::after` or `async_std::task::sleep`",
    note = "it is the function itself that is the timer, not what it returns: `sleep`, not `sleep(duration)`",
    note = "a borrowed timer is passed on by `timer.by_ref()`"
)]
pub trait Timer {
    /// The future that waits.
    type Sleep: Future;

    /// Returns a future that resolves when `duration` has passed.
    fn sleep(&self, duration: Duration) -> Self::Sleep;

    /// Returns the time that has passed on the clock that this timer goes by, or `None` if that is the system's.
    ///
    /// What is timed by a timer is measured by its clock, so that both agree. A timer of a test has a clock of its own,
    /// and so may one where there is no system clock. It must never go back.
    ///
    /// ```
    /// use abreast::Timer;
    ///
    /// assert_eq!(smol::Timer::after.now(), None);
    /// # #[cfg(feature = "test-util")] {
    /// use std::time::Duration;
    /// let clock = abreast::time::VirtualClock::new();
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(clock.timer().now(), Some(Duration::from_secs(1)));
    /// # }
    /// ```
    fn now(&self) -> Option<Duration> {
        None
    }

    /// Borrows the timer, for what takes one by value.
    ///
    /// A reference to a function is a timer of its own, as it is a function. Where the type of the timer is not known,
    /// this is the way to pass it on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::{Elapsed, Timer, timeout};
    ///
    /// /// Runs two futures one after the other, each within a second.
    /// async fn both<M: Timer>(timer: &M, a: impl Future, b: impl Future) -> Result<(), Elapsed> {
    ///     let second = Duration::from_secs(1);
    ///     timeout(second, timer.by_ref(), a).await?;
    ///     timeout(second, timer.by_ref(), b).await?;
    ///     Ok(())
    /// }
    ///
    /// # smol::block_on(async {
    /// both(&smol::Timer::after, async {}, async {}).await.unwrap();
    /// # });
    /// ```
    fn by_ref(&self) -> TimerRef<'_, Self>
    where
        Self: Sized,
    {
        TimerRef(self)
    }
}

/// The borrowed timer of [`Timer::by_ref`].
pub struct TimerRef<'a, M>(&'a M);

impl<M> Clone for TimerRef<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for TimerRef<'_, M> {}

impl_debug! { TimerRef<'a, M> {} }

impl<M: Timer> Timer for TimerRef<'_, M> {
    type Sleep = M::Sleep;

    fn sleep(&self, duration: Duration) -> M::Sleep {
        self.0.sleep(duration)
    }

    fn now(&self) -> Option<Duration> {
        self.0.now()
    }
}

impl<F, Fut> Timer for F
where
    F: Fn(Duration) -> Fut,
    Fut: Future,
{
    type Sleep = Fut;

    fn sleep(&self, duration: Duration) -> Fut {
        self(duration)
    }
}
