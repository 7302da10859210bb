//! The settings of operations.
#![allow(clippy::type_complexity)]

use alloc::vec::Vec;
use core::future::Future;

use super::Operation;
use super::classify::{ByClosure, ByTrait, Classification};
use super::context::Context;
use super::event::Event;
use super::future::session::Session;
use super::guardrails::Guardrails;
use super::hooks::{OnEvent, OnToken};
use super::parts::Parts;
use super::retry::Retry;
use super::retry::judge::Judge;
use super::source::{Factory, Source, Sources, Then};
use super::timeout::Timeout;
use super::waits::{By, Unset, Waits};
use crate::time::Timer;

impl<F: Source<Via>, Via> Operation<Factory<F, Via>> {
    /// An operation on the streams that `source` opens, one for each attempt.
    ///
    /// A source is an `FnMut() -> Stream`, or an `FnMut() -> Future<Output = Result<Stream, E>>` if it must first connect.
    /// The streams yield `Result<impl AsRef<str>, E>`. How errors are judged is up to `E`: see [`Classify`](super::Classify).
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
    pub fn new(source: F) -> Self {
        Self::from_parts(Parts {
            sources: Factory::new(source),
            classify: ByTrait,
            retry: Unset,
            timeout: Unset,
            timer: Unset,
            hooks: (),
            guardrails: None,
            context: None,
        })
    }
}

impl<S, C, R, T, M, O> Operation<S, C, R, T, M, O>
where
    S: Sources,
    M: Waits,
{
    pub(super) fn from_parts(parts: Parts<S, C, R, T, M, O>) -> Self {
        Self {
            tokens: None,
            sleep: None,
            parts,
            session: Session::new(),
        }
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
    pub fn fallback<F, Via>(self, source: F) -> Operation<Then<S, Factory<F, Via>>, C, R, T, M, O>
    where
        F: Source<Via, Error = S::Error>,
    {
        let source = Factory::new(source);
        Operation::from_parts(self.parts.sources(|sources| Then(sources, source)))
    }

    /// Opens these streams one after another if all before them have failed: any number of [fallbacks](Self::fallback) of
    /// one type.
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
    pub fn fallbacks<I, F, Via>(
        self,
        sources: I,
    ) -> Operation<Then<S, Vec<Factory<F, Via>>>, C, R, T, M, O>
    where
        I: IntoIterator<Item = F>,
        F: Source<Via, Error = S::Error>,
    {
        let more = sources.into_iter().map(Factory::new).collect();
        Operation::from_parts(self.parts.sources(|sources| Then(sources, more)))
    }

    /// Judges errors by a closure, instead of by their trait [`Classify`](super::Classify).
    ///
    /// It returns a [`Category`](super::Category), or a [`Classification`] if the other side has said when to try again.
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
    pub fn classify<F, I>(self, classify: F) -> Operation<S, ByClosure<F>, R, T, M, O>
    where
        F: Fn(&S::Error) -> I,
        I: Into<Classification>,
    {
        Operation::from_parts(self.parts.classify(|_| ByClosure(classify)))
    }

    /// Tries again what failed. Without it, there are no retries.
    ///
    /// For an example, and for why it needs a [timer](Self::timer), see [`Retry`].
    pub fn retry<P, W>(self, retry: Retry<P, W>) -> Operation<S, C, Retry<P, W>, T, M, O>
    where
        P: Judge<S::Error>,
    {
        Operation::from_parts(self.parts.retry(|_| retry))
    }

    /// Gives up on tokens that take too long. Without it, nothing does.
    ///
    /// For an example, and for why it needs a [timer](Self::timer), see [`Timeout`].
    pub fn timeout(self, timeout: Timeout) -> Operation<S, C, R, Timeout, M, O> {
        Operation::from_parts(self.parts.timeout(|_| timeout))
    }

    /// Waits by this timer: the `sleep` function of the runtime, see [`Timer`].
    ///
    /// Times are measured by the clock of the timer, if [it has one](Timer::now), or else by the system's.
    ///
    /// ```
    /// use abreast::operation::{Operation, Retry};
    /// # use futures::stream;
    ///
    /// # smol::block_on(async {
    /// # let tokens = || stream::iter([Ok::<_, String>("Hello")]);
    /// Operation::new(tokens).retry(Retry::recommended()).timer(smol::Timer::after).run().await?;
    /// # Ok::<_, abreast::operation::OperationFailure<String>>(())
    /// # }).unwrap();
    /// ```
    pub fn timer<N: Timer>(self, timer: N) -> Operation<S, C, R, T, By<N>, O> {
        Operation::from_parts(self.parts.timer(|_| By(timer)))
    }

    /// Holds the content to guardrails. Without them, all content passes.
    ///
    /// For an example, see [`Guardrails`].
    pub fn guardrails(mut self, guardrails: Guardrails) -> Self {
        self.parts.guardrails = Some(guardrails);
        self
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
    pub fn on_event<F: FnMut(&Event)>(
        self,
        handler: F,
    ) -> Operation<S, C, R, T, M, (O, OnEvent<F>)> {
        Operation::from_parts(self.parts.hooks(|hooks| (hooks, OnEvent(handler))))
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
    pub fn on_token<F: FnMut(&str)>(self, handler: F) -> Operation<S, C, R, T, M, (O, OnToken<F>)> {
        Operation::from_parts(self.parts.hooks(|hooks| (hooks, OnToken(handler))))
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
    pub fn context(mut self, context: impl Into<Context>) -> Self {
        self.parts.context = Some(context.into());
        self
    }

    /// The operation as a future, which it is already: this says so, and has the compiler tell what is missing.
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
        Self: Future,
    {
        self
    }
}
