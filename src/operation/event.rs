//! The events of operations.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use super::context::EventContext;
use super::guardrails::Violation;
use super::timeout::TimeoutKind;
use crate::retry::Category;

/// Something that happened in an operation: see [`Operation::on_event`](super::Operation::on_event).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When: the time since the start of the operation. It never goes back. It needs a clock: that of the timer, or the
    /// feature `std`.
    pub at: Duration,
    /// To which operation.
    pub operation_id: OperationId,
    /// What the user attached to it.
    pub context: EventContext,
}

/// Identifies an operation within a process.
///
/// ```
/// # use abreast::operation::Operation;
/// # use futures::stream;
/// # smol::block_on(async {
/// let mut id = None;
/// Operation::new(|| stream::iter([Ok::<_, String>("Hello")]))
///     .on_event(|event| assert_eq!(*id.get_or_insert(event.operation_id), event.operation_id))
///     .run()
///     .await?;
/// println!("This was operation {}.", id.unwrap());
/// # Ok::<_, abreast::operation::OperationFailure<String>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(usize);

impl OperationId {
    /// Not yet started.
    pub(super) const NONE: Self = Self(0);

    pub(super) fn next() -> Self {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Returns the number: 1 for the first operation that was started.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0 as u64
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something that happens in an operation.
///
/// # Order
/// A success is `SessionStart`, what happened, `Complete`. In between:
///
/// | what happened | events |
/// |---|---|
/// | an attempt failed and is retried | \[`NetworkError`\], `Error` (recovery: `Retry`), `RetryStart`, `RetryAttempt`, (the delay), `AttemptStart`, the events of the new attempt, `RetryEnd` |
/// | a stream failed for good | `Error` (recovery: `Fallback`), \[`RetryGiveUp`\], `FallbackStart`, `FallbackSelected`, the events of the fallback, `FallbackEnd` |
/// | nothing is left to fall back on | `Error` (recovery: `Halt`), \[`RetryGiveUp`\] |
/// | a stream is opened, with a timeout for its first token | `TimeoutStart` |
/// | the first token or chunk comes, with a timeout for the others | `TimeoutStart` |
/// | another token or chunk comes, with a timeout for those | `TimeoutReset` |
/// | a token takes too long | `TimeoutTriggered`, and then the attempt has failed |
/// | guardrails check the content | `GuardrailPhaseStart`, a `GuardrailRuleResult` for each rule or, if there are some, each violation, `GuardrailPhaseEnd` |
///
/// What ends with a failed attempt is reported before its error: `RetryEnd` and, if no retry follows, `FallbackEnd`.
///
/// ```
/// use abreast::operation::{Operation, Retry};
/// use futures::stream;
///
/// # smol::block_on(async {
/// let mut names = Vec::new();
/// let mut calls = 0;
/// Operation::new(|| {
///     calls += 1;
///     stream::iter([if calls == 1 { Err("broken") } else { Ok("Hello") }])
/// })
/// .retry_at_once(Retry::recommended())
/// .on_event(|event| names.push(event.kind.name()))
/// .run()
/// .await?;
/// assert_eq!(
///     names,
///     ["SessionStart", "Error", "RetryStart", "RetryAttempt", "AttemptStart", "RetryEnd", "Complete"],
/// );
/// # Ok::<_, abreast::operation::OperationFailure<&str>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// The operation starts. Once, and first.
    SessionStart {
        /// The number of the attempt within its stream, from 1.
        attempt: u32,
        /// Whether the stream was opened before.
        is_retry: bool,
        /// Whether the stream is a fallback.
        is_fallback: bool,
    },
    /// A stream is opened again. The first retry of a stream is attempt 2.
    AttemptStart {
        /// The number of the attempt within its stream, from 1.
        attempt: u32,
        /// Whether the stream was opened before.
        is_retry: bool,
        /// Whether the stream is a fallback.
        is_fallback: bool,
    },
    /// The wait for a token starts.
    TimeoutStart {
        /// The token that is waited for.
        kind: TimeoutKind,
        /// The time that it may take.
        configured: Duration,
        /// The time that it has taken so far.
        elapsed: Duration,
    },
    /// A token came in time, and the next one is waited for.
    TimeoutReset {
        /// The token that is waited for.
        kind: TimeoutKind,
        /// The time that it may take.
        configured: Duration,
        /// The time that it has taken so far.
        elapsed: Duration,
    },
    /// A token took too long.
    TimeoutTriggered {
        /// The token that is waited for.
        kind: TimeoutKind,
        /// The time that it may take.
        configured: Duration,
        /// The time that it has taken so far.
        elapsed: Duration,
    },
    /// An attempt failed with an error of the category [`Network`](Category::Network).
    NetworkError {
        /// The message of the error.
        error: String,
    },
    /// An attempt failed.
    Error {
        /// The category of the error, which decides what follows.
        category: Category,
        /// What follows.
        recovery: Recovery,
        /// The message of the error.
        error: String,
    },
    /// There will be a retry.
    RetryStart,
    /// A retry waits for its delay.
    RetryAttempt {
        /// The number of the retry within its stream: 1 is the first.
        attempt: u32,
        /// The number of retries of the stream that there can be in all, those so far included, if all further errors
        /// are of this category.
        max_attempts: u32,
        /// The time that it waits.
        delay: Duration,
        /// The message of the error that led to it.
        reason: String,
    },
    /// A retry has ended.
    RetryEnd {
        /// Whether it succeeded.
        success: bool,
    },
    /// There is no further retry of the stream.
    RetryGiveUp {
        /// The number of attempts of the stream.
        attempts: u32,
        /// The message of the last error.
        last_error: String,
    },
    /// There is a stream to fall back on.
    FallbackStart {
        /// The stream that has failed: 0 is the primary one.
        from_index: usize,
        /// The stream that is next.
        to_index: usize,
        /// The message of the error that led to it.
        reason: String,
    },
    /// A fallback is about to be opened. 1 is the first.
    FallbackSelected {
        /// The index of the fallback: 1 is the first.
        index: usize,
    },
    /// A fallback has ended.
    FallbackEnd {
        /// The index of the fallback: 1 is the first.
        index: usize,
        /// Whether it succeeded.
        success: bool,
    },
    /// Guardrails start to check the content.
    GuardrailPhaseStart {
        /// The time at which they check it.
        phase: GuardrailPhase,
        /// The number of tokens so far, those that were empty aside.
        token_count: usize,
    },
    /// A rule found nothing, or this. A rule that found several things has several results.
    GuardrailRuleResult {
        /// The name of the rule.
        rule: Cow<'static, str>,
        /// Whether it found nothing.
        passed: bool,
        /// The violation that was found.
        violation: Option<Violation>,
    },
    /// Guardrails have checked the content.
    GuardrailPhaseEnd {
        /// The time at which they check it.
        phase: GuardrailPhase,
        /// Whether nothing worse than a warning was found.
        passed: bool,
    },
    /// The operation succeeded: last. The length is in bytes.
    Complete {
        /// The number of tokens so far, those that were empty aside.
        token_count: usize,
        /// The length of the content in bytes.
        content_length: usize,
    },
}

impl EventKind {
    /// Returns the name of the variant.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SessionStart { .. } => "SessionStart",
            Self::AttemptStart { .. } => "AttemptStart",
            Self::TimeoutStart { .. } => "TimeoutStart",
            Self::TimeoutReset { .. } => "TimeoutReset",
            Self::TimeoutTriggered { .. } => "TimeoutTriggered",
            Self::NetworkError { .. } => "NetworkError",
            Self::Error { .. } => "Error",
            Self::RetryStart => "RetryStart",
            Self::RetryAttempt { .. } => "RetryAttempt",
            Self::RetryEnd { .. } => "RetryEnd",
            Self::RetryGiveUp { .. } => "RetryGiveUp",
            Self::FallbackStart { .. } => "FallbackStart",
            Self::FallbackSelected { .. } => "FallbackSelected",
            Self::FallbackEnd { .. } => "FallbackEnd",
            Self::GuardrailPhaseStart { .. } => "GuardrailPhaseStart",
            Self::GuardrailRuleResult { .. } => "GuardrailRuleResult",
            Self::GuardrailPhaseEnd { .. } => "GuardrailPhaseEnd",
            Self::Complete { .. } => "Complete",
        }
    }
}

/// The consequence of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// The same stream is tried again.
    Retry,
    /// The next stream is tried.
    Fallback,
    /// Nothing: the operation has failed.
    Halt,
}

/// The time at which guardrails check the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuardrailPhase {
    /// While tokens come: those rules that run then.
    Streaming,
    /// At the end of the stream: all rules.
    Final,
}
