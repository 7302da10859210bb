//! The closures of a retry policy.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::time::Duration;

use super::RetryContext;

type ShouldRetry<E> = dyn Fn(&RetryContext<'_, E>) -> bool + Send + Sync;
type Delay<E> = dyn Fn(&RetryContext<'_, E>) -> Option<Duration> + Send + Sync;

/// The closures of a [`Retry`](super::Retry) for errors of the type `E`, given by
/// [`should_retry`](super::Retry::should_retry) or [`delay`](super::Retry::delay).
pub struct RetryPredicates<E> {
    should_retry: Vec<Arc<ShouldRetry<E>>>,
    delay: Vec<Arc<Delay<E>>>,
}

impl<E> RetryPredicates<E> {
    /// Returns predicates that allow all retries and know no delays.
    pub(in crate::operation) const fn none() -> Self {
        Self {
            should_retry: Vec::new(),
            delay: Vec::new(),
        }
    }

    pub(super) fn add_should_retry(
        &mut self,
        should_retry: impl Fn(&RetryContext<'_, E>) -> bool + Send + Sync + 'static,
    ) {
        self.should_retry.push(Arc::new(should_retry));
    }

    pub(super) fn add_delay(
        &mut self,
        delay: impl Fn(&RetryContext<'_, E>) -> Option<Duration> + Send + Sync + 'static,
    ) {
        self.delay.push(Arc::new(delay));
    }

    /// Returns whether all closures allow a retry.
    pub(in crate::operation) fn allow(&self, failed: &RetryContext<'_, E>) -> bool {
        self.should_retry.iter().all(|allows| allows(failed))
    }

    /// Returns the delay of the first closure that knows one.
    pub(in crate::operation) fn delay(&self, failed: &RetryContext<'_, E>) -> Option<Duration> {
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

/// Closures that a pool can share among operations whose errors are of several types: nothing, or [`RetryPredicates`], which
/// are for the operations whose errors are of their type.
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
