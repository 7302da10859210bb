//! What is opened when everything before it has failed.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{OpenStream, Source, Tokens};
use crate::operation::classify::Classification;
use crate::operation::event::Event;

/// A token of one source or of another.
#[derive(Debug)]
pub(in crate::operation) enum Either<A, B> {
    A(A),
    B(B),
}

pin_project! {
    /// A source, and another to fall back on. The handlers and the classification are those of the first.
    pub(in crate::operation) struct Fallback<A, B> {
        #[pin]
        first: A,
        #[pin]
        second: B,
        // Whether the open stream is of the second one.
        in_second: bool,
    }
}

impl<A, B> Fallback<A, B> {
    pub(in crate::operation) const fn new(first: A, second: B) -> Self {
        Self {
            first,
            second,
            in_second: false,
        }
    }
}

impl<A: Tokens, B: Tokens<Error = A::Error>> Tokens for Fallback<A, B> {
    type Error = A::Error;
    type Chunk = Either<A::Chunk, B::Chunk>;

    fn count(&self) -> usize {
        self.first.count() + self.second.count()
    }

    fn open(self: Pin<&mut Self>, index: usize) {
        let this = self.project();
        match index.checked_sub(this.first.count()) {
            None => {
                *this.in_second = false;
                this.first.open(index);
            }
            Some(index) => {
                *this.in_second = true;
                this.second.open(index);
            }
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
    ) -> Poll<Option<Result<Self::Chunk, A::Error>>> {
        let this = self.project();
        if *this.in_second {
            let chunk = ready!(this.second.poll_chunk(cx));
            Poll::Ready(chunk.map(|chunk| chunk.map(Either::B)))
        } else {
            let chunk = ready!(this.first.poll_chunk(cx));
            Poll::Ready(chunk.map(|chunk| chunk.map(Either::A)))
        }
    }

    #[inline]
    fn text<'c>(&self, token: &'c Self::Chunk) -> Option<&'c str> {
        match token {
            Either::A(token) => self.first.text(token),
            Either::B(token) => self.second.text(token),
        }
    }

    #[inline]
    fn on_chunk(self: Pin<&mut Self>, chunk: &Self::Chunk) {
        match chunk {
            Either::A(chunk) => self.project().first.on_chunk(chunk),
            Either::B(chunk) => self.project().second.on_chunk(chunk),
        }
    }

    #[inline]
    fn consume(self: Pin<&mut Self>, chunk: Self::Chunk) {
        match chunk {
            Either::A(chunk) => self.project().first.consume(chunk),
            Either::B(chunk) => self.project().second.consume(chunk),
        }
    }

    fn is_classified(&self) -> bool {
        self.first.is_classified()
    }

    // The second has no handlers, and those of the first are for the tokens of both.
    handlers_of!(first);
}

impl<A: Source, B: Tokens<Error = A::Error>> Source for Fallback<A, B> {
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

pin_project! {
    /// A source, and streams of the same chunks to fall back on. Whatever is done with chunks is done by the first.
    pub(in crate::operation) struct ChunkFallback<A, L> {
        #[pin]
        first: A,
        #[pin]
        second: L,
        // Whether the open stream is of the second one.
        in_second: bool,
    }
}

impl<A, L> ChunkFallback<A, L> {
    pub(in crate::operation) const fn new(first: A, second: L) -> Self {
        Self {
            first,
            second,
            in_second: false,
        }
    }
}

impl<A, L> Tokens for ChunkFallback<A, L>
where
    A: Tokens,
    L: OpenStream<Error = A::Error, Chunk = A::Chunk>,
{
    type Error = A::Error;
    type Chunk = A::Chunk;

    fn count(&self) -> usize {
        self.first.count() + 1
    }

    fn open(self: Pin<&mut Self>, index: usize) {
        let this = self.project();
        *this.in_second = index == this.first.count();
        if *this.in_second {
            this.second.open();
        } else {
            this.first.open(index);
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
    ) -> Poll<Option<Result<A::Chunk, A::Error>>> {
        let this = self.project();
        if *this.in_second {
            this.second.poll_chunk(cx)
        } else {
            this.first.poll_chunk(cx)
        }
    }

    fn is_classified(&self) -> bool {
        self.first.is_classified()
    }

    chunks_of!(first: A);
    handlers_of!(first);
}

impl<A, L> Source for ChunkFallback<A, L>
where
    A: Source,
    L: OpenStream<Error = A::Error, Chunk = A::Chunk>,
{
    fn classify(&self, error: &A::Error) -> Classification {
        self.first.classify(error)
    }
}
