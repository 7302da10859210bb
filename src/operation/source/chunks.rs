//! Streams of chunks of which some have text.

use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use std::sync::{Arc, Mutex, PoisonError};

use pin_project_lite::pin_project;

use super::{OpenStream, Source, Tokens};
use crate::operation::classify::{Classification, Classify};

pin_project! {
    /// The source of [`Operation::chunks`](crate::operation::Operation::chunks): streams, and a closure that returns the text
    /// of a chunk.
    pub struct Chunks<L, X> {
        #[pin]
        streams: L,
        text: X,
    }
}

impl<L, X> Chunks<L, X> {
    pub(in crate::operation) const fn new(streams: L, text: X) -> Self {
        Self { streams, text }
    }
}

impl<L, X> Tokens for Chunks<L, X>
where
    L: OpenStream,
    X: Fn(&L::Chunk) -> Option<&str>,
{
    type Error = L::Error;
    type Chunk = L::Chunk;

    fn open(self: Pin<&mut Self>, _: usize) {
        self.project().streams.open();
    }

    fn close(self: Pin<&mut Self>) {
        self.project().streams.close();
    }

    #[inline]
    fn poll_chunk(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<L::Chunk, L::Error>>> {
        self.project().streams.poll_chunk(cx)
    }

    #[inline]
    fn text<'c>(&self, chunk: &'c L::Chunk) -> Option<&'c str> {
        (self.text)(chunk)
    }
}

impl<L, X> Source for Chunks<L, X>
where
    Self: Tokens<Error: Classify>,
{
    fn classify(&self, error: &Self::Error) -> Classification {
        Classification::of(error)
    }
}

impl_debug! { Chunks<L, X> {} }

/// Where chunks are collected: see [`Operation::collect_chunks`](crate::operation::Operation::collect_chunks).
///
/// It is a `&mut Vec<C>`, or, where the operation goes to another task, an `Arc<Mutex<Vec<C>>>` (with the feature `std`).
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
