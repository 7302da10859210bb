//! Operations: streams of tokens that are consumed, retried, timed out, checked and reported on.
//!
//! An [`Operation`] opens a stream of tokens, as language models send them, and resolves when the stream is consumed: to a
//! [`State`] with the content, or to an [`OperationFailure`] with everything that there was until then. On the way it
//!
//! - [retries](Retry) what failed, as long as the [category](Category) of the error gives hope,
//! - [falls back](Operation::fallback) on other streams,
//! - gives up on tokens that [take too long](Timeout),
//! - holds the content to [guardrails](Guardrails),
//! - tells of [events](Event) and of [tokens](Operation::on_token).
//!
//! ```
//! use std::time::Duration;
//! use abreast::operation::{Guardrails, Operation, Retry, Timeout};
//! # use futures::stream::{self, Stream};
//!
//! # struct Client(&'static str);
//! # impl Client {
//! #     fn stream(&self, prompt: &str) -> impl Stream<Item = Result<&'static str, std::io::Error>> + use<> {
//! #         stream::iter([Ok(self.0)])
//! #     }
//! # }
//! # let (client, cheaper, prompt) = (Client("Hola"), Client("Hola"), "Translate to Spanish: Hello");
//! # smol::block_on(async {
//! let state = Operation::new(|| client.stream(prompt))
//!     .fallback(|| cheaper.stream(prompt))
//!     .retry(Retry::recommended())
//!     .timeout(Timeout {
//!         initial_token: Duration::from_secs(10),
//!         inter_token: Duration::from_secs(30),
//!     })
//!     .guardrails(Guardrails::recommended())
//!     .on_event(|event| println!("{event:?}"))
//!     .on_token(|token| print!("{token}"))
//!     .context([("user_id", "user_123")])
//!     .timer(smol::Timer::after) // or tokio::time::sleep
//!     .run()
//!     .await?;
//! assert_eq!(state.content, "Hola");
//! # Ok::<_, abreast::operation::OperationFailure<std::io::Error>>(())
//! # }).unwrap();
//! ```
//!
//! An operation is a future, and so a task of every verb:
//!
//! ```
//! use abreast::{operation::Operation, parallel, race};
//! # use futures::stream;
//!
//! # smol::block_on(async {
//! let ask = |model: &'static str| Operation::new(move || stream::iter([Ok::<_, String>(model)]));
//! let all = parallel(["large", "small"].map(ask)).concurrency(2).await;
//! assert_eq!(all[1].value().unwrap().content, "small");
//! let first = race(["large", "small"].map(ask)).await.unwrap();
//! assert_eq!(first.value.content, "large");
//! # });
//! ```
#![doc = include_str!("twins.md")]

mod builder;
mod classify;
mod context;
mod event;
mod future;
mod guardrails;
mod hooks;
mod outcome;
mod parts;
mod pool;
mod retry;
mod source;
mod telemetry;
mod timeout;
mod waits;

use core::fmt;

use pin_project_lite::pin_project;

use classify::ByTrait;
use future::session::Session;
use parts::Parts;
use source::Sources;
use waits::Waits;

pub use classify::{Category, Classification, Classify};
pub use context::Context;
pub use event::{Event, EventKind, GuardrailPhase, OperationId, Recovery};
pub use guardrails::{Checker, GuardrailContext, Guardrails, Rule, Severity, Violation, rules};
pub use outcome::{AttemptError, FailedAttempt, OperationFailure, State};
pub use pool::{OperationPool, OperationPoolBuilder, create_pool};
pub use retry::Strategy;
pub use retry::{Retry, RetryContext};
pub use source::Source;
pub use telemetry::{AggregatedTelemetry, Telemetry};
pub use timeout::{TimedOut, Timeout, TimeoutKind};
pub use waits::{By, Delayed, Immediate, Unset};

pin_project! {
    /// Consumes a stream of tokens, come what may: see the [module](self).
    ///
    /// It is a future of `Result<State, OperationFailure<E>>`, and so a task for every verb and pool. What is set is known
    /// to its type, so that what is not set costs nothing.
    ///
    /// # Order
    /// Nothing happens until it is polled. A stream is dropped before another one is opened, and before events tell that
    /// its attempt has failed. Tokens are appended to the content first, then told of, then checked.
    ///
    /// # Errors
    /// [`OperationFailure`], with the error and the content of the last attempt, and those of all before it.
    ///
    /// # Cancel safety
    /// Dropping it drops the stream and the timer at once. What was received is lost, unless
    /// [`on_token`](Self::on_token) has kept it.
    ///
    /// # Panics
    /// With the feature `std`, a panic of a handler is caught and has no effect on the operation; a panic of a rule is
    /// caught and fails it. A panic of a source, a stream, a timer, or a closure that judges errors passes through to
    /// whoever polls it.
    ///
    /// # Polls and allocations
    /// The stream is polled until it is pending, or 256 times; the operation then wakes itself. One allocation, for the
    /// content as it grows, and none for tokens. A timer is set when a stream is pending and a new token is waited for.
    /// Each attempt that looks at guardrails makes a checker for each rule. Failed attempts are kept.
    #[project = OperationProjection]
    #[must_use = "operations do nothing unless polled"]
    pub struct Operation<S, C = ByTrait, R = Unset, T = Unset, M = Unset, O = ()>
    where
        S: Sources,
        M: Waits,
    {
        #[pin]
        tokens: Option<S::Tokens>,
        #[pin]
        sleep: Option<M::Sleep>,
        parts: Parts<S, C, R, T, M, O>,
        session: Session<S::Error>,
    }
}

impl<S, C, R, T, M, O> fmt::Debug for Operation<S, C, R, T, M, O>
where
    S: Sources,
    M: Waits,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("phase", &self.session.phase)
            .field("state", &self.session.state)
            .finish_non_exhaustive()
    }
}
