//! The closures that an operation calls, each in an adaptor around its source. Their panics do not end the operation.

use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::classify::Classification;
use super::event::Event;
use super::source::{ChunkSink, Source, Tokens, chunks_of, handlers_of, streams_of};
use crate::sync::panic::catch;

/// What a session calls while an operation runs.
pub(super) trait Handlers<E> {
    fn wants_events(&self) -> bool;
    fn on_event(&mut self, event: &Event);
    fn on_token(&mut self, token: &str);
    fn classify(&self, error: &E) -> Classification;
}

impl<S: Source> Handlers<S::Error> for Pin<&mut S> {
    #[inline]
    fn wants_events(&self) -> bool {
        (**self).wants_events()
    }

    #[inline]
    fn on_event(&mut self, event: &Event) {
        self.as_mut().on_event(event);
    }

    #[inline]
    fn on_token(&mut self, token: &str) {
        self.as_mut().on_token(token);
    }

    fn classify(&self, error: &S::Error) -> Classification {
        (**self).classify(error)
    }
}

/// A closure, or several, beside a source. What is not implemented is left to the source.
pub(super) trait Handler<E, C> {
    #[inline]
    fn wants_events(&self) -> bool {
        false
    }

    #[inline]
    fn on_event(&mut self, _: &Event) {}

    #[inline]
    fn on_token(&mut self, _: &str) {}

    #[inline]
    fn on_chunk(&mut self, _: &C) {}

    /// Takes a chunk, or returns it.
    #[inline]
    fn consume(&mut self, chunk: C) -> Option<C> {
        Some(chunk)
    }

    /// Forgets what was kept of the attempt before.
    fn restart(&mut self) {}

    fn classify(&self, _: &E) -> Option<Classification> {
        None
    }
}

pin_project! {
    /// A source with a handler, which is called after those that it has already.
    pub(super) struct With<S, H> {
        #[pin]
        source: S,
        handler: H,
    }
}

impl<S, H> With<S, H> {
    pub(super) const fn new(source: S, handler: H) -> Self {
        Self { source, handler }
    }
}

impl<S: Tokens, H: Handler<S::Error, S::Chunk>> Tokens for With<S, H> {
    streams_of!(source: S);

    #[inline]
    fn text<'c>(&self, chunk: &'c S::Chunk) -> Option<&'c str> {
        self.source.text(chunk)
    }

    #[inline]
    fn on_chunk(self: Pin<&mut Self>, chunk: &S::Chunk) {
        let this = self.project();
        this.source.on_chunk(chunk);
        this.handler.on_chunk(chunk);
    }

    #[inline]
    fn consume(self: Pin<&mut Self>, chunk: S::Chunk) {
        let this = self.project();
        if let Some(chunk) = this.handler.consume(chunk) {
            this.source.consume(chunk);
        }
    }

    fn restart(self: Pin<&mut Self>) {
        let this = self.project();
        this.source.restart();
        this.handler.restart();
    }

    fn is_classified(&self) -> bool {
        self.source.is_classified()
    }

    #[inline]
    fn wants_events(&self) -> bool {
        self.source.wants_events() || self.handler.wants_events()
    }

    #[inline]
    fn on_event(self: Pin<&mut Self>, event: &Event) {
        let this = self.project();
        this.source.on_event(event);
        this.handler.on_event(event);
    }

    #[inline]
    fn on_token(self: Pin<&mut Self>, token: &str) {
        let this = self.project();
        this.source.on_token(token);
        this.handler.on_token(token);
    }
}

impl<S: Source, H: Handler<S::Error, S::Chunk>> Source for With<S, H> {
    fn classify(&self, error: &S::Error) -> Classification {
        let classification = self.handler.classify(error);
        classification.unwrap_or_else(|| self.source.classify(error))
    }
}

pin_project! {
    /// A source whose errors are classified by a closure.
    pub(super) struct Classified<S, F> {
        #[pin]
        source: S,
        classify: F,
    }
}

impl<S, F> Classified<S, F> {
    pub(super) const fn new(source: S, classify: F) -> Self {
        Self { source, classify }
    }
}

impl<S: Tokens, F> Tokens for Classified<S, F> {
    streams_of!(source: S);
    chunks_of!(source: S);
    handlers_of!(source);

    fn is_classified(&self) -> bool {
        true
    }
}

impl<S, F, C> Source for Classified<S, F>
where
    S: Tokens,
    F: Fn(&S::Error) -> C,
    C: Into<Classification>,
{
    fn classify(&self, error: &S::Error) -> Classification {
        (self.classify)(error).into()
    }
}

/// A closure that is called with events.
pub(super) struct OnEvent<F>(pub(super) F);

impl<E, C, F: FnMut(&Event)> Handler<E, C> for OnEvent<F> {
    #[inline]
    fn wants_events(&self) -> bool {
        true
    }

    fn on_event(&mut self, event: &Event) {
        let _ = catch(|| (self.0)(event));
    }
}

/// A closure that is called with tokens.
pub(super) struct OnToken<F>(pub(super) F);

impl<E, C, F: FnMut(&str)> Handler<E, C> for OnToken<F> {
    #[inline]
    fn on_token(&mut self, token: &str) {
        let _ = catch(|| (self.0)(token));
    }
}

/// A closure that is called with chunks.
pub(super) struct OnChunk<F>(pub(super) F);

impl<E, C, F: FnMut(&C)> Handler<E, C> for OnChunk<F> {
    #[inline]
    fn on_chunk(&mut self, chunk: &C) {
        let _ = catch(|| (self.0)(chunk));
    }
}

/// What keeps the chunks of the attempt.
pub(super) struct CollectChunks<K>(pub(super) K);

impl<E, C, K: ChunkSink<C>> Handler<E, C> for CollectChunks<K> {
    fn consume(&mut self, chunk: C) -> Option<C> {
        self.0.push(chunk);
        None
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

/// A handler of events that operations share.
pub(super) type SharedOnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

/// A classification of errors that operations share.
pub(super) type SharedClassify<E> = Arc<dyn Fn(&E) -> Classification + Send + Sync>;

/// What an operation of a pool inherits, as far as it has none itself.
pub(super) struct Inherited<E> {
    pub(super) on_event: Option<SharedOnEvent>,
    pub(super) classify: Option<SharedClassify<E>>,
}

impl<E, C> Handler<E, C> for Inherited<E> {
    fn wants_events(&self) -> bool {
        self.on_event.is_some()
    }

    fn on_event(&mut self, event: &Event) {
        if let Some(handler) = &self.on_event {
            let _ = catch(|| handler(event));
        }
    }

    fn classify(&self, error: &E) -> Option<Classification> {
        self.classify.as_ref().map(|classify| classify(error))
    }
}
