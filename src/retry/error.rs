//! The error of a task that was tried again in vain.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::time::Duration;

use super::Category;
use crate::outcome::{BoxError, BoxErrors, source_of, write_failure};

/// The reason why there was no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GiveUp {
    /// The last error is of the category [`Fatal`](Category::Fatal).
    Fatal,
    /// The [policy](super::Retry) allows no more retries.
    Exhausted,
    /// A closure of [`should_retry`](super::RetryFuture::should_retry) allowed none.
    Refused,
    /// The shared [`Budget`](crate::Budget) was empty.
    OutOfBudget,
    /// The [total time](super::RetryFuture::total_time) was up, or would have been before the next attempt.
    OutOfTime,
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fatal => "its error is fatal",
            Self::Exhausted => "no retry was left",
            Self::Refused => "another was refused",
            Self::OutOfBudget => "the shared budget was empty",
            Self::OutOfTime => "the time was up",
        })
    }
}

/// An attempt that failed.
///
/// Closures of a [`retry()`](crate::retry()) are called with one, and the final [`RetryError`] has them all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FailedTry<E> {
    /// The error that it returned.
    pub error: E,
    /// The category of the error.
    pub category: Category,
    /// The number of the attempt: 1 is the first.
    pub attempt: u32,
    /// The delay before the next attempt; `None` as long as it is not known, and if there is no next attempt.
    pub delay: Option<Duration>,
}

/// The error of a [`retry()`](crate::retry()): every attempt that failed, and why there was no other.
///
/// The error of the last attempt is its [`source`](Error::source), if that is an [`Error`]; [`boxed`](BoxErrors::boxed)
/// makes it one. So `{}` does not tell it, but `{:#}` does.
///
/// ```
/// use std::time::Duration;
/// use abreast::{Retry, retry};
/// use abreast::retry::GiveUp;
///
/// # smol::block_on(async {
/// let policy = Retry::recommended().attempts(1).base_delay(Duration::ZERO);
/// let mut errors = ["timed out", "refused"].into_iter();
/// let fetch = || std::future::ready(Err::<(), _>(errors.next().unwrap()));
///
/// let error = retry(policy, smol::Timer::after, fetch).await.unwrap_err();
/// assert_eq!(format!("{error}"), "gave up after 2 attempts: no retry was left");
/// assert_eq!(format!("{error:#}"), "gave up after 2 attempts: no retry was left: refused");
/// assert_eq!((error.attempts, error.reason), (2, GiveUp::Exhausted));
/// assert_eq!(error.failed[0].error, "timed out");
/// assert_eq!(error.into_last(), Some("refused"));
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RetryError<E> {
    /// The reason why there was no further attempt.
    pub reason: GiveUp,
    /// The number of attempts that were started. If the time was up in the midst of one, it has no error.
    pub attempts: u32,
    /// All attempts that failed, in order.
    pub failed: Vec<FailedTry<E>>,
}

impl<E> RetryError<E> {
    /// Returns the error of the last attempt that failed; `None` if the time was up before one had.
    #[must_use]
    pub fn last(&self) -> Option<&E> {
        self.failed.last().map(|failed| &failed.error)
    }

    /// Turns into the error of the last attempt that failed; `None` if the time was up before one had.
    #[must_use]
    pub fn into_last(mut self) -> Option<E> {
        self.failed.pop().map(|failed| failed.error)
    }

    /// Returns all errors, in order.
    pub fn errors(&self) -> impl Iterator<Item = &E> {
        self.failed.iter().map(|failed| &failed.error)
    }
}

impl<E: fmt::Display> fmt::Display for RetryError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reason, attempts, ..
        } = self;
        let plural = if *attempts == 1 { "" } else { "s" };
        write!(f, "gave up after {attempts} attempt{plural}: {reason}")?;
        // Without an error there is no cause to tell.
        match self.last() {
            Some(error) => write_failure(f, format_args!(""), error),
            None => Ok(()),
        }
    }
}

/// The source is the error of the last attempt that failed.
impl<E: Error + 'static> Error for RetryError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.last().map(source_of)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> BoxErrors for RetryError<E> {
    type Boxed = RetryError<BoxError>;

    fn boxed(self) -> RetryError<BoxError> {
        let failed = self.failed.into_iter();
        RetryError {
            reason: self.reason,
            attempts: self.attempts,
            failed: failed
                .map(|failed| FailedTry {
                    error: BoxError::new(failed.error),
                    category: failed.category,
                    attempt: failed.attempt,
                    delay: failed.delay,
                })
                .collect(),
        }
    }
}
