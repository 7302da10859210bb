//! The closures that an operation calls, each in an adaptor around its source. Their panics do not end the operation.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use std::sync::{Mutex, PoisonError};

use pin_project_lite::pin_project;

use super::event::Event;
use super::source::{Source, Tokens};
use crate::retry::Classification;
use crate::sync::panic::catch;

/// The handlers that a session calls while an operation runs.
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
pub(super) trait Handler<S: Tokens> {
    /// Returns whether it classifies errors itself.
    fn is_classified(&self) -> bool {
        false
    }

    fn classify(&self, source: &S, error: &S::Error) -> Classification;

    #[inline]
    fn wants_events(&self) -> bool {
        false
    }

    #[inline]
    fn on_event(&mut self, _: &Event) {}

    #[inline]
    fn on_token(&mut self, _: &str) {}

    #[inline]
    fn on_chunk(&mut self, _: &S::Chunk) {}

    /// Takes a chunk, or returns it.
    #[inline]
    fn consume(&mut self, chunk: S::Chunk) -> Option<S::Chunk> {
        Some(chunk)
    }

    /// Forgets what was kept of the attempt before.
    fn restart(&mut self) {}
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

impl<S: Tokens, H: Handler<S>> Tokens for With<S, H> {
    type Error = S::Error;
    type Chunk = S::Chunk;

    fn count(&self) -> usize {
        self.source.count()
    }

    fn open(self: Pin<&mut Self>, index: usize) {
        self.project().source.open(index);
    }

    fn close(self: Pin<&mut Self>) {
        self.project().source.close();
    }

    #[inline]
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<S::Chunk, S::Error>>> {
        self.project().source.poll_chunk(cx)
    }

    #[inline]
    fn text<'c>(&self, chunk: &'c S::Chunk) -> Option<&'c str> {
        self.source.text(chunk)
    }

    #[inline]
    fn on_chunk(self: Pin<&mut Self>, chunk: &S::Chunk) {
        // Handlers are called in the order in which they were given: those inside first.
        let this = self.project();
        this.source.on_chunk(chunk);
        this.handler.on_chunk(chunk);
    }

    #[inline]
    fn consume(self: Pin<&mut Self>, chunk: S::Chunk) {
        // A chunk goes to the one that was given last, and on only if that does not keep it.
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
        self.source.is_classified() || self.handler.is_classified()
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

impl<S: Tokens, H: Handler<S>> Source for With<S, H> {
    fn classify(&self, error: &S::Error) -> Classification {
        self.handler.classify(&self.source, error)
    }
}

/// A closure that classifies errors.
pub(super) struct ClassifyBy<F>(pub(super) F);

impl<S, F, C> Handler<S> for ClassifyBy<F>
where
    S: Tokens,
    F: Fn(&S::Error) -> C,
    C: Into<Classification>,
{
    fn is_classified(&self) -> bool {
        true
    }

    fn classify(&self, _: &S, error: &S::Error) -> Classification {
        (self.0)(error).into()
    }
}

/// Implements a handler of what is not errors: those are classified by the source.
macro_rules! impl_handler {
    ($name:ident<$F:ident: $bound:path> for $S:ident { $($methods:tt)* }) => {
        impl<$S: Source, $F: $bound> Handler<$S> for $name<$F> {
            fn classify(&self, source: &$S, error: &$S::Error) -> Classification {
                source.classify(error)
            }

            $($methods)*
        }
    };
}

/// A closure that is called with events.
pub(super) struct OnEvent<F>(pub(super) F);

impl_handler!(OnEvent<F: FnMut(&Event)> for S {
    #[inline]
    fn wants_events(&self) -> bool {
        true
    }

    fn on_event(&mut self, event: &Event) {
        let _ = catch(|| (self.0)(event));
    }
});

/// A closure that is called with tokens.
pub(super) struct OnToken<F>(pub(super) F);

impl_handler!(OnToken<F: FnMut(&str)> for S {
    #[inline]
    fn on_token(&mut self, token: &str) {
        let _ = catch(|| (self.0)(token));
    }
});

/// A closure that is called with chunks.
pub(super) struct OnChunk<F>(pub(super) F);

impl_handler!(OnChunk<F: FnMut(&S::Chunk)> for S {
    #[inline]
    fn on_chunk(&mut self, chunk: &S::Chunk) {
        let _ = catch(|| (self.0)(chunk));
    }
});

/// Keeps the chunks of the attempt.
pub(super) struct CollectChunks<K>(pub(super) K);

impl_handler!(CollectChunks<K: ChunkSink<S::Chunk>> for S {
    fn consume(&mut self, chunk: S::Chunk) -> Option<S::Chunk> {
        self.0.push(chunk);
        None
    }

    fn restart(&mut self) {
        self.0.clear();
    }
});

/// Collects chunks: see [`Operation::collect_chunks`](super::Operation::collect_chunks).
///
/// It is a `&mut Vec<C>`, or, where the operation goes to another task, an `Arc<Mutex<Vec<C>>>` (with the feature
/// `std`).
pub trait ChunkSink<C> {
    /// Removes the chunks of the attempt before.
    fn clear(&mut self);
    /// Adds a chunk.
    fn push(&mut self, chunk: C);
}

impl<C> ChunkSink<C> for &mut Vec<C> {
    fn clear(&mut self) {
        Vec::clear(self);
    }

    fn push(&mut self, chunk: C) {
        Vec::push(self, chunk);
    }
}

#[cfg(feature = "std")]
impl<C> ChunkSink<C> for Arc<Mutex<Vec<C>>> {
    fn clear(&mut self) {
        // Chunks are dropped outside of the lock, as what they do then is not known.
        let mut chunks = self.lock().unwrap_or_else(PoisonError::into_inner);
        let old = core::mem::take(&mut *chunks);
        drop(chunks);
        drop(old);
    }

    fn push(&mut self, chunk: C) {
        let mut chunks = self.lock().unwrap_or_else(PoisonError::into_inner);
        chunks.push(chunk);
    }
}

/// A handler of events that operations share.
pub(super) type SharedOnEvent = Arc<dyn Fn(&Event) + Send + Sync>;

/// A classification of errors that operations share.
pub(super) type SharedClassify<E> = Arc<dyn Fn(&E) -> Classification + Send + Sync>;

/// The handlers that an operation of a pool inherits, as far as it has none itself.
pub(super) struct Inherited<E> {
    pub(super) on_event: Option<SharedOnEvent>,
    pub(super) classify: Option<SharedClassify<E>>,
}

impl<S: Source<Error = E>, E> Handler<S> for Inherited<E> {
    fn wants_events(&self) -> bool {
        self.on_event.is_some()
    }

    fn on_event(&mut self, event: &Event) {
        if let Some(handler) = &self.on_event {
            let _ = catch(|| handler(event));
        }
    }

    fn classify(&self, source: &S, error: &E) -> Classification {
        match &self.classify {
            Some(classify) => classify(error),
            None => source.classify(error),
        }
    }
}
