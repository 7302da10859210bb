//! Operations: streams of tokens that are consumed, retried, timed out, checked and reported on.
//!
//! An [`Operation`] opens a stream of tokens, as language models send them, and resolves when the stream is consumed: to a
//! [`State`] with the content, or to an [`OperationFailure`] with everything that there was until then. On the way it
//!
//! - [retries](Retry) what failed, as far as the [category](Category) of the error allows it,
//! - [falls back](Operation::fallback) on other streams,
//! - gives up on tokens that [take too long](Timeout),
//! - holds the content to [guardrails](Guardrails),
//! - reports [events](Event) and [tokens](Operation::on_token).
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
//! let state = Operation::new(|| client.stream(prompt))     .timer(smol::Timer::after)
//!     .fallback(|| cheaper.stream(prompt))
//! // or tokio::time::sleep; before what waits
//!     .retry(Retry::recommended())
//!     .timeout(Timeout {
//!         initial_token: Duration::from_secs(10),
//!         inter_token: Duration::from_secs(30),
//!     })
//!     .guardrails(Guardrails::recommended())
//!     .on_event(|event| println!("{event:?}"))
//!     .on_token(|token| print!("{token}"))
//!     .context([("user_id", "user_123")])
//!     .run()
//!     .await?;
//! assert_eq!(state.content, "Hola");
//! # Ok::<_, abreast::operation::OperationFailure<std::io::Error>>(())
//! # }).unwrap();
//! ```
//!
//! An operation is a future, and so a task of every verb. A function returns one by its [`Source`], and by the [timer](crate::Timer)
//! if it has one:
//!
//! ```
//! use abreast::{parallel, race, Timer};
//! use abreast::operation::{Operation, Retry, Source};
//! # use futures::stream;
//!
//! fn ask(model: &'static str) -> Operation<impl Source<Error = String>, impl Timer> {
//!     Operation::new(move || stream::iter([Ok(model)]))         .timer(smol::Timer::after)
//!
//!         .retry(Retry::recommended())
//! }
//!
//! # smol::block_on(async {
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
mod handlers;
mod outcome;
mod pool;
mod retry;
mod settings;
mod source;
mod telemetry;
mod timeout;
mod timer;

use pin_project_lite::pin_project;

use self::future::Phase;
use self::future::session::Session;
use self::timer::Clock;
use crate::time::Sleep;

pub use classify::{Category, Classification, Classify};
pub use context::EventContext;
pub use event::{Event, EventKind, GuardrailPhase, OperationId, Recovery};
pub use guardrails::{Checker, GuardrailContext, Guardrails, Rule, Severity, Violation, rules};
pub use outcome::{AttemptError, FailedAttempt, OperationFailure, State};
pub use pool::{OperationPool, OperationPoolBuilder, create_pool};
pub use retry::{Retry, RetryContext, RetryPredicates, SharedPredicates, Strategy};
pub use source::{Connections, Connects, IntoSource, Opens, Source, Streams, Tokens};
pub use telemetry::{AggregatedTelemetry, Telemetry};
pub use timeout::{TimedOut, Timeout, TimeoutKind};
pub use timer::{HasTimer, NoTimer, OptionalTimer};

pin_project! {
    /// Consumes a stream of tokens, with retries, fallbacks, timeouts and guardrails: see the [module](self).
    ///
    /// It is a future of `Result<State, OperationFailure<E>>`, and so a task for every verb and pool. `S` is the
    /// [`Source`], `M` the [`Timer`](crate::Timer) or [`NoTimer`], and `E` the error of the streams, which follows from `S`.
    ///
    /// # Order
    /// Nothing happens until it is polled. A stream is dropped before another one is opened, and before events report that
    /// its attempt has failed. Tokens are appended to the content first, then given to handlers, then checked.
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
    /// caught and fails it. A panic of a source, a stream, a timer, or a closure that classifies or retries errors passes
    /// through to whoever polls it.
    ///
    /// # Polls and allocations
    /// The stream is polled until it is pending, or 256 times; the operation then wakes itself. One allocation, for the
    /// content as it grows, and none for tokens. A timer is set when a stream is pending and a new token is waited for.
    /// Each attempt that is checked by guardrails makes a checker for each rule. Failed attempts are kept.
    #[project = OperationProjection]
    #[must_use = "operations do nothing unless polled"]
    pub struct Operation<S, M = NoTimer, E = <S as Tokens>::Error>
    where
        S: Tokens,
        M: OptionalTimer,
    {
        // What to open, and the stream that is open.
        #[pin]
        source: S,
        timer: M,
        // The wait for a token, or for a retry.
        #[pin]
        sleep: Sleep<M::Sleep>,
        clock: Clock,
        phase: Phase,
        session: Session<E>,
    }
}

impl_debug!(Operation<S: Tokens, M: OptionalTimer, E> |self| {
    phase: self.phase,
    state: self.session.state(),
});
