//! A future that may take only so long.

use core::error::Error;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::Timer;

/// Runs `future` for at most `duration`, counted from its first poll.
///
/// ```
/// use std::time::Duration;
/// use abreast::timeout;
///
/// # smol::block_on(async {
/// async fn fetch(url: &str) -> Result<String, std::io::Error> {
///     // ...
/// #    Ok(url.to_owned())
/// }
///
/// match timeout(Duration::from_secs(5), smol::Timer::after, fetch("/health")).await {
///     Ok(Ok(page)) => println!("{page}"),
///     Ok(Err(error)) => println!("failed: {error}"),
///     Err(elapsed) => println!("{elapsed}"), // timed out after 5s
/// }
/// # });
/// ```
///
/// With a timeout for each operation, a slow one costs its own time only:
///
/// ```
/// use std::time::Duration;
/// use abreast::{Elapsed, parallel, timeout};
/// # use std::future::pending;
///
/// #[derive(Debug, PartialEq)]
/// enum FetchError {
///     Slow(Elapsed),
/// }
///
/// # smol::block_on(async {
/// let fetch = |id: u32| async move {
///     if id == 2 {
///         pending::<()>().await;
///     }
///     id
/// };
/// let result = parallel((0..4).map(|id| async move {
///     timeout(Duration::from_millis(1), smol::Timer::after, fetch(id)).await.map_err(FetchError::Slow)
/// }))
/// .await;
/// assert_eq!(result.successful_results().collect::<Vec<_>>(), [&0, &1, &3]);
/// # });
/// ```
///
/// # Order
/// The future is polled before the timer: if both are ready, the future wins.
///
/// # Errors
/// [`Elapsed`] if the timer fires first.
///
/// # Cancel safety
/// Dropping it drops the future and the timer. When it resolves, both have been dropped already.
///
/// # Panics
/// A panic of the future or of the timer passes through.
///
/// # Polls and allocations
/// The timer is asked for when the future was not ready on its first poll, and never if it was. Each poll polls the future
/// and, if that is pending, the timer. No allocations.
pub fn timeout<M, Fut>(duration: Duration, timer: M, future: Fut) -> Timeout<Fut, M>
where
    M: Timer,
    Fut: Future,
{
    Timeout {
        future: Some(future),
        sleep: None,
        timer,
        duration,
    }
}

/// The future took too long: see [`timeout`].
///
/// ```
/// use std::time::Duration;
/// use abreast::timeout;
///
/// # smol::block_on(async {
/// let never = std::future::pending::<()>();
/// let elapsed = timeout(Duration::from_millis(1), smol::Timer::after, never).await.unwrap_err();
/// assert_eq!(elapsed.to_string(), "timed out after 1ms");
/// assert_eq!(elapsed.duration(), Duration::from_millis(1));
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Elapsed {
    duration: Duration,
}

impl Elapsed {
    /// How long the future had.
    ///
    /// ```
    /// # use std::{future::pending, time::Duration};
    /// # smol::block_on(async {
    /// let limit = Duration::from_millis(1);
    /// let elapsed = abreast::timeout(limit, smol::Timer::after, pending::<()>()).await.unwrap_err();
    /// assert_eq!(elapsed.duration(), limit);
    /// # });
    /// ```
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timed out after {:?}", self.duration)
    }
}

impl Error for Elapsed {}

pin_project! {
    /// The future of [`timeout`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Timeout<Fut, M>
    where
        M: Timer,
    {
        #[pin]
        future: Option<Fut>,
        #[pin]
        sleep: Option<M::Sleep>,
        timer: M,
        duration: Duration,
    }
}

impl<Fut: Future, M: Timer> Timeout<Fut, M> {
    /// Resolves to `default` if the future takes too long, and so never fails.
    ///
    /// ```
    /// # use std::{future::pending, time::Duration};
    /// # smol::block_on(async {
    /// let health = abreast::timeout(Duration::from_millis(1), smol::Timer::after, pending()).or("unknown").await;
    /// assert_eq!(health, "unknown");
    /// # });
    /// ```
    pub fn or(self, default: Fut::Output) -> TimeoutOr<Fut, M, Fut::Output> {
        TimeoutOr {
            timeout: self,
            default: Some(default),
        }
    }
}

impl<Fut, M> Future for Timeout<Fut, M>
where
    Fut: Future,
    M: Timer,
{
    type Output = Result<Fut::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = this.future.as_mut().as_pin_mut();
        let future = future.expect("`Timeout` was polled after it had resolved");
        let result = if let Poll::Ready(output) = future.poll(cx) {
            Ok(output)
        } else {
            if this.sleep.is_none() {
                this.sleep.set(Some(this.timer.sleep(*this.duration)));
            }
            if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
                ready!(sleep.poll(cx));
            }
            Err(Elapsed {
                duration: *this.duration,
            })
        };
        this.future.set(None);
        this.sleep.set(None);
        Poll::Ready(result)
    }
}

impl_fused!(FusedFuture for Timeout<Fut, M: Timer> |self| self.future.is_none());

impl_debug!(
    Timeout<Fut, M: Timer> |self| { duration: self.duration, resolved: self.future.is_none() }
);

pin_project! {
    /// The future of [`Timeout::or`].
    #[must_use = "futures do nothing unless polled"]
    pub struct TimeoutOr<Fut, M, T>
    where
        M: Timer,
    {
        #[pin]
        timeout: Timeout<Fut, M>,
        default: Option<T>,
    }
}

impl<Fut, M, T> Future for TimeoutOr<Fut, M, T>
where
    Fut: Future<Output = T>,
    M: Timer,
{
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.project();
        let result = ready!(this.timeout.poll(cx));
        let default = this.default.take();
        Poll::Ready(result.unwrap_or_else(|_| default.expect("it is taken only once")))
    }
}

impl_fused!(FusedFuture for TimeoutOr<Fut, M: Timer, T> |self| self.timeout.future.is_none());

impl_debug!(TimeoutOr<Fut, M: Timer, T> { timeout });
