//! Fallbacks: what is opened when everything before them has failed.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{Source, Tokens};
use crate::operation::event::Event;
use crate::retry::Classification;

/// Makes chunks of one type of those of a source and of its fallback, which has no handlers.
pub(in crate::operation) trait Join<A: Tokens, B: Tokens> {
    type Chunk;

    fn of_first(chunk: A::Chunk) -> Self::Chunk;
    fn of_second(chunk: B::Chunk) -> Self::Chunk;
    fn text<'c>(first: &A, second: &B, chunk: &'c Self::Chunk) -> Option<&'c str>;
    fn on_chunk(first: Pin<&mut A>, chunk: &Self::Chunk);
    fn consume(first: Pin<&mut A>, chunk: Self::Chunk);
}

/// Joins chunks of one type: what is done with those of the first is done with all.
pub(in crate::operation) enum Alike {}

impl<A: Tokens, B: Tokens<Chunk = A::Chunk>> Join<A, B> for Alike {
    type Chunk = A::Chunk;

    #[inline]
    fn of_first(chunk: A::Chunk) -> A::Chunk {
        chunk
    }

    #[inline]
    fn of_second(chunk: A::Chunk) -> A::Chunk {
        chunk
    }

    #[inline]
    fn text<'c>(first: &A, _: &B, chunk: &'c A::Chunk) -> Option<&'c str> {
        first.text(chunk)
    }

    #[inline]
    fn on_chunk(first: Pin<&mut A>, chunk: &A::Chunk) {
        first.on_chunk(chunk);
    }

    #[inline]
    fn consume(first: Pin<&mut A>, chunk: A::Chunk) {
        first.consume(chunk);
    }
}

/// Joins chunks of two types: the handlers of the first do not see those of the second.
pub(in crate::operation) enum Unlike {}

/// A chunk of one source or of another.
#[derive(Debug)]
pub(in crate::operation) enum Either<A, B> {
    First(A),
    Second(B),
}

impl<A: Tokens, B: Tokens> Join<A, B> for Unlike {
    type Chunk = Either<A::Chunk, B::Chunk>;

    #[inline]
    fn of_first(chunk: A::Chunk) -> Self::Chunk {
        Either::First(chunk)
    }

    #[inline]
    fn of_second(chunk: B::Chunk) -> Self::Chunk {
        Either::Second(chunk)
    }

    #[inline]
    fn text<'c>(first: &A, second: &B, chunk: &'c Self::Chunk) -> Option<&'c str> {
        match chunk {
            Either::First(chunk) => first.text(chunk),
            Either::Second(chunk) => second.text(chunk),
        }
    }

    #[inline]
    fn on_chunk(first: Pin<&mut A>, chunk: &Self::Chunk) {
        if let Either::First(chunk) = chunk {
            first.on_chunk(chunk);
        }
    }

    #[inline]
    fn consume(first: Pin<&mut A>, chunk: Self::Chunk) {
        if let Either::First(chunk) = chunk {
            first.consume(chunk);
        }
    }
}

pin_project! {
    /// A source, and another to fall back on. Events and tokens of both go to the handlers of the first, which
    /// classifies errors, too.
    pub(in crate::operation) struct Fallback<A, B, J> {
        #[pin]
        first: A,
        #[pin]
        second: B,
        // Whether the open stream is of the second one.
        in_second: bool,
        join: PhantomData<fn() -> J>,
    }
}

impl<A, B, J> Fallback<A, B, J> {
    pub(in crate::operation) const fn new(first: A, second: B) -> Self {
        Self {
            first,
            second,
            in_second: false,
            join: PhantomData,
        }
    }
}

impl<A, B, J> Tokens for Fallback<A, B, J>
where
    A: Tokens,
    B: Tokens<Error = A::Error>,
    J: Join<A, B>,
{
    type Error = A::Error;
    type Chunk = J::Chunk;

    fn count(&self) -> usize {
        self.first.count() + self.second.count()
    }

    fn open(self: Pin<&mut Self>, index: usize) {
        let this = self.project();
        // Indices beyond those of the first are the second's.
        let second = index.checked_sub(this.first.count());
        *this.in_second = second.is_some();
        match second {
            Some(index) => this.second.open(index),
            None => this.first.open(index),
        }
    }

    fn close(self: Pin<&mut Self>) {
        let this = self.project();
        if *this.in_second {
            this.second.close();
        } else {
            this.first.close();
        }
    }

    #[inline]
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<J::Chunk, A::Error>>> {
        let this = self.project();
        if *this.in_second {
            this.second.poll_chunk(cx).map_ok(J::of_second)
        } else {
            this.first.poll_chunk(cx).map_ok(J::of_first)
        }
    }

    #[inline]
    fn text<'c>(&self, chunk: &'c J::Chunk) -> Option<&'c str> {
        J::text(&self.first, &self.second, chunk)
    }

    #[inline]
    fn on_chunk(self: Pin<&mut Self>, chunk: &J::Chunk) {
        J::on_chunk(self.project().first, chunk);
    }

    #[inline]
    fn consume(self: Pin<&mut Self>, chunk: J::Chunk) {
        J::consume(self.project().first, chunk);
    }

    fn restart(self: Pin<&mut Self>) {
        self.project().first.restart();
    }

    fn is_classified(&self) -> bool {
        self.first.is_classified()
    }

    #[inline]
    fn wants_events(&self) -> bool {
        self.first.wants_events()
    }

    fn on_event(self: Pin<&mut Self>, event: &Event) {
        self.project().first.on_event(event);
    }

    #[inline]
    fn on_token(self: Pin<&mut Self>, token: &str) {
        self.project().first.on_token(token);
    }
}

impl<A, B, J> Source for Fallback<A, B, J>
where
    A: Source,
    Self: Tokens<Error = A::Error>,
{
    fn classify(&self, error: &A::Error) -> Classification {
        self.first.classify(error)
    }
}

/// Any number of sources of one type, to fall back on.
pub(in crate::operation) struct Fallbacks<S> {
    sources: Vec<Pin<Box<S>>>,
    /// The one whose stream is open.
    index: usize,
}

impl<S> FromIterator<S> for Fallbacks<S> {
    fn from_iter<I: IntoIterator<Item = S>>(sources: I) -> Self {
        Self {
            sources: sources.into_iter().map(Box::pin).collect(),
            index: 0,
        }
    }
}

impl<S: Tokens> Tokens for Fallbacks<S> {
    type Error = S::Error;
    type Chunk = S::Chunk;

    fn count(&self) -> usize {
        self.sources.len()
    }

    fn open(mut self: Pin<&mut Self>, index: usize) {
        self.index = index;
        self.sources[index].as_mut().open(0);
    }

    fn close(mut self: Pin<&mut Self>) {
        let index = self.index;
        self.sources[index].as_mut().close();
    }

    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<S::Chunk, S::Error>>> {
        let index = self.index;
        self.sources[index].as_mut().poll_chunk(cx)
    }

    fn text<'c>(&self, token: &'c S::Chunk) -> Option<&'c str> {
        self.sources[self.index].text(token)
    }
}
