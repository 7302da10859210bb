//! Timeouts of tokens.

use core::error::Error;
use core::fmt;
use core::time::Duration;

/// The time that an operation waits for tokens.
///
/// Neither is reset by empty tokens. What takes too long is a [`TimedOut`] of the category
/// [`Transient`](super::Category::Transient), and its stream is dropped before another one is opened.
///
/// ```
/// use std::time::Duration;
/// use abreast::operation::{Operation, Timeout};
/// # use futures::stream;
///
/// # smol::block_on(async {
/// # let tokens = || stream::iter([Ok::<_, String>("Hello")]);
/// let state = Operation::new(tokens)
///     .timer(smol::Timer::after)
///     .timeout(Timeout {
///         initial_token: Duration::from_secs(10),
///         inter_token: Duration::from_secs(30),
///     })
///     .run()
///     .await?;
/// # Ok::<_, abreast::operation::OperationFailure<String>>(())
/// # }).unwrap();
/// ```
///
/// Without a timer, that does not compile:
///
/// ```compile_fail,E0277
/// # use std::time::Duration;
/// # use abreast::operation::{Operation, Timeout};
/// # use futures::stream;
/// # smol::block_on(async {
/// # let tokens = || stream::iter([Ok::<_, String>("Hello")]);
/// Operation::new(tokens)
///     .timeout(Timeout::initial_token(Duration::from_secs(10))) // error: this setting waits, but there is no timer to wait by
///     .run()
///     .await;
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeout {
    /// From the opening of the stream, connecting included, to its first token that is not empty. [`Duration::MAX`] is
    /// no limit.
    pub initial_token: Duration,
    /// From one token that is not empty to the next, or to the end. [`Duration::MAX`] is no limit.
    pub inter_token: Duration,
}

impl Timeout {
    /// No limits.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::operation::Timeout;
    ///
    /// let patient_at_first = Timeout { inter_token: Duration::from_secs(30), ..Timeout::NONE };
    /// ```
    pub const NONE: Self = Self {
        initial_token: Duration::MAX,
        inter_token: Duration::MAX,
    };

    /// Limits the wait for the first token only.
    #[must_use]
    pub const fn initial_token(limit: Duration) -> Self {
        Self {
            initial_token: limit,
            ..Self::NONE
        }
    }

    /// Limits the wait for all tokens but the first.
    #[must_use]
    pub const fn inter_token(limit: Duration) -> Self {
        Self {
            inter_token: limit,
            ..Self::NONE
        }
    }

    /// Returns the limit of one kind, if there is one.
    pub(super) fn limit(&self, kind: TimeoutKind) -> Option<Duration> {
        let limit = match kind {
            TimeoutKind::InitialToken => self.initial_token,
            TimeoutKind::InterToken => self.inter_token,
        };
        (limit != Duration::MAX).then_some(limit)
    }
}

/// The token that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeoutKind {
    /// The first of a stream.
    InitialToken,
    /// One after the first.
    InterToken,
}

/// A token took too long.
///
/// ```
/// use std::time::Duration;
/// use abreast::operation::{AttemptError, Operation, Timeout, TimeoutKind};
/// use futures::stream;
///
/// # smol::block_on(async {
/// let limit = Duration::from_millis(1);
/// let failure = Operation::new(|| stream::pending::<Result<&str, String>>())
///     .timer(smol::Timer::after)
///     .timeout(Timeout::initial_token(limit))
///     .run()
///     .await
///     .unwrap_err();
/// let AttemptError::TimedOut(timed_out) = failure.error else { panic!() };
/// assert_eq!((timed_out.kind, timed_out.after), (TimeoutKind::InitialToken, limit));
/// assert_eq!(timed_out.to_string(), "no token came within 1ms");
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimedOut {
    /// The token that was waited for.
    pub kind: TimeoutKind,
    /// The time that it had.
    pub after: Duration,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TimeoutKind::InitialToken => write!(f, "no token came within {:?}", self.after),
            TimeoutKind::InterToken => write!(f, "no further token came within {:?}", self.after),
        }
    }
}

impl Error for TimedOut {}
