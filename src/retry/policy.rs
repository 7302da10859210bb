//! The policy: how often to try again, and after which delays.

use core::time::Duration;

use super::Classification;
use super::strategy::Strategy;
use crate::budget::Budget;
use crate::rate::Rate;
use crate::time::Timer;

/// A policy of retries: how often to try again, and after which delays.
///
/// For a task, it goes to [`retry()`](crate::retry()); for the streams of an operation, to
/// [`Operation::retry`](crate::operation::Operation::retry), of which each has retries of its own.
///
/// | preset | [`attempts`](Self::attempts) | [`max_retries`](Self::max_retries) | [`strategy`](Self::strategy) |
/// |---|---|---|---|
/// | [`minimal`](Self::minimal) | 2 | 4 | [`Linear`](Strategy::Linear) |
/// | [`recommended`](Self::recommended), and the default | 3 | 6 | [`FixedJitter`](Strategy::FixedJitter) |
/// | [`strict`](Self::strict) | 3 | 6 | [`FullJitter`](Strategy::FullJitter) |
/// | [`exponential`](Self::exponential) | 4 | 8 | [`Exponential`](Strategy::Exponential) |
///
/// ```
/// use std::time::Duration;
/// use abreast::retry::{Retry, Strategy};
///
/// let retry = Retry::exponential()
///     .attempts(1)
///     .max_retries(10)
///     .base_delay(Duration::from_millis(100))
///     .max_delay(Duration::from_secs(60))
///     .strategy(Strategy::Fixed)
///     .seed(7);
/// assert_eq!((retry.get_attempts(), retry.get_max_retries(), retry.get_seed()), (1, 10, Some(7)));
/// ```
///
/// A [`Budget`] shared by all that call the same service keeps retries from doubling the load when it is down.
///
/// The parameter is `()`, or, for operations alone, [`RetryPredicates`](crate::operation::RetryPredicates): closures
/// for errors of one type, given by [`should_retry`](Self::should_retry) or [`delay`](Self::delay). Clones share them.
/// The closures of a retried task are given to its [future](super::RetryFuture::should_retry).
#[derive(Clone)]
pub struct Retry<P = ()> {
    pub(crate) plan: Plan,
    pub(crate) predicates: P,
}

/// The figures of a [`Retry`].
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) attempts: u32,
    pub(crate) max_retries: u32,
    pub(crate) base_delay: Duration,
    pub(crate) max_delay: Duration,
    pub(crate) strategy: Strategy,
    pub(crate) seed: Option<u64>,
    /// Whether there are delays at all: only then there must be a timer.
    pub(crate) waits: bool,
    /// What is shared with others that call the same service.
    pub(crate) budget: Option<Budget>,
    /// The rate at which attempts start.
    pub(crate) rate: Option<Rate>,
}

impl Plan {
    /// Holds back all who share the rate, if the error of an attempt asks for that.
    pub(crate) fn hold_back(&self, failed: Classification, timer: &impl Timer) {
        if let (Some(rate), Some(delay)) = (&self.rate, failed.retry_after) {
            rate.pause_for(delay.min(self.max_delay), timer);
        }
    }
}

#[cfg(feature = "operation")]
impl Plan {
    pub(crate) fn without_delay(mut self) -> Self {
        self.waits = false;
        // To wait for it takes a timer, which there may not be.
        self.rate = None;
        self
    }
}

impl Retry {
    const fn preset(attempts: u32, max_retries: u32, strategy: Strategy) -> Self {
        Self {
            plan: Plan {
                attempts,
                max_retries,
                base_delay: Duration::from_secs(1),
                max_delay: Duration::from_secs(10),
                strategy,
                seed: None,
                waits: true,
                budget: None,
                rate: None,
            },
            predicates: (),
        }
    }

    /// Retries little, with delays that grow evenly.
    #[must_use]
    pub const fn minimal() -> Self {
        Self::preset(2, 4, Strategy::Linear)
    }

    /// Retries as suits most.
    #[must_use]
    pub const fn recommended() -> Self {
        Self::preset(3, 6, Strategy::FixedJitter)
    }

    /// Retries as recommended, with delays that are spread as widely as can be.
    #[must_use]
    pub const fn strict() -> Self {
        Self::preset(3, 6, Strategy::FullJitter)
    }

    /// Retries often, with delays that double.
    #[must_use]
    pub const fn exponential() -> Self {
        Self::preset(4, 8, Strategy::Exponential)
    }
}

/// As [`Retry::recommended`].
impl Default for Retry {
    fn default() -> Self {
        Self::recommended()
    }
}

/// Implements the setter of each setting, and the getter of the same name behind `get_`.
macro_rules! settings {
    ($($(#[$doc:meta])* $setting:ident, $get:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub const fn $setting(mut self, $setting: $type) -> Self {
            self.plan.$setting = $setting;
            self
        }

        #[doc = concat!("Returns what [`", stringify!($setting), "`](Self::", stringify!($setting), ") sets.")]
        #[must_use]
        pub const fn $get(&self) -> $type {
            self.plan.$setting
        }
    )*};
}

impl<P> Retry<P> {
    settings! {
        /// Limits the retries of a task or stream after errors of the categories [`Model`](super::Category::Model) and
        /// [`Content`](super::Category::Content), as which all count that are not classified; 3 by default, which makes
        /// four calls. Those of the other categories are limited by [`max_retries`](Self::max_retries) alone.
        attempts, get_attempts: u32;

        /// Limits the retries of a task or stream, whatever the errors; 6 by default.
        max_retries, get_max_retries: u32;

        /// Sets what the [strategy](Self::strategy) starts from; a second by default.
        base_delay, get_base_delay: Duration;

        /// Limits delays, those that the other side [asks for](super::Classify::retry_after) included; 10 seconds by
        /// default.
        max_delay, get_max_delay: Duration;

        /// Sets how delays grow; [`Strategy::FixedJitter`] by default.
        strategy, get_strategy: Strategy;
    }

    /// Shares a budget with all others that call the same service: each first attempt adds to it, each retry takes from
    /// it, and while it is empty, there are none. Without one, an outage multiplies the calls by the number of
    /// attempts.
    ///
    /// For an example, see [`Budget`].
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.plan.budget = Some(budget);
        self
    }

    /// Starts attempts at a [`Rate`] that is shared with others, by the timer of the retries. Each attempt costs one
    /// unit, the first included.
    ///
    /// When an error asks for a [delay](super::Classify::retry_after), the rate is [paused](Rate::pause_for) for that
    /// long, up to [`max_delay`](Self::max_delay), whether there is a retry or not. So all who share it leave the
    /// service alone.
    ///
    /// For an operation, it is the rate of the primary stream: fallbacks, which may be of another service, neither wait
    /// for it nor pause it. Operations that [retry at once](crate::operation::Operation::retry_at_once) do without it,
    /// as they may have no timer.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use std::time::Duration;
    /// use abreast::retry::Category;
    /// use abreast::{Rate, Retry, retry, time::VirtualClock};
    ///
    /// let clock = VirtualClock::new();
    /// let rate = Rate::per_second(10);
    /// let policy = Retry::recommended().rate(&rate);
    ///
    /// let mut calls = 0;
    /// let busy_at_first = || {
    ///     calls += 1;
    ///     let result = if calls == 1 { Err("429") } else { Ok(calls) };
    ///     async move { result }
    /// };
    /// let run = retry(policy, clock.timer(), busy_at_first)
    ///     .classify(|_| Category::Transient.retry_after(Duration::from_secs(5)));
    /// // Another call of the same service, which starts after that.
    /// let other = async {
    ///     rate.acquire(1, clock.timer()).await;
    ///     clock.now()
    /// };
    /// let (called, started) = clock.run(abreast::gather((run, other)));
    /// assert_eq!(called, Ok(2));
    /// assert!(started >= Duration::from_secs(5));
    /// # }
    /// ```
    ///
    /// # Order
    /// The rate is waited for last, after the delay, and within the [total time](super::RetryFuture::total_time). A run
    /// that starts retried tasks by [the same rate](crate::Parallel::rate) would have it count each first attempt
    /// twice.
    ///
    /// # Cancel safety
    /// The place in its line is given up with the future, and when the time is up.
    ///
    /// # Panics
    /// The future panics without the feature `std`, if the timer has no clock: see [`Timer::now`].
    #[must_use]
    pub fn rate(mut self, rate: &Rate) -> Self {
        self.plan.rate = Some(rate.clone());
        self
    }

    /// Makes jitter the same every time, for tests. Every task and operation draws the same numbers then.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.plan.seed = Some(seed);
        self
    }

    /// Returns the seed of the jitter, if one was set.
    #[must_use]
    pub const fn get_seed(&self) -> Option<u64> {
        self.plan.seed
    }
}

impl_debug!(Retry<P> |self| { plan: self.plan });
