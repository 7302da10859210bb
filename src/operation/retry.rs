//! The closures of a policy of retries, for operations.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::time::Duration;

use super::outcome::{AttemptError, State};
use crate::retry::{Category, Retry};

type ShouldRetry<E> = dyn Fn(&RetryContext<'_, E>) -> bool + Send + Sync;
type Delay<E> = dyn Fn(&RetryContext<'_, E>) -> Option<Duration> + Send + Sync;

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

impl<P> Retry<P> {
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
        predicates.should_retry.push(Arc::new(should_retry));
        Retry {
            plan: self.plan,
            predicates,
        }
    }

    /// Calls `delay` for the delay before each retry; where it returns `None`, the delay is what it would be without.
    ///
    /// It outweighs the strategy, the other side's wish, and [`max_delay`](Self::max_delay). If it is given more than
    /// once, the first that returns a delay counts.
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
        predicates.delay.push(Arc::new(delay));
        Retry {
            plan: self.plan,
            predicates,
        }
    }
}

/// The closures of a [`Retry`] for errors of the type `E`, given by [`should_retry`](Retry::should_retry) or
/// [`delay`](Retry::delay).
pub struct RetryPredicates<E> {
    should_retry: Vec<Arc<ShouldRetry<E>>>,
    delay: Vec<Arc<Delay<E>>>,
}

impl<E> RetryPredicates<E> {
    /// Returns predicates that allow all retries and know no delays.
    pub(super) const fn none() -> Self {
        Self {
            should_retry: Vec::new(),
            delay: Vec::new(),
        }
    }

    /// Returns whether all closures allow a retry.
    pub(super) fn allow(&self, failed: &RetryContext<'_, E>) -> bool {
        self.should_retry.iter().all(|allows| allows(failed))
    }

    /// Returns the delay of the first closure that knows one.
    pub(super) fn delay(&self, failed: &RetryContext<'_, E>) -> Option<Duration> {
        self.delay.iter().find_map(|delay| delay(failed))
    }
}

/// A policy without closures retries all errors.
impl<E> From<()> for RetryPredicates<E> {
    fn from((): ()) -> Self {
        Self::none()
    }
}

impl<E> Clone for RetryPredicates<E> {
    fn clone(&self) -> Self {
        Self {
            should_retry: self.should_retry.clone(),
            delay: self.delay.clone(),
        }
    }
}

impl_debug!(RetryPredicates<E> |self| {
    should_retry: self.should_retry.len(),
    delay: self.delay.len(),
});

/// Closures that a pool can share among operations whose errors are of several types: nothing, or [`RetryPredicates`],
/// which are for the operations whose errors are of their type.
pub trait SharedPredicates {
    #[doc(hidden)]
    fn share(self) -> Option<Arc<dyn Any + Send + Sync>>;
}

impl SharedPredicates for () {
    fn share(self) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }
}

impl<E: 'static> SharedPredicates for RetryPredicates<E> {
    fn share(self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::new(self))
    }
}
