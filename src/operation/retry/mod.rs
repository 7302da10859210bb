//! Whether to try again, and when.

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
    /// How it failed.
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
    ///
    /// ```
    /// let retry = abreast::operation::Retry::minimal();
    /// ```
    #[must_use]
    pub const fn minimal() -> Self {
        Self::preset(2, 4, Strategy::Linear)
    }

    /// Retries as suits most.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::recommended();
    /// ```
    #[must_use]
    pub const fn recommended() -> Self {
        Self::preset(3, 6, Strategy::FixedJitter)
    }

    /// Retries as recommended, with delays that are spread as widely as can be.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::strict();
    /// ```
    #[must_use]
    pub const fn strict() -> Self {
        Self::preset(3, 6, Strategy::FullJitter)
    }

    /// Retries often, with delays that double.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::exponential();
    /// ```
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

impl<P> Retry<P> {
    /// Limits the retries of a stream after errors of the categories [`Model`](Category::Model) and
    /// [`Content`](Category::Content); 3 by default, which makes four calls.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::recommended().attempts(1);
    /// ```
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.plan.attempts = attempts;
        self
    }

    /// Limits the retries of a stream, whatever the errors; 6 by default.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::recommended().max_retries(10);
    /// ```
    #[must_use]
    pub const fn max_retries(mut self, max_retries: u32) -> Self {
        self.plan.max_retries = max_retries;
        self
    }

    /// Sets what the [strategy](Self::strategy) starts from; a second by default.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let retry = abreast::operation::Retry::recommended().base_delay(Duration::from_millis(100));
    /// ```
    #[must_use]
    pub const fn base_delay(mut self, delay: Duration) -> Self {
        self.plan.base_delay = delay;
        self
    }

    /// Limits delays, those that the other side [asks for](super::Classify::retry_after) included; 10 seconds by default.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let retry = abreast::operation::Retry::recommended().max_delay(Duration::from_secs(60));
    /// ```
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.plan.max_delay = delay;
        self
    }

    /// Sets how delays grow; [`Strategy::FixedJitter`] by default.
    ///
    /// ```
    /// use abreast::operation::{Retry, Strategy};
    ///
    /// let retry = Retry::recommended().strategy(Strategy::Fixed);
    /// ```
    #[must_use]
    pub const fn strategy(mut self, strategy: Strategy) -> Self {
        self.plan.strategy = strategy;
        self
    }

    /// Makes jitter the same every time, for tests. Every operation draws the same numbers then.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::recommended().seed(7);
    /// ```
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.plan.seed = Some(seed);
        self
    }

    /// Returns the limit that [`attempts`](Self::attempts) sets.
    ///
    /// ```
    /// assert_eq!(abreast::operation::Retry::exponential().get_attempts(), 4);
    /// ```
    #[must_use]
    pub const fn get_attempts(&self) -> u32 {
        self.plan.attempts
    }

    /// Returns the limit that [`max_retries`](Self::max_retries) sets.
    ///
    /// ```
    /// assert_eq!(abreast::operation::Retry::exponential().get_max_retries(), 8);
    /// ```
    #[must_use]
    pub const fn get_max_retries(&self) -> u32 {
        self.plan.max_retries
    }

    /// Returns the delay that [`base_delay`](Self::base_delay) sets.
    ///
    /// ```
    /// assert_eq!(abreast::operation::Retry::minimal().get_base_delay().as_secs(), 1);
    /// ```
    #[must_use]
    pub const fn get_base_delay(&self) -> Duration {
        self.plan.base_delay
    }

    /// Returns the limit that [`max_delay`](Self::max_delay) sets.
    ///
    /// ```
    /// assert_eq!(abreast::operation::Retry::minimal().get_max_delay().as_secs(), 10);
    /// ```
    #[must_use]
    pub const fn get_max_delay(&self) -> Duration {
        self.plan.max_delay
    }

    /// Returns how delays grow.
    ///
    /// ```
    /// use abreast::operation::{Retry, Strategy};
    ///
    /// assert_eq!(Retry::strict().get_strategy(), Strategy::FullJitter);
    /// ```
    #[must_use]
    pub const fn get_strategy(&self) -> Strategy {
        self.plan.strategy
    }

    /// Returns the seed of the jitter, if one was set.
    ///
    /// ```
    /// assert_eq!(abreast::operation::Retry::minimal().seed(7).get_seed(), Some(7));
    /// ```
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
