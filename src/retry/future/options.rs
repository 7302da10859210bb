//! The settings of a retried task, each a method.

use core::time::Duration;

use super::RetryFuture;
use crate::retry::handlers::{ClassifyBy, DelayBy, OnRetry, ShouldRetry};
use crate::retry::{Classification, FailedTry};
use crate::time::Timer;

impl<F, Fut, M: Timer, E, H> RetryFuture<F, Fut, M, E, H> {
    /// Limits the whole: all attempts, and the delays between them.
    ///
    /// When the time is up, the attempt that runs is dropped. A retry that could not start in time is not waited for.
    /// Time is measured from the first poll.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::{Retry, retry};
    /// use abreast::retry::GiveUp;
    ///
    /// # #[tokio::main]
    /// # async fn main() {
    /// let hangs = || std::future::pending::<Result<(), String>>();
    /// let error = retry(Retry::recommended(), tokio::time::sleep, hangs)
    ///     .total_time(Duration::from_millis(5))
    ///     .await
    ///     .unwrap_err();
    /// assert_eq!(error.reason, GiveUp::OutOfTime);
    /// # }
    /// ```
    pub fn total_time(mut self, limit: Duration) -> Self {
        self.total_time = Some(limit);
        self
    }

    /// Classifies errors by a closure. Without one, each error is of the category
    /// [`Model`](crate::retry::Category::Model): it is retried, and counts against
    /// [`attempts`](crate::Retry::attempts).
    ///
    /// It returns a [`Category`](crate::retry::Category), or a [`Classification`] if the other side has said when to
    /// try again. If the error has the trait [`Classify`](crate::retry::Classify), [`Classification::of`] is such a
    /// closure.
    ///
    /// ```
    /// use std::{io, time::Duration};
    /// use abreast::retry::{Category, Classification};
    /// use abreast::{Retry, retry};
    ///
    /// # smol::block_on(async {
    /// struct Status(u16);
    ///
    /// let fetch = || async { Err::<(), _>(Status(404)) };
    /// let error = retry(Retry::recommended(), smol::Timer::after, fetch)
    ///     .classify(|status| match status.0 {
    ///         429 => Category::Transient.retry_after(Duration::from_secs(2)),
    ///         status => Category::from_status(status).into(),
    ///     })
    ///     .await
    ///     .unwrap_err();
    /// assert_eq!(error.attempts, 1);
    ///
    /// let open = || async { Err::<(), _>(io::Error::from(io::ErrorKind::PermissionDenied)) };
    /// let error = retry(Retry::recommended(), smol::Timer::after, open)
    ///     .classify(Classification::of)
    ///     .await
    ///     .unwrap_err();
    /// assert_eq!(error.failed[0].category, Category::Fatal);
    /// # });
    /// ```
    pub fn classify<G, C>(self, classify: G) -> RetryFuture<F, Fut, M, E, (H, ClassifyBy<G>)>
    where
        G: FnMut(&E) -> C,
        C: Into<Classification>,
    {
        self.with(ClassifyBy(classify))
    }

    /// Calls `should_retry` before each retry that the policy allows; if it returns `false`, there is none. If it is
    /// given more than once, all must agree.
    ///
    /// ```
    /// use abreast::{Retry, retry};
    ///
    /// # smol::block_on(async {
    /// let parse = || async { "twelve".parse::<u32>() };
    /// let error = retry(Retry::recommended(), smol::Timer::after, parse)
    ///     .should_retry(|failed| failed.error.to_string() == "timed out")
    ///     .await
    ///     .unwrap_err();
    /// assert_eq!(error.attempts, 1);
    /// # });
    /// ```
    pub fn should_retry<G>(self, should_retry: G) -> RetryFuture<F, Fut, M, E, (H, ShouldRetry<G>)>
    where
        G: FnMut(&FailedTry<E>) -> bool,
    {
        self.with(ShouldRetry(should_retry))
    }

    /// Calls `delay` for the delay before each retry; where it returns `None`, the delay is what it would be without.
    ///
    /// It outweighs the strategy, the other side's wish, and [`max_delay`](crate::Retry::max_delay). If it is given
    /// more than once, the first that returns a delay counts.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::{Retry, retry};
    ///
    /// # smol::block_on(async {
    /// let fetch = || async { Err::<(), _>("busy") };
    /// let error = retry(Retry::recommended(), smol::Timer::after, fetch)
    ///     .delay(|failed| (failed.error == "busy").then_some(Duration::from_millis(1)))
    ///     .await
    ///     .unwrap_err();
    /// assert_eq!(error.failed[0].delay, Some(Duration::from_millis(1)));
    /// # });
    /// ```
    pub fn delay<G>(self, delay: G) -> RetryFuture<F, Fut, M, E, (H, DelayBy<G>)>
    where
        G: FnMut(&FailedTry<E>) -> Option<Duration>,
    {
        self.with(DelayBy(delay))
    }

    /// Calls `hook` with each attempt that failed and is followed by another, before its delay.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::{Retry, retry};
    ///
    /// # smol::block_on(async {
    /// let policy = Retry::recommended().base_delay(Duration::from_millis(1));
    /// let mut numbers = ["one", "2"].into_iter();
    /// let number = retry(policy, smol::Timer::after, || {
    ///     let number = numbers.next().unwrap_or_default();
    ///     async move { number.parse::<u32>() }
    /// })
    /// .on_retry(|failed| eprintln!("attempt {}: {}", failed.attempt, failed.error))
    /// .await;
    /// assert_eq!(number, Ok(2));
    /// # });
    /// ```
    pub fn on_retry<G>(self, hook: G) -> RetryFuture<F, Fut, M, E, (H, OnRetry<G>)>
    where
        G: FnMut(&FailedTry<E>),
    {
        self.with(OnRetry(hook))
    }

    /// Adds a handler behind those that there are.
    fn with<X>(self, handler: X) -> RetryFuture<F, Fut, M, E, (H, X)> {
        // An `Unpin` one may have been polled already: then it starts over.
        let handlers = (self.handlers, handler);
        RetryFuture::from_parts(self.plan, self.timer, self.open, self.total_time, handlers)
    }
}
