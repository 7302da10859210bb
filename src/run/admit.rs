//! Gates in front of the source of a run: they say when its next task may start, and what that holds while it runs.
//!
//! ```text
//!            poll_next             poll_pass: pending
//!   empty -------------> waiting ---------------------> waiting
//!     ^      a task         |
//!     +---------------------+
//!      poll_pass: ready, and the task starts with its pass
//! ```
//!
//! The task comes first and its pass then: a source with no task would keep a permit from those who have one.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::Run;
use super::source::{IndexedSource, bounds_with};

/// Says when a task may start.
pub trait Gate {
    /// What a task holds until it is dropped.
    type Pass;

    /// Polls for the moment when a task may start.
    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<Self::Pass>;
}

pin_project! {
    /// Yields the tasks of a source as its gate lets them start.
    pub struct Gated<S, Fut, G> {
        #[pin]
        source: S,
        gate: G,
        // The task that is next, while it may not start.
        waiting: Option<Fut>,
    }
}

impl<S, Fut, G> IndexedSource for Gated<S, Fut, G>
where
    S: IndexedSource<Item = Fut>,
    G: Gate,
{
    type Item = Admitted<Fut, G::Pass>;

    #[inline]
    fn poll_item(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        if this.waiting.is_none() {
            *this.waiting = ready!(this.source.poll_item(cx));
            if this.waiting.is_none() {
                return Poll::Ready(None);
            }
        }
        let pass = ready!(this.gate.poll_pass(cx));
        let task = this.waiting.take();
        Poll::Ready(task.map(|future| Admitted { future, pass }))
    }

    fn item_bounds(&self) -> (usize, Option<usize>) {
        bounds_with(&self.source, self.waiting.is_some())
    }

    // It waits with one at most, so what the source has yielded last is what this yields last.
    fn index_of(&self, started: usize) -> usize {
        self.source.index_of(started)
    }

    fn take_places(self: Pin<&mut Self>, has_started: bool) -> usize {
        self.project().source.take_places(has_started)
    }

    fn end(self: Pin<&mut Self>, index: usize) {
        self.project().source.end(index);
    }

    fn retry(&self) -> bool {
        self.waiting.is_none() && self.source.retry()
    }

    fn take_lost(self: Pin<&mut Self>) -> Option<usize> {
        let this = self.project();
        // What waits is not lost.
        if this.waiting.is_some() {
            return None;
        }
        this.source.take_lost()
    }
}

pin_project! {
    /// A task that was let through a gate, and what it holds for that. The task is dropped first.
    pub struct Admitted<Fut, P> {
        #[pin]
        future: Fut,
        pass: P,
    }
}

impl<Fut, P> Admitted<Fut, P> {
    pub(crate) const fn new(future: Fut, pass: P) -> Self {
        Self { future, pass }
    }
}

impl<Fut: Future, P> Future for Admitted<Fut, P> {
    type Output = Fut::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fut::Output> {
        self.project().future.poll(cx)
    }
}

/// A run with a gate.
pub(crate) type GatedRun<S, Fut, G, K, O> =
    Run<Gated<S, Fut, G>, Admitted<Fut, <G as Gate>::Pass>, K, O>;

impl<S, Fut, K, O> Run<S, Fut, K, O> {
    /// Puts a gate between the source and the window. Not to be called once the run has begun.
    pub(crate) fn gate<G: Gate>(self, gate: G) -> GatedRun<S, Fut, G, K, O> {
        self.map_tasks(|source| Gated {
            source,
            gate,
            waiting: None,
        })
    }
}

impl_debug! { Gated<S, Fut, G> {} }
impl_debug! { Admitted<Fut, P> {} }
