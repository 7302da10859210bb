//! A rate that is shared: a limit to what starts in each second, for all who go by it.
//!
//! A [`Rate`] is a small value to be cloned, and goes by the clock of the [`Timer`] that is handed to it. Rates stack:
//! a service that counts both requests and tokens has one for each.
//!
//! ```
//! # #[cfg(feature = "test-util")] {
//! use std::time::Duration;
//! use abreast::{Rate, parallel, time::VirtualClock};
//! # async fn ask(prompt: &str) -> Result<String, std::io::Error> { Ok(prompt.to_uppercase()) }
//!
//! let minute = Duration::from_secs(60);
//! let requests = Rate::per(60, minute).burst(10);
//! let tokens = Rate::per(40_000, minute).burst(10_000);
//!
//! // Or `tokio::time::sleep`, `smol::Timer::after` ...
//! let clock = VirtualClock::new();
//! let ask = async |prompt| {
//!     tokens.acquire(4_000, clock.timer()).await;
//!     ask(prompt).await
//! };
//! let run = parallel(["one", "two", "three"].map(ask)).rate(&requests, clock.timer());
//! assert!(clock.run(run).all_succeeded());
//! // The burst was enough for two, and 2,000 tokens more take three seconds.
//! assert_eq!(clock.now(), Duration::from_secs(3));
//! # }
//! ```
//!
//! `governor` has the same algorithm, with a rate for each key, and lock-free. It waits by a timer thread, whoever
//! waits may be overtaken, and it has no pause; this goes by any [`Timer`], first come, first served.

mod acquire;
mod state;

use alloc::sync::Arc;
use core::task::Waker;
use core::time::Duration;

pub(crate) use acquire::Acquisition;
pub use acquire::{AcquireUnits, LeaveRate, RateGate};
use state::{Quota, State};

use crate::sync::Lock;
use crate::sync::panic::catch;
use crate::time::{Moment, Timer};

/// Limits how much starts in each second, for all who share it.
///
/// Clones share one rate. [`parallel(..).rate(&rate, timer)`](crate::Parallel::rate) has the tasks of a run go by it,
/// and [`acquire`](Self::acquire) whatever else.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use std::time::Duration;
/// use abreast::{Rate, parallel, time::VirtualClock};
/// # async fn fetch(page: u32) -> Result<u32, std::io::Error> { Ok(page) }
///
/// let clock = VirtualClock::new();
/// let rate = Rate::per_second(10).burst(3);
/// let run = parallel((0..23).map(fetch)).rate(&rate, clock.timer());
/// assert!(clock.run(run).all_succeeded());
/// // Three at once, and then one in each tenth of a second.
/// assert_eq!(clock.now(), Duration::from_secs(2));
/// # }
/// ```
///
/// # Order
/// First come, first served. A run has one place in the line, however many tasks it has. What is cheap does not
/// overtake what is dear.
///
/// In any stretch of time, no more is acquired than the burst and what the rate allows in that time. Nobody waits for
/// longer than that asks for, by the clock of the timer.
///
/// # Cancel safety
/// Whoever waits and is dropped leaves the line, and has acquired nothing.
///
/// A place in the line is kept for the one who waits: a stream that nobody polls holds up those behind it.
///
/// # Panics
/// Whoever waits needs a clock: that of the timer, or of the system. Without the feature `std`, to acquire panics if
/// [`Timer::now`] is `None`. All who share a rate are to go by the same clock.
///
/// # Polls and allocations
/// The timer is asked for only by the first in line, once for each wait. An allocation for each future that has to
/// wait, and one for a run.
#[derive(Clone)]
pub struct Rate {
    shared: Arc<Shared>,
}

/// What all clones of a rate share.
#[derive(Debug)]
struct Shared {
    quota: Quota,
    /// What the system's clock showed when the rate was made.
    began: Moment,
    state: Lock<State>,
}

impl Shared {
    /// Returns the time on the clock of the timer, or the system's.
    #[track_caller]
    fn now<M: Timer>(&self, timer: &M) -> Duration {
        let now = timer.now();
        assert!(
            cfg!(feature = "std") || now.is_some(),
            "a rate needs a clock: without the feature `std`, pass a timer that has one, by `Timer::now`"
        );
        now.unwrap_or_else(|| Moment::now().since(self.began))
    }

    /// Refuses what would never be free.
    #[track_caller]
    fn check(&self, cost: u32) {
        let burst = self.quota.burst;
        assert!(
            cost <= burst,
            "a cost of {cost} is never free in a burst of {burst}: set a larger burst"
        );
    }
}

/// Wakes, and keeps a panic of the waker from whoever has more to do.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        let _ = catch(|| waker.wake());
    }
}

impl Rate {
    /// Creates a rate of `units` per second, evenly spaced unless a [`burst`](Self::burst) is set.
    ///
    /// ```
    /// let rate = abreast::Rate::per_second(10);
    /// assert!(rate.try_acquire(1, &smol::Timer::after));
    /// // The next one is free a tenth of a second later.
    /// assert!(!rate.try_acquire(1, &smol::Timer::after));
    /// ```
    ///
    /// # Panics
    /// If `units` is 0: nothing would ever start.
    #[track_caller]
    #[must_use]
    pub fn per_second(units: u32) -> Self {
        Self::per(units, Duration::from_secs(1))
    }

    /// Creates a rate of `units` per `period`, evenly spaced unless a [`burst`](Self::burst) is set.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let tokens = abreast::Rate::per(40_000, Duration::from_secs(60));
    /// ```
    ///
    /// # Panics
    /// If `units` or `period` is 0: nothing would ever start, or everything at once.
    #[track_caller]
    #[must_use]
    pub fn per(units: u32, period: Duration) -> Self {
        assert!(units > 0, "a rate of 0 lets nothing start: pass at least 1");
        assert!(
            !period.is_zero(),
            "a rate needs a period: pass more than `Duration::ZERO`"
        );
        Self::with(Quota {
            units,
            period,
            burst: 1,
        })
    }

    /// Lets up to `units` start at once, after a time in which less was acquired than the rate allows; 1 by default.
    ///
    /// To be called before the rate is cloned: clones from before keep to themselves.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use abreast::{Rate, time::VirtualClock};
    ///
    /// let timer = VirtualClock::new().timer();
    /// let rate = Rate::per_second(10).burst(3);
    /// assert!(rate.try_acquire(3, &timer));
    /// assert!(!rate.try_acquire(1, &timer));
    /// # }
    /// ```
    ///
    /// # Panics
    /// If `units` is 0: nothing would ever start.
    #[track_caller]
    #[must_use]
    pub fn burst(self, units: u32) -> Self {
        assert!(
            units > 0,
            "a burst of 0 lets nothing start: pass at least 1"
        );
        Self::with(Quota {
            burst: units,
            ..self.shared.quota
        })
    }

    fn with(quota: Quota) -> Self {
        Self {
            shared: Arc::new(Shared {
                quota,
                began: Moment::now(),
                state: Lock::new(State::new()),
            }),
        }
    }

    /// Waits until `cost` units may start, and takes them.
    ///
    /// The future owns all that it needs, so it may be spawned and stored.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use std::time::Duration;
    /// use abreast::{Rate, time::VirtualClock};
    ///
    /// let clock = VirtualClock::new();
    /// let megabytes = Rate::per_second(100).burst(50);
    /// clock.run(async {
    ///     megabytes.acquire(50, clock.timer()).await;
    ///     megabytes.acquire(20, clock.timer()).await;
    /// });
    /// assert_eq!(clock.now(), Duration::from_millis(200));
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future gives up its place in the line, and nothing else.
    ///
    /// # Panics
    /// If `cost` is more than the [`burst`](Self::burst): it would never be there.
    #[track_caller]
    pub fn acquire<M: Timer>(&self, cost: u32, timer: M) -> AcquireUnits<M> {
        self.shared.check(cost);
        AcquireUnits::new(self, cost, timer)
    }

    /// Takes `cost` units if they may start now and nobody waits. Returns whether it has.
    ///
    /// ```
    /// # use abreast::Rate;
    /// let rate = Rate::per_second(1);
    /// assert!(rate.try_acquire(1, &smol::Timer::after));
    /// assert!(!rate.try_acquire(1, &smol::Timer::after));
    /// ```
    ///
    /// # Panics
    /// If `cost` is more than the [`burst`](Self::burst): it would never be there.
    #[track_caller]
    #[must_use = "nothing was taken if it returns false"]
    pub fn try_acquire<M: Timer>(&self, cost: u32, timer: &M) -> bool {
        self.shared.check(cost);
        let now = self.shared.now(timer);
        let quota = self.shared.quota;
        self.shared
            .state
            .with(|state| state.try_take(quota, cost, now))
    }

    /// Holds back everybody who shares the rate for `delay` from now, as a service that answers "retry after" asks for.
    ///
    /// It shortens no pause that is longer. What the rate allows meanwhile is not lost: a burst may follow.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use std::time::Duration;
    /// use abreast::{Rate, time::VirtualClock};
    ///
    /// let clock = VirtualClock::new();
    /// let rate = Rate::per_second(10);
    /// rate.pause_for(Duration::from_secs(30), &clock.timer());
    /// clock.run(rate.acquire(1, clock.timer()));
    /// assert_eq!(clock.now(), Duration::from_secs(30));
    /// # }
    /// ```
    pub fn pause_for<M: Timer>(&self, delay: Duration, timer: &M) {
        let until = self.shared.now(timer).saturating_add(delay);
        self.shared.state.with(|state| state.pause_until(until));
    }
}

impl core::fmt::Debug for Rate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Quota {
            units,
            period,
            burst,
        } = self.shared.quota;
        f.debug_struct("Rate")
            .field("units", &units)
            .field("period", &period)
            .field("burst", &burst)
            .finish()
    }
}
