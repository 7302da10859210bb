//! Whether to try again, and when.

pub(in crate::operation) mod judge;
pub(in crate::operation) mod strategy;

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use self::judge::{Delay, ShouldRetry};
use crate::operation::AttemptError;
use crate::operation::classify::Category;
use crate::operation::outcome::State;
use crate::operation::waits::{Delayed, Immediate};
pub use strategy::Strategy;

/// How often an operation tries a stream again, and after which delays.
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
/// use abreast::operation::{Operation, Retry, Strategy};
/// # use futures::stream;
///
/// # smol::block_on(async {
/// # let mut calls = 0;
/// # let tokens = move || { calls += 1; stream::iter([if calls == 1 { Err("broken") } else { Ok("Hello") }]) };
/// let state = Operation::new(tokens)
///     .retry(Retry::recommended().base_delay(Duration::from_millis(1)))
///     .timer(smol::Timer::after)
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
///     .retry(Retry::recommended())
///     .run() // error: this operation waits, but has no timer to wait by
///     .await;
/// # });
/// ```
///
/// Either there is a [`timer`](super::Operation::timer), or retries come [without delay](Self::without_delay).
///
/// Its parameters say how it was told to judge errors, by [`should_retry`](Self::should_retry) and
/// [`delay`](Self::delay), and whether it waits.
pub struct Retry<P = (), W = Delayed> {
    pub(in crate::operation) plan: Plan,
    pub(in crate::operation) judge: P,
    wait: PhantomData<fn() -> W>,
}

/// The figures of a [`Retry`].
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub(in crate::operation) attempts: u32,
    pub(in crate::operation) max_retries: u32,
    pub(in crate::operation) base_delay: Duration,
    pub(in crate::operation) max_delay: Duration,
    pub(in crate::operation) strategy: Strategy,
    pub(in crate::operation) seed: Option<u64>,
}

/// What there is to know about an attempt that failed: see [`Retry::should_retry`].
#[derive(Debug)]
#[non_exhaustive]
pub struct RetryContext<'a, E> {
    /// How it failed.
    pub error: &'a AttemptError<E>,
    /// What the operation has come to, with the content of the attempt that failed.
    pub state: &'a State,
    /// Which retry of the stream the next one would be: 1 is the first.
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
            },
            judge: (),
            wait: PhantomData,
        }
    }

    /// Few retries, with delays that grow evenly.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::minimal();
    /// ```
    #[must_use]
    pub const fn minimal() -> Self {
        Self::preset(2, 4, Strategy::Linear)
    }

    /// What suits most.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::recommended();
    /// ```
    #[must_use]
    pub const fn recommended() -> Self {
        Self::preset(3, 6, Strategy::FixedJitter)
    }

    /// As recommended, with delays that are spread as widely as can be.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::strict();
    /// ```
    #[must_use]
    pub const fn strict() -> Self {
        Self::preset(3, 6, Strategy::FullJitter)
    }

    /// Many retries, with delays that double.
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

impl<P, W> Retry<P, W> {
    /// How often a stream is opened again after errors of the categories [`Model`](Category::Model) and
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

    /// How often a stream is opened again, whatever the errors; 6 by default.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::recommended().max_retries(10);
    /// ```
    #[must_use]
    pub const fn max_retries(mut self, max_retries: u32) -> Self {
        self.plan.max_retries = max_retries;
        self
    }

    /// What the [strategy](Self::strategy) starts from; a second by default.
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

    /// The longest delay, that which the other side [asks for](super::Classify::retry_after) included; 10 seconds by
    /// default.
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

    /// How delays grow; [`Strategy::FixedJitter`] by default.
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

    /// Asks `veto` before each retry that the budget allows; if it returns `false`, there is none.
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
    ///     .without_delay()
    ///     .should_retry(|failed| !matches!(failed.error, AttemptError::Stream("context too long")));
    /// let failure = Operation::new(|| stream::iter([Err::<String, _>("context too long")]))
    ///     .retry(retry)
    ///     .run()
    ///     .await
    ///     .unwrap_err();
    /// assert_eq!(failure.state.model_retry_count, 0);
    /// # });
    /// ```
    #[must_use]
    pub fn should_retry<E, F>(self, veto: F) -> Retry<(P, ShouldRetry<F, E>), W>
    where
        F: Fn(&RetryContext<'_, E>) -> bool,
    {
        Retry {
            plan: self.plan,
            judge: (self.judge, ShouldRetry::new(veto)),
            wait: PhantomData,
        }
    }

    /// Asks `delay` for the delay before each retry; where it returns `None`, the delay is what it would be without.
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
    pub fn delay<E, F>(self, delay: F) -> Retry<(P, Delay<F, E>), Delayed>
    where
        F: Fn(&RetryContext<'_, E>) -> Option<Duration>,
    {
        Retry {
            plan: self.plan,
            judge: (self.judge, Delay::new(delay)),
            wait: PhantomData,
        }
    }

    /// Retries at once, whoever asks for what, and so needs no timer.
    ///
    /// ```
    /// let retry = abreast::operation::Retry::recommended().without_delay();
    /// ```
    #[must_use]
    pub fn without_delay(self) -> Retry<P, Immediate> {
        Retry {
            plan: self.plan,
            judge: self.judge,
            wait: PhantomData,
        }
    }
}

impl<P: Clone, W> Clone for Retry<P, W> {
    fn clone(&self) -> Self {
        Self {
            plan: self.plan,
            judge: self.judge.clone(),
            wait: PhantomData,
        }
    }
}

impl<P, W> fmt::Debug for Retry<P, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Retry").field(&self.plan).finish()
    }
}
