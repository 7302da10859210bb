//! The closures of a retried task.

use core::time::Duration;

use super::{Classification, FailedTry};

/// What a retried task asks and tells: nothing, a closure, or two of these, of which the first was given first.
pub trait RetryHandler<E> {
    /// Returns the kind of failure, if this is known here.
    fn classify(&mut self, _: &E) -> Option<Classification> {
        None
    }

    /// Returns whether there may be a retry.
    fn allow(&mut self, _: &FailedTry<E>) -> bool {
        true
    }

    /// Returns the delay before a retry, if this is known here.
    fn delay(&mut self, _: &FailedTry<E>) -> Option<Duration> {
        None
    }

    /// Observes that a retry follows.
    fn on_retry(&mut self, _: &FailedTry<E>) {}
}

impl<E> RetryHandler<E> for () {}

impl<E, A: RetryHandler<E>, B: RetryHandler<E>> RetryHandler<E> for (A, B) {
    fn classify(&mut self, error: &E) -> Option<Classification> {
        // The last closure that was given counts.
        self.1.classify(error).or_else(|| self.0.classify(error))
    }

    fn allow(&mut self, failed: &FailedTry<E>) -> bool {
        self.0.allow(failed) && self.1.allow(failed)
    }

    fn delay(&mut self, failed: &FailedTry<E>) -> Option<Duration> {
        self.0.delay(failed).or_else(|| self.1.delay(failed))
    }

    fn on_retry(&mut self, failed: &FailedTry<E>) {
        self.0.on_retry(failed);
        self.1.on_retry(failed);
    }
}

/// A closure that classifies errors.
pub struct ClassifyBy<F>(pub(super) F);

impl<E, F, C> RetryHandler<E> for ClassifyBy<F>
where
    F: FnMut(&E) -> C,
    C: Into<Classification>,
{
    fn classify(&mut self, error: &E) -> Option<Classification> {
        Some((self.0)(error).into())
    }
}

/// A closure that may refuse a retry.
pub struct ShouldRetry<F>(pub(super) F);

impl<E, F: FnMut(&FailedTry<E>) -> bool> RetryHandler<E> for ShouldRetry<F> {
    fn allow(&mut self, failed: &FailedTry<E>) -> bool {
        (self.0)(failed)
    }
}

/// A closure that sets the delay before a retry.
pub struct DelayBy<F>(pub(super) F);

impl<E, F: FnMut(&FailedTry<E>) -> Option<Duration>> RetryHandler<E> for DelayBy<F> {
    fn delay(&mut self, failed: &FailedTry<E>) -> Option<Duration> {
        (self.0)(failed)
    }
}

/// A closure that observes retries.
pub struct OnRetry<F>(pub(super) F);

impl<E, F: FnMut(&FailedTry<E>)> RetryHandler<E> for OnRetry<F> {
    fn on_retry(&mut self, failed: &FailedTry<E>) {
        (self.0)(failed);
    }
}

impl_debug! { ClassifyBy<F> {} }
impl_debug! { ShouldRetry<F> {} }
impl_debug! { DelayBy<F> {} }
impl_debug! { OnRetry<F> {} }
