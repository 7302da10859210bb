//! A limit on the time that a future takes.
//!
//! ```text
//!            the future is ready                        the timer is dropped
//!   running --------------------> its output is kept ------------------------.
//!      |                                                                      >  done
//!      '------------------------> elapsed -----------------------------------'
//!            the timer has fired                        the future is dropped
//! ```

use core::error::Error;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::{Sleep, Timer};

/// Runs `future` for at most `duration`, counted from its first poll.
///
/// ```
/// use std::time::Duration;
/// use abreast::timeout;
///
/// # #[tokio::main]
/// # async fn main() {
/// async fn fetch(url: &str) -> Result<String, std::io::Error> {
///     // ...
/// #    Ok(url.to_owned())
/// }
///
/// match timeout(Duration::from_secs(5), tokio::time::sleep, fetch("/health")).await {
///     Ok(Ok(page)) => println!("{page}"),
///     Ok(Err(error)) => println!("failed: {error}"),
///     Err(elapsed) => println!("{elapsed}"), // timed out after 5s
/// }
/// # }
/// ```
///
/// With a timeout for each task, a slow one costs its own time only. The output of a future that may fail is a `Result`
/// within the other, which a verb would take for a success: the `?` behind `timeout` makes one of both.
///
/// ```
/// use std::time::Duration;
/// use abreast::{Elapsed, parallel, timeout};
/// # use std::future::pending;
///
/// #[derive(Debug, PartialEq)]
/// enum FetchError {
///     Down,
///     Slow(Elapsed),
/// }
///
/// # smol::block_on(async {
/// let fetch = |id: u32| async move {
///     match id {
///         2 => pending().await,
///         3 => Err(FetchError::Down),
///         _ => Ok(id),
///     }
/// };
/// let result = parallel((0..4).map(|id| async move {
///     timeout(Duration::from_millis(1), smol::Timer::after, fetch(id)).await.map_err(FetchError::Slow)?
/// }))
/// .await;
/// assert_eq!(result.successful_results().collect::<Vec<_>>(), [&0, &1]);
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
/// A panic of the future or of the timer passes through. If it was a destructor that panicked, the result is not lost:
/// the next poll returns it.
///
/// # Polls and allocations
/// The timer is asked for when the future was not ready on its first poll, and never if it was. Each poll polls the
/// future and, if that is pending, the timer. No allocations.
pub fn timeout<M, Fut>(
    duration: Duration,
    timer: M,
    future: Fut,
) -> TimeoutFuture<Fut, M, Fut::Output>
where
    M: Timer,
    Fut: Future,
{
    TimeoutFuture {
        future: Attempt::Running { future },
        sleep: Sleep::new(),
        timer,
        duration,
        elapsed: false,
        done: false,
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
    /// Returns the time that the future had.
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
    /// A future, and then its output until that is taken.
    #[project = AttemptProj]
    #[project_replace = AttemptReplaced]
    enum Attempt<Fut, T> {
        Running { #[pin] future: Fut },
        Done { output: T },
        Gone,
    }
}

impl<Fut: Future> Attempt<Fut, Fut::Output> {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let AttemptProj::Running { future } = self.as_mut().project() {
            let output = ready!(future.poll(cx));
            self.set(Self::Done { output });
        }
        Poll::Ready(())
    }

    fn take(mut self: Pin<&mut Self>) -> Option<Fut::Output> {
        match self.as_mut().project() {
            AttemptProj::Running { .. } | AttemptProj::Gone => None,
            AttemptProj::Done { .. } => match self.project_replace(Self::Gone) {
                AttemptReplaced::Done { output } => Some(output),
                _ => None,
            },
        }
    }
}

pin_project! {
    /// The future of [`timeout`].
    //
    // The output is a parameter, and `Fut` is not bound: the compiler could not prove for all lifetimes that a future
    // which borrows has an output, and so would not spawn what has this in it.
    #[must_use = "futures do nothing unless polled"]
    pub struct TimeoutFuture<Fut, M, T>
    where
        M: Timer,
    {
        // Keeps the output when the future has returned, until this future has resolved.
        #[pin]
        future: Attempt<Fut, T>,
        // Idle until the future has been pending once.
        #[pin]
        sleep: Sleep<M::Sleep>,
        timer: M,
        duration: Duration,
        // Whether the timer has fired first.
        elapsed: bool,
        done: bool,
    }
}

impl<Fut, M: Timer, T> TimeoutFuture<Fut, M, T> {
    /// Resolves to `default` if the future takes too long, and so never fails.
    ///
    /// ```
    /// # use std::{future::pending, time::Duration};
    /// # smol::block_on(async {
    /// let health = abreast::timeout(Duration::from_millis(1), smol::Timer::after, pending()).or("unknown").await;
    /// assert_eq!(health, "unknown");
    /// # });
    /// ```
    pub fn or(self, default: T) -> TimeoutOr<Fut, M, T> {
        TimeoutOr {
            timeout: self,
            default: Some(default),
        }
    }
}

impl<Fut, M> Future for TimeoutFuture<Fut, M, Fut::Output>
where
    Fut: Future,
    M: Timer,
{
    type Output = Result<Fut::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        assert!(
            !*this.done,
            "`TimeoutFuture` was polled after it had resolved"
        );
        // The future comes first, so that it wins when both are ready.
        if !*this.elapsed && this.future.as_mut().poll(cx).is_pending() {
            let sleep = this.sleep.as_mut();
            ready!(sleep.poll(cx, || this.timer.sleep(*this.duration)));
            *this.elapsed = true;
        }
        // Which of them was first is settled. The other is dropped before this resolves, and if its destructor panics,
        // the next poll comes here again.
        if *this.elapsed {
            this.future.set(Attempt::Gone);
        }
        this.sleep.stop();
        *this.done = true;
        let output = this.future.take();
        Poll::Ready(output.ok_or(Elapsed {
            duration: *this.duration,
        }))
    }
}

impl_fused!(FusedFuture for TimeoutFuture<Fut, M: Timer, T> |self| self.done);
impl_debug!(
    TimeoutFuture<Fut, M: Timer, T> |self| { duration: self.duration, resolved: self.done }
);

pin_project! {
    /// The future of [`TimeoutFuture::or`].
    #[must_use = "futures do nothing unless polled"]
    pub struct TimeoutOr<Fut, M, T>
    where
        M: Timer,
    {
        #[pin]
        timeout: TimeoutFuture<Fut, M, T>,
        // Taken when this resolves.
        default: Option<T>,
    }
}

impl<Fut, M> Future for TimeoutOr<Fut, M, Fut::Output>
where
    Fut: Future,
    M: Timer,
{
    type Output = Fut::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.timeout.poll(cx));
        let default = this.default.take();
        Poll::Ready(result.unwrap_or_else(|_| default.expect("it is taken only once")))
    }
}

impl_fused!(FusedFuture for TimeoutOr<Fut, M: Timer, T> |self| self.timeout.done);
impl_debug! { TimeoutOr<Fut, M: Timer, T> { timeout } }
