//! Retries: whether to try again, and when.
//!
//! ```text
//! an attempt has failed with an error of some category
//!   |
//!   |  Budget: is any of `max_retries` left, and of `attempts` if the model is to blame? Fatal errors have no budget
//!   |-- no --------------------------------------------------> the next stream, with a fresh budget, or the end
//!   |  RetryPredicates: do all closures of `should_retry` allow it?
//!   |-- no --------------------------------------------------> the same
//!   v
//! the delay: that of the first closure of `delay` that knows one,
//!   or else what the error asks for (`retry_after`, up to `max_delay`),
//!   or else Strategy, with Jitter
//! ```
//!
//! `Session::on_failure` puts these questions.

mod budget;
mod jitter;
mod predicates;
mod strategy;

use core::time::Duration;

use crate::operation::classify::Category;
use crate::operation::outcome::{AttemptError, State};
pub(in crate::operation) use budget::Budget;
pub(in crate::operation) use jitter::Jitter;
pub use predicates::{RetryPredicates, SharedPredicates};
pub use strategy::Strategy;

/// A policy of retries: how often an operation opens a stream again, and after which delays.
///
/// Each stream, the primary and every fallback, has a fresh budget. Without a `Retry` there are no retries.
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
/// use abreast::operation::{Retry, Strategy};
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
/// An operation is given one:
///
/// ```
/// use std::time::Duration;
/// use abreast::operation::{Operation, Retry};
/// # use futures::stream;
///
/// # smol::block_on(async {
/// # let mut calls = 0;
/// # let tokens = move || { calls += 1; stream::iter([if calls == 1 { Err("broken") } else { Ok("Hello") }]) };
/// let state = Operation::new(tokens)
///     .timer(smol::Timer::after)
///     .retry(Retry::recommended().base_delay(Duration::from_millis(1)))
///     .run()
///     .await?;
/// assert_eq!(state.model_retry_count, 1);
/// # Ok::<_, abreast::operation::OperationFailure<&str>>(())
/// # }).unwrap();
/// ```
///
/// Delays need a timer. Without one, that does not compile:
///
/// ```compile_fail,E0277
/// # use abreast::operation::{Operation, Retry};
/// # use futures::stream;
/// # smol::block_on(async {
/// # let tokens = || stream::iter([Ok::<_, String>("Hello")]);
/// Operation::new(tokens)
///     .retry(Retry::recommended()) // error: this setting waits, but there is no timer to wait by
///     .run()
///     .await;
/// # });
/// ```
///
/// Either there is a [`timer`](super::Operation::timer), or it [retries at once](super::Operation::retry_at_once).
///
/// The parameter is `()`, or [`RetryPredicates`] if it has closures for errors of one type, given by
/// [`should_retry`](Self::should_retry) or [`delay`](Self::delay). Clones share these closures.
#[derive(Clone)]
pub struct Retry<P = ()> {
    pub(in crate::operation) plan: Plan,
    pub(in crate::operation) predicates: P,
}

/// The figures of a [`Retry`].
#[derive(Clone, Copy, Debug)]
pub(in crate::operation) struct Plan {
    pub(in crate::operation) attempts: u32,
    pub(in crate::operation) max_retries: u32,
    pub(in crate::operation) base_delay: Duration,
    pub(in crate::operation) max_delay: Duration,
    pub(in crate::operation) strategy: Strategy,
    pub(in crate::operation) seed: Option<u64>,
    /// Whether there are delays at all: only then there must be a timer.
    pub(in crate::operation) waits: bool,
}

impl Plan {
    pub(in crate::operation) const fn without_delay(self) -> Self {
        Self {
            waits: false,
            ..self
        }
    }
}

/// An attempt that failed, as closures see it: see [`Retry::should_retry`].
#[derive(Debug)]
#[non_exhaustive]
pub struct RetryContext<'a, E> {
    /// The error.
    pub error: &'a AttemptError<E>,
    /// What the operation has come to, with the content of the attempt that failed.
    pub state: &'a State,
    /// The number of the retry of the stream that may follow: 1 is the first.
    pub attempt: u32,
    /// The category of the error.
    pub category: Category,
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
        /// Limits the retries of a stream after errors of the categories [`Model`](Category::Model) and
        /// [`Content`](Category::Content); 3 by default, which makes four calls.
        attempts, get_attempts: u32;

        /// Limits the retries of a stream, whatever the errors; 6 by default.
        max_retries, get_max_retries: u32;

        /// Sets what the [strategy](Self::strategy) starts from; a second by default.
        base_delay, get_base_delay: Duration;

        /// Limits delays, those that the other side [asks for](super::Classify::retry_after) included; 10 seconds by default.
        max_delay, get_max_delay: Duration;

        /// Sets how delays grow; [`Strategy::FixedJitter`] by default.
        strategy, get_strategy: Strategy;
    }

    /// Makes jitter the same every time, for tests. Every operation draws the same numbers then.
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

    /// Calls `should_retry` before each retry that the budget allows; if it returns `false`, there is none.
    ///
    /// Errors of the category [`Fatal`](Category::Fatal) are never retried, whatever it would say. If it is given more
    /// than once, all must agree.
    ///
    /// ```
    /// use abreast::operation::{AttemptError, Operation, Retry};
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// let retry = Retry::recommended()
    ///     .should_retry(|failed| !matches!(failed.error, AttemptError::Stream("context too long")));
    /// let failure = Operation::new(|| stream::iter([Err::<String, _>("context too long")]))
    ///     .retry_at_once(retry)
    ///     .run()
    ///     .await
    ///     .unwrap_err();
    /// assert_eq!(failure.state.model_retry_count, 0);
    /// # });
    /// ```
    #[must_use]
    pub fn should_retry<E>(
        self,
        should_retry: impl Fn(&RetryContext<'_, E>) -> bool + Send + Sync + 'static,
    ) -> Retry<RetryPredicates<E>>
    where
        P: Into<RetryPredicates<E>>,
    {
        let mut predicates = self.predicates.into();
        predicates.add_should_retry(should_retry);
        Retry {
            plan: self.plan,
            predicates,
        }
    }

    /// Calls `delay` for the delay before each retry; where it returns `None`, the delay is what it would be without.
    ///
    /// It outweighs the strategy, the other side's wish, and [`max_delay`](Self::max_delay). If it is given more than once,
    /// the first that returns a delay counts.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::operation::{Category, Retry, RetryContext};
    ///
    /// let retry = Retry::recommended().delay(|failed: &RetryContext<'_, String>| {
    ///     (failed.category == Category::Network).then_some(Duration::from_millis(100))
    /// });
    /// ```
    #[must_use]
    pub fn delay<E>(
        self,
        delay: impl Fn(&RetryContext<'_, E>) -> Option<Duration> + Send + Sync + 'static,
    ) -> Retry<RetryPredicates<E>>
    where
        P: Into<RetryPredicates<E>>,
    {
        let mut predicates = self.predicates.into();
        predicates.add_delay(delay);
        Retry {
            plan: self.plan,
            predicates,
        }
    }
}

impl_debug!(Retry<P> |self| { plan: self.plan });
