//! The settings of operations.

use core::future::Future;
use core::time::Duration;

use super::context::EventContext;
use super::event::Event;
use super::future::session::Session;
use super::future::{Operation, Phase};
use super::guardrails::Guardrails;
use super::handlers::{ClassifyBy, OnEvent, OnToken, With};
use super::retry::RetryPredicates;
use super::source::{AsText, Fallback, Fallbacks, OpenStream, Source, Streams, Tokens, Unlike};
use super::timeout::Timeout;
use super::timer::{HasTimer, NoTimer, OptionalTimer};
use crate::retry::{Classification, Retry};
use crate::time::{Clock, Sleep, Timer};

impl<S: Tokens> Operation<S> {
    /// Creates an operation on the streams that `source` opens, one for each attempt.
    ///
    /// A source is an `FnMut() -> Stream`, or an `FnMut() -> Future<Output = Result<Stream, E>>` if it must first
    /// connect. The streams yield `Result<impl AsRef<str>, E>`. What kind of failures its errors are is up to `E`: see
    /// [`Classify`](super::Classify).
    ///
    /// ```
    /// use abreast::operation::Operation;
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// let state = Operation::new(|| stream::iter(["Hel", "lo"].map(Ok::<_, String>))).run().await?;
    /// assert_eq!(state.content, "Hello");
    ///
    /// let state = Operation::new(async || Ok::<_, String>(stream::iter([Ok("Hello")]))).run().await?;
    /// assert_eq!(state.content, "Hello");
    /// # Ok::<_, abreast::operation::OperationFailure<String>>(())
    /// # }).unwrap();
    /// ```
    pub fn new<F, Via>(source: F) -> Self
    where
        F: OpenStream<Via, Source = S>,
    {
        Self::of_source(source.into_source())
    }

    pub(super) fn of_source(source: S) -> Self {
        Self {
            source,
            timer: NoTimer,
            sleep: Sleep::new(),
            acquisition: None,
            clock: Clock::default(),
            phase: Phase::Start,
            session: Session::new(),
        }
    }
}

impl<S, M, E> Operation<S, M, E>
where
    S: Tokens<Error = E>,
    M: OptionalTimer,
{
    /// Classifies errors by a closure, instead of by their trait [`Classify`](super::Classify).
    ///
    /// It returns a [`Category`](super::Category), or a [`Classification`] if the other side has said when to try
    /// again.
    ///
    /// Where the error does not have the trait, this comes right after [`new`](Self::new).
    ///
    /// ```
    /// use abreast::operation::{Category, Operation};
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// struct Opaque(u16);
    /// # impl std::fmt::Display for Opaque {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
    /// # }
    /// let failure = Operation::new(|| stream::iter([Err::<&str, _>(Opaque(401))]))
    ///     .classify(|error: &Opaque| match error.0 {
    ///         401 | 403 => Category::Fatal,
    ///         429 | 500.. => Category::Transient,
    ///         _ => Category::Model,
    ///     })
    ///     .run()
    ///     .await
    ///     .unwrap_err();
    /// # });
    /// ```
    pub fn classify<F, C>(
        self,
        classify: F,
    ) -> Operation<impl Source<Error = E, Chunk = S::Chunk>, M, E>
    where
        F: Fn(&E) -> C,
        C: Into<Classification>,
    {
        self.map_source(|source| With::new(source, ClassifyBy(classify)))
    }

    /// Waits by this timer: the `sleep` function of the runtime, see [`Timer`].
    ///
    /// It comes before the settings that wait, [`retry`](Self::retry) and [`timeout`](Self::timeout). Times are
    /// measured by the clock of the timer, if [it has one](Timer::now), or else by the system's.
    ///
    /// ```
    /// use abreast::operation::{Operation, Retry};
    /// # use futures::stream;
    ///
    /// # smol::block_on(async {
    /// # let tokens = || stream::iter([Ok::<_, String>("Hello")]);
    /// Operation::new(tokens).timer(smol::Timer::after).retry(Retry::recommended()).run().await?;
    /// # Ok::<_, abreast::operation::OperationFailure<String>>(())
    /// # }).unwrap();
    /// ```
    pub fn timer<N: Timer>(self, timer: N) -> Operation<S, N, E> {
        self.map(|source| source, |_| timer)
    }

    /// Tries again what failed. Without it, there are no retries. Each stream, the primary one and every fallback, has
    /// as many as the policy allows.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::operation::{Operation, Retry};
    /// # use futures::stream;
    ///
    /// # smol::block_on(async {
    /// # let mut calls = 0;
    /// # let tokens = move || { calls += 1; stream::iter([if calls == 1 { Err("broken") } else { Ok("Hello") }]) };
    /// let state = Operation::new(tokens)
    ///     .timer(smol::Timer::after)
    ///     .retry(Retry::recommended().base_delay(Duration::from_millis(1)))
    ///     .run()
    ///     .await?;
    /// assert_eq!(state.model_retry_count, 1);
    /// # Ok::<_, abreast::operation::OperationFailure<&str>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// Delays need a timer. Without one, that does not compile:
    ///
    /// ```compile_fail,E0277
    /// # use abreast::operation::{Operation, Retry};
    /// # use futures::stream;
    /// # smol::block_on(async {
    /// # let tokens = || stream::iter([Ok::<_, String>("Hello")]);
    /// Operation::new(tokens)
    ///     .retry(Retry::recommended()) // error: this setting waits, but there is no timer to wait by
    ///     .run()
    ///     .await;
    /// # });
    /// ```
    ///
    /// Either there is a [`timer`](Self::timer), or it [retries at once](Self::retry_at_once).
    pub fn retry<P>(mut self, retry: Retry<P>) -> Self
    where
        P: Into<RetryPredicates<E>>,
        M: HasTimer,
    {
        self.session.settings.retry = Some(retry.plan);
        self.session.predicates = retry.predicates.into();
        self
    }

    /// Tries again what failed, without any delay, and so without a timer and without the [rate](Retry::rate) of the
    /// policy.
    ///
    /// ```
    /// use abreast::operation::{Operation, Retry};
    /// # use futures::stream;
    ///
    /// # smol::block_on(async {
    /// # let mut calls = 0;
    /// # let tokens = move || { calls += 1; stream::iter([if calls == 1 { Err("broken") } else { Ok("Hello") }]) };
    /// let state = Operation::new(tokens).retry_at_once(Retry::recommended()).run().await?;
    /// assert_eq!(state.model_retry_count, 1);
    /// # Ok::<_, abreast::operation::OperationFailure<&str>>(())
    /// # }).unwrap();
    /// ```
    pub fn retry_at_once<P>(mut self, retry: Retry<P>) -> Self
    where
        P: Into<RetryPredicates<E>>,
    {
        self.session.settings.retry = Some(retry.plan.without_delay());
        self.session.predicates = retry.predicates.into();
        self
    }

    /// Gives up on tokens that take too long. Without it, nothing does.
    ///
    /// For an example, and for why it needs a [timer](Self::timer), see [`Timeout`].
    pub fn timeout(mut self, timeout: Timeout) -> Self
    where
        M: HasTimer,
    {
        self.session.settings.timeout = Some(timeout);
        self
    }

    /// Limits the whole: all attempts on all streams, and the delays between them.
    ///
    /// When the time is up, the stream that is open is dropped, and the operation fails. A retry that could not start
    /// in time is not waited for: the next fallback is opened instead. Time is measured from the first poll; without
    /// the feature `std`, that takes a timer that [has a clock](Timer::now).
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::operation::{AttemptError, Operation, Retry};
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// let limit = Duration::from_millis(5);
    /// let failure = Operation::new(|| stream::pending::<Result<&str, String>>())
    ///     .timer(smol::Timer::after)
    ///     .retry(Retry::recommended())
    ///     .total_time(limit)
    ///     .run()
    ///     .await
    ///     .unwrap_err();
    /// assert_eq!(failure.error, AttemptError::OutOfTime(limit));
    /// # });
    /// ```
    pub fn total_time(mut self, limit: Duration) -> Self
    where
        M: HasTimer,
    {
        self.session.settings.total_time = Some(limit);
        self
    }

    /// Checks the content with guardrails. Without them, all content passes.
    ///
    /// For an example, see [`Guardrails`].
    pub fn guardrails(mut self, guardrails: Guardrails) -> Self {
        self.session.settings.guardrails = Some(guardrails);
        self
    }

    /// Attaches values to every event.
    ///
    /// ```
    /// use abreast::operation::Operation;
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// Operation::new(|| stream::iter([Ok::<_, String>("Hello")]))
    ///     .context([("user_id", "user_123")])
    ///     .on_event(|event| assert_eq!(event.context.get("user_id").unwrap(), "user_123"))
    ///     .run()
    ///     .await?;
    /// # Ok::<_, abreast::operation::OperationFailure<String>>(())
    /// # }).unwrap();
    /// ```
    pub fn context(mut self, context: impl Into<EventContext>) -> Self {
        self.session.settings.context = Some(context.into());
        self
    }

    /// Opens this stream if all before it have failed, their retries included.
    ///
    /// It has a budget of retries of its own. Its tokens may be of another type, its errors may not.
    ///
    /// ```
    /// use abreast::operation::Operation;
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// let state = Operation::new(|| stream::iter([Err::<&str, _>("overloaded")]))
    ///     .fallback(|| stream::iter([Ok(String::from("Hello"))]))
    ///     .run()
    ///     .await?;
    /// assert_eq!((state.content.as_str(), state.fallback_index), ("Hello", 1));
    /// # Ok::<_, abreast::operation::OperationFailure<&str>>(())
    /// # }).unwrap();
    /// ```
    pub fn fallback<F, Via>(self, source: F) -> Operation<impl Source<Error = E>, M, E>
    where
        S: Source<Error = E>,
        F: OpenStream<Via, Error = E, Chunk: AsRef<str>>,
    {
        let second = Streams::new(source, AsText);
        self.map_source(|first| Fallback::<_, _, Unlike>::new(first, second))
    }

    /// Opens these streams one after another if all before them have failed: any number of [fallbacks](Self::fallback)
    /// of one type.
    ///
    /// ```
    /// use abreast::operation::Operation;
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// let ask = |model: &'static str| move || stream::iter([if model == "tiny" { Ok("Hello") } else { Err("overloaded") }]);
    /// let state = Operation::new(ask("large")).fallbacks(["medium", "small", "tiny"].map(ask)).run().await?;
    /// assert_eq!(state.fallback_index, 3);
    /// # Ok::<_, abreast::operation::OperationFailure<&str>>(())
    /// # }).unwrap();
    /// ```
    pub fn fallbacks<I, F, Via>(self, sources: I) -> Operation<impl Source<Error = E>, M, E>
    where
        S: Source<Error = E>,
        I: IntoIterator<Item = F>,
        F: OpenStream<Via, Error = E, Chunk: AsRef<str>>,
    {
        let sources = sources.into_iter();
        let more: Fallbacks<_> = sources.map(|source| Streams::new(source, AsText)).collect();
        self.map_source(|first| Fallback::<_, _, Unlike>::new(first, more))
    }

    /// Calls `handler` with each event. Several handlers are called in the order in which they were given.
    ///
    /// ```
    /// use abreast::operation::{EventKind, Operation};
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// Operation::new(|| stream::iter([Ok::<_, String>("Hello")]))
    ///     .on_event(|event| match &event.kind {
    ///         EventKind::Error { category, error, .. } => eprintln!("{:?}: {category}: {error}", event.at),
    ///         _ => {}
    ///     })
    ///     .run()
    ///     .await?;
    /// # Ok::<_, abreast::operation::OperationFailure<String>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    /// A panic of the handler is caught, if there is the feature `std`.
    pub fn on_event<F>(
        self,
        handler: F,
    ) -> Operation<impl Source<Error = E, Chunk = S::Chunk>, M, E>
    where
        S: Source<Error = E>,
        F: FnMut(&Event),
    {
        self.map_source(|source| With::new(source, OnEvent(handler)))
    }

    /// Calls `handler` with each token that is not empty, as soon as it comes.
    ///
    /// After a failed attempt, the tokens of the next one come from the beginning.
    ///
    /// ```
    /// use abreast::operation::Operation;
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// let mut tokens = Vec::new();
    /// Operation::new(|| stream::iter(["Hel", "", "lo"].map(Ok::<_, String>)))
    ///     .on_token(|token| tokens.push(token.to_owned()))
    ///     .run()
    ///     .await?;
    /// assert_eq!(tokens, ["Hel", "lo"]);
    /// # Ok::<_, abreast::operation::OperationFailure<String>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    /// A panic of the handler is caught, if there is the feature `std`.
    pub fn on_token<F>(
        self,
        handler: F,
    ) -> Operation<impl Source<Error = E, Chunk = S::Chunk>, M, E>
    where
        S: Source<Error = E>,
        F: FnMut(&str),
    {
        self.map_source(|source| With::new(source, OnToken(handler)))
    }

    /// Returns the operation, which is a future already: this says so, and has the compiler say what is missing.
    ///
    /// ```
    /// use abreast::operation::Operation;
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// let state = Operation::new(|| stream::iter([Ok::<_, String>("Hello")])).run().await?;
    /// # Ok::<_, abreast::operation::OperationFailure<String>>(())
    /// # }).unwrap();
    /// ```
    pub fn run(self) -> Self
    where
        S: Source<Error = E>,
        Self: Future,
    {
        self
    }

    /// Puts another source into the place of this one.
    pub(super) fn map_source<X>(self, map: impl FnOnce(S) -> X) -> Operation<X, M, E>
    where
        X: Tokens<Error = E>,
    {
        self.map(map, |timer| timer)
    }

    /// Puts another source and another timer into the place of these.
    pub(super) fn map<X, N>(
        self,
        source: impl FnOnce(S) -> X,
        timer: impl FnOnce(M) -> N,
    ) -> Operation<X, N, E>
    where
        X: Tokens<Error = E>,
        N: OptionalTimer,
    {
        // An `Unpin` operation may have been polled already: then it starts over.
        Operation {
            source: source(self.source),
            timer: timer(self.timer),
            sleep: Sleep::new(),
            acquisition: None,
            clock: Clock::default(),
            phase: Phase::Start,
            session: self.session.afresh(),
        }
    }
}
