//! The closures that an operation calls, each in an adaptor around its source. Their panics do not end the operation.

use alloc::sync::Arc;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::classify::Classification;
use super::event::Event;
use super::source::{Source, Tokens};
use crate::sync::panic::catch;

/// What a session asks and tells while an operation runs.
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
pub(super) trait Handler<E> {
    #[inline]
    fn wants_events(&self) -> bool {
        false
    }

    #[inline]
    fn on_event(&mut self, _: &Event) {}

    #[inline]
    fn on_token(&mut self, _: &str) {}

    fn classify(&self, _: &E) -> Option<Classification> {
        None
    }
}

/// The methods of a source that has another one inside and leaves the streams to it.
macro_rules! streams_of {
    ($source:ident: $S:ident) => {
        type Error = $S::Error;
        type Token = $S::Token;

        fn count(&self) -> usize {
            self.$source.count()
        }

        fn open(self: Pin<&mut Self>, index: usize) {
            self.project().$source.open(index);
        }

        fn close(self: Pin<&mut Self>) {
            self.project().$source.close();
        }

        #[inline]
        fn poll_token(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<$S::Token, $S::Error>>> {
            self.project().$source.poll_token(cx)
        }

        #[inline]
        fn text<'t>(&self, token: &'t $S::Token) -> &'t str {
            self.$source.text(token)
        }
    };
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

impl<S: Tokens, H: Handler<S::Error>> Tokens for With<S, H> {
    streams_of!(source: S);

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

impl<S: Source, H: Handler<S::Error>> Source for With<S, H> {
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

    fn is_classified(&self) -> bool {
        true
    }

    fn wants_events(&self) -> bool {
        self.source.wants_events()
    }

    fn on_event(self: Pin<&mut Self>, event: &Event) {
        self.project().source.on_event(event);
    }

    #[inline]
    fn on_token(self: Pin<&mut Self>, token: &str) {
        self.project().source.on_token(token);
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

impl<E, F: FnMut(&Event)> Handler<E> for OnEvent<F> {
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

impl<E, F: FnMut(&str)> Handler<E> for OnToken<F> {
    #[inline]
    fn on_token(&mut self, token: &str) {
        let _ = catch(|| (self.0)(token));
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

impl<E> Handler<E> for Inherited<E> {
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
