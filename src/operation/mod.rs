//! Operations: streams of tokens that are consumed, retried, timed out, checked and reported on.
//!
//! Needs the feature `operation`, which is not on by default: `cargo add abreast --features operation`.
//!
//! An [`Operation`] opens a stream of tokens, as language models send them, and resolves when the stream is consumed:
//! to a [`State`] with the content, or to an [`OperationFailure`] with everything that there was until then. On the way
//! it
//!
//! - [retries](Retry) what failed, as far as the [category](Category) of the error allows it,
//! - [falls back](Operation::fallback) on other streams,
//! - [races](first_token) several streams for the first token,
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
//! # #[tokio::main]
//! # async fn main() -> Result<(), abreast::operation::OperationFailure<std::io::Error>> {
//! # let (client, cheaper, prompt) = (Client("Hola"), Client("Hola"), "Translate to Spanish: Hello");
//! let state = Operation::new(|| client.stream(prompt))
//!     .fallback(|| cheaper.stream(prompt))
//!     .timer(tokio::time::sleep) // of your runtime; before what waits
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
//! # Ok(())
//! # }
//! ```
//!
//! An operation is a future, and so a task of every verb. A function returns one by its [`Source`], and by the
//! [timer](crate::Timer) if it has one:
//!
//! ```
//! use abreast::{parallel, race, Timer};
//! use abreast::operation::{Operation, Retry, Source};
//! # use futures::stream;
//!
//! fn ask(model: &'static str) -> Operation<impl Source<Error = String>, impl Timer> {
//!     Operation::new(move || stream::iter([Ok(model)]))
//!         .timer(smol::Timer::after)
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
//!
//! # From Python
//! The patterns of a Python library for this are [on a page of their own](crate::_pages::python), block by block. What
//! differs: a stream is consumed before its operation resolves; an operation that has failed keeps what it had; and
//! whatever waits needs a timer, which the compiler asks for.

mod builder;
mod chunks;
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

pub use crate::retry::{Category, Classification, Classify, Retry, Strategy};
pub use context::EventContext;
pub use event::{Event, EventKind, GuardrailPhase, OperationId, Recovery};
pub use future::Operation;
pub use guardrails::{Checker, GuardrailContext, Guardrails, Rule, Severity, Violation, rules};
pub use handlers::ChunkSink;
pub use outcome::{AttemptError, FailedAttempt, OperationFailure, State};
pub use pool::{OperationPool, OperationPoolBuilder, create_pool};
pub use retry::{RetryContext, RetryPredicates, SharedPredicates};
pub use source::{
    AsText, Connection, Connects, FirstToken, FirstTokenOptions, FirstTokenStream, OpenStream,
    Opener, Opens, Races, Source, Streams, TextOf, Tokens, first_token,
};
pub use telemetry::{AggregatedTelemetry, Telemetry};
pub use timeout::{TimedOut, Timeout, TimeoutKind};
pub use timer::{HasTimer, NoTimer, OptionalTimer};
