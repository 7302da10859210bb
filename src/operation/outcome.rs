//! The results of operations.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::mem;
use core::time::Duration;

use super::guardrails::Violation;
use super::timeout::TimedOut;
use crate::outcome::{BoxError, BoxErrors};
use crate::retry::Category;

/// The result of an operation, or as much of it as there is.
///
/// Times are since the start of the operation, and need a clock: that of the timer, or the feature `std`.
///
/// ```
/// use abreast::operation::Operation;
/// use futures::stream;
///
/// # smol::block_on(async {
/// let state = Operation::new(|| stream::iter(["Hel", "", "lo"].map(Ok::<_, String>))).run().await?;
/// assert_eq!(state.content, "Hello");
/// assert_eq!(state.token_count, 2);
/// assert!(state.completed);
/// # Ok::<_, abreast::operation::OperationFailure<String>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// All tokens of the last attempt.
    pub content: String,
    /// The number of tokens of the last attempt, those that were empty aside.
    pub token_count: usize,
    /// The number of chunks of the last attempt that were not text, such as calls of tools: see
    /// [`Operation::chunks`](super::Operation::chunks).
    pub other_chunks: usize,
    /// The number of retries after errors of the categories [`Model`](Category::Model) and
    /// [`Content`](Category::Content), over all streams.
    pub model_retry_count: u32,
    /// The number of retries after errors of the categories [`Network`](Category::Network) and
    /// [`Transient`](Category::Transient), over all streams.
    pub network_retry_count: u32,
    /// The index of the stream: 0 is the primary one, 1 the first fallback.
    pub fallback_index: usize,
    /// What the guardrails found in the last attempt, in the order in which they found it.
    pub violations: Vec<Violation>,
    /// Whether the stream ended and the content passed the guardrails.
    pub completed: bool,
    /// The time when the last attempt had its first token that was not empty.
    pub first_token_at: Option<Duration>,
    /// The time when the last attempt had its last token that was not empty.
    pub last_token_at: Option<Duration>,
    /// From start to end, retries and delays included.
    pub duration: Duration,
    /// The messages of all errors of the category [`Network`](Category::Network), over all streams.
    pub network_errors: Vec<String>,
}

impl State {
    /// Returns the tokens per second of the whole duration, if there were tokens and time has passed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::operation::State;
    ///
    /// let mut state = State::default();
    /// assert_eq!(state.tokens_per_second(), None);
    /// state.token_count = 30;
    /// state.duration = Duration::from_secs(2);
    /// assert_eq!(state.tokens_per_second(), Some(15.0));
    /// ```
    #[must_use]
    pub fn tokens_per_second(&self) -> Option<f64> {
        let seconds = self.duration.as_secs_f64();
        (self.token_count > 0 && seconds > 0.0).then(|| self.token_count as f64 / seconds)
    }

    /// Takes out what belongs to one attempt, so that the next one starts afresh.
    pub(super) fn start_afresh<E>(
        &mut self,
        error: AttemptError<E>,
        at: AttemptLocation,
    ) -> FailedAttempt<E> {
        // Retry counts, the index of the fallback and the errors of the network go on.
        self.first_token_at = None;
        self.last_token_at = None;
        FailedAttempt {
            error,
            category: at.category,
            fallback_index: at.fallback_index,
            attempt: at.attempt,
            content: mem::take(&mut self.content),
            token_count: mem::take(&mut self.token_count),
            other_chunks: mem::take(&mut self.other_chunks),
            violations: mem::take(&mut self.violations),
        }
    }
}

/// The place of a failed attempt among the others, and its category.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttemptLocation {
    pub(super) category: Category,
    pub(super) fallback_index: usize,
    pub(super) attempt: u32,
}

/// The error of an attempt.
///
/// ```
/// use abreast::operation::{AttemptError, Operation};
/// use futures::stream;
///
/// # smol::block_on(async {
/// let failure = Operation::new(|| stream::iter([Err::<&str, _>("no such model")])).run().await.unwrap_err();
/// assert_eq!(failure.error, AttemptError::Stream("no such model"));
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptError<E> {
    /// The stream failed, or could not be opened.
    #[error(transparent)]
    Stream(E),
    /// A token took too long.
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
    /// The [total time](super::Operation::total_time) of the operation, which this is, was up. That ends it.
    #[error("the total time of {0:?} was up")]
    OutOfTime(Duration),
    /// The content did not pass the guardrails. All that they found is in [`State::violations`].
    #[error("the rule {} was violated: {}", .0.rule, .0.message)]
    Violated(Box<Violation>),
    /// A rule panicked, which ends the operation. Needs the feature `std`: without it, the panic passes through.
    #[error("the rule {rule} panicked: {message}")]
    RulePanicked {
        /// The name of the rule.
        rule: String,
        /// What it panicked with.
        message: String,
    },
}

/// An attempt that failed, and was not the last.
///
/// See [`OperationFailure`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FailedAttempt<E> {
    /// The error.
    pub error: AttemptError<E>,
    /// The category of the error.
    pub category: Category,
    /// The index of the stream: 0 is the primary one, 1 the first fallback.
    pub fallback_index: usize,
    /// The number of the attempt within the stream: 1 is the first.
    pub attempt: u32,
    /// The tokens that came before it failed.
    pub content: String,
    /// The number of these tokens, those that were empty aside.
    pub token_count: usize,
    /// The number of chunks that were not text.
    pub other_chunks: usize,
    /// What the guardrails had found until then.
    pub violations: Vec<Violation>,
}

/// An operation failed, with everything that it had come to.
///
/// ```
/// use abreast::operation::{AttemptError, Operation};
/// use futures::stream;
///
/// # smol::block_on(async {
/// let failure = Operation::new(|| stream::iter([Ok("Hel"), Err("connection lost")]))
///     .fallback(|| stream::iter([Ok("Hi"), Err("overloaded")]))
///     .run()
///     .await
///     .unwrap_err();
/// assert_eq!(failure.to_string(), "overloaded");
/// assert_eq!(failure.error, AttemptError::Stream("overloaded"));
/// assert_eq!(failure.state.content, "Hi");
/// assert_eq!(failure.earlier[0].error, AttemptError::Stream("connection lost"));
/// assert_eq!(failure.earlier[0].content, "Hel");
/// assert_eq!(failure.errors().count(), 2);
/// # });
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OperationFailure<E> {
    /// The error of the last attempt.
    pub error: AttemptError<E>,
    /// What the operation has come to, with the content of the last attempt.
    pub state: Box<State>,
    /// All attempts before the last one, in order.
    pub earlier: Vec<FailedAttempt<E>>,
}

impl<E> OperationFailure<E> {
    /// Returns all errors, in order.
    pub fn errors(&self) -> impl Iterator<Item = &AttemptError<E>> {
        self.earlier
            .iter()
            .map(|attempt| &attempt.error)
            .chain([&self.error])
    }
}

impl<E: fmt::Display> fmt::Display for OperationFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// It displays as the error of the last attempt, and so has the source of that.
impl<E: Error + 'static> Error for OperationFailure<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> BoxErrors for AttemptError<E> {
    type Boxed = AttemptError<BoxError>;

    fn boxed(self) -> AttemptError<BoxError> {
        match self {
            Self::OutOfTime(total) => AttemptError::OutOfTime(total),
            Self::Stream(error) => AttemptError::Stream(BoxError::new(error)),
            Self::TimedOut(timed_out) => AttemptError::TimedOut(timed_out),
            Self::Violated(violation) => AttemptError::Violated(violation),
            Self::RulePanicked { rule, message } => AttemptError::RulePanicked { rule, message },
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> BoxErrors for OperationFailure<E> {
    type Boxed = OperationFailure<BoxError>;

    fn boxed(self) -> OperationFailure<BoxError> {
        let earlier = self.earlier.into_iter();
        OperationFailure {
            error: self.error.boxed(),
            state: self.state,
            earlier: earlier
                .map(|attempt| FailedAttempt {
                    error: attempt.error.boxed(),
                    category: attempt.category,
                    fallback_index: attempt.fallback_index,
                    attempt: attempt.attempt,
                    content: attempt.content,
                    token_count: attempt.token_count,
                    other_chunks: attempt.other_chunks,
                    violations: attempt.violations,
                })
                .collect(),
        }
    }
}
