//! The growable sets of futures that the peers offer, and what their users write around them.

use std::future::Future;
use std::pin::Pin;

use futures::StreamExt;
use futures_concurrency::future::FutureGroup;

/// A set of futures that yields their outputs as they finish.
pub(crate) trait Set<F: Future> {
    /// An empty set that will hold up to `capacity` futures.
    fn with_capacity(capacity: usize) -> Self;
    fn push(&mut self, future: F);
    fn next(&mut self) -> impl Future<Output = Option<F::Output>>;
}

impl<F: Future> Set<F> for futures::stream::FuturesUnordered<F> {
    fn with_capacity(_: usize) -> Self {
        Self::new()
    }

    fn push(&mut self, future: F) {
        Self::push(self, future);
    }

    fn next(&mut self) -> impl Future<Output = Option<F::Output>> {
        StreamExt::next(self)
    }
}

impl<F: Future> Set<F> for futures_buffered::FuturesUnorderedBounded<F> {
    fn with_capacity(capacity: usize) -> Self {
        Self::new(capacity)
    }

    fn push(&mut self, future: F) {
        Self::push(self, future);
    }

    fn next(&mut self) -> impl Future<Output = Option<F::Output>> {
        StreamExt::next(self)
    }
}

impl<F: Future> Set<F> for unicycle::FuturesUnordered<F> {
    fn with_capacity(_: usize) -> Self {
        Self::new()
    }

    fn push(&mut self, future: F) {
        Self::push(self, future);
    }

    fn next(&mut self) -> impl Future<Output = Option<F::Output>> {
        Self::next(self)
    }
}

/// The group of futures-concurrency. It takes futures only while it is not pinned, so theirs is a box each.
impl<F: Future> Set<F> for FutureGroup<Pin<Box<F>>> {
    fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity(capacity)
    }

    fn push(&mut self, future: F) {
        self.insert(Box::pin(future));
    }

    fn next(&mut self) -> impl Future<Output = Option<F::Output>> {
        StreamExt::next(self)
    }
}

/// A rolling window by hand: fills the set up to `limit`, and again after each output.
pub(crate) async fn roll<S, F>(tasks: impl Iterator<Item = F>, limit: usize) -> Vec<F::Output>
where
    S: Set<F>,
    F: Future,
{
    let mut set = S::with_capacity(limit);
    let mut tasks = tasks.fuse();
    for task in tasks.by_ref().take(limit) {
        set.push(task);
    }
    let mut outputs = Vec::new();
    while let Some(output) = set.next().await {
        outputs.push(output);
        if let Some(task) = tasks.next() {
            set.push(task);
        }
    }
    outputs
}
