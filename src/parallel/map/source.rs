//! The tasks that a handler makes of items, and the gates that an item goes through before.
//!
//! ```text
//!            pull, prepare            pass: pending
//!   empty -----------------> waiting ---------------> waiting
//!     ^      an item            |
//!     +-------------------------+
//!      pass: ready; the handler makes a task, which keeps the pass
//! ```

use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::run::{Admitted, IndexedSource, bounds_with};

/// Says when the task of an item may start.
pub trait ItemGate<X> {
    /// What a task holds until it is dropped.
    type Pass;

    /// Learns which item is next. Called once for each, and before the first poll for its pass.
    fn prepare(&mut self, item: &X);

    /// Polls for the moment when that may start.
    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<Self::Pass>;
}

/// Lets every item through.
impl<X> ItemGate<X> for () {
    type Pass = ();

    #[inline]
    fn prepare(&mut self, _: &X) {}

    #[inline]
    fn poll_pass(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// Two gates, one behind the other.
pub struct Both<A, B, P> {
    first: A,
    second: B,
    /// The pass of the first gate, while the second one is waited for.
    passed: Option<P>,
}

impl<X, A: ItemGate<X>, B: ItemGate<X>> ItemGate<X> for Both<A, B, A::Pass> {
    type Pass = (A::Pass, B::Pass);

    fn prepare(&mut self, item: &X) {
        self.first.prepare(item);
        self.second.prepare(item);
    }

    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<Self::Pass> {
        let first = match self.passed.take() {
            Some(pass) => pass,
            None => ready!(self.first.poll_pass(cx)),
        };
        match self.second.poll_pass(cx) {
            Poll::Ready(second) => Poll::Ready((first, second)),
            Poll::Pending => {
                self.passed = Some(first);
                Poll::Pending
            }
        }
    }
}

pin_project! {
    /// Calls the handler of [`parallel_map`](crate::parallel_map) on its items, and yields the tasks that it returns.
    pub struct MapSource<I, F, X, G = ()> {
        #[pin]
        items: I,
        handler: F,
        gate: G,
        // The item that is next, while it may not start. Its type has a parameter of its own, so that no projection
        // keeps a run over borrowed items from being `Send`.
        waiting: Option<X>,
    }
}

impl<I, F, X> MapSource<I, F, X> {
    pub(super) const fn new(items: I, handler: F) -> Self {
        Self {
            items,
            handler,
            gate: (),
            waiting: None,
        }
    }
}

impl<I, F, X, G> MapSource<I, F, X, G> {
    /// Takes items from elsewhere. Not to be called once it was polled.
    pub(super) fn map_items<J>(self, map: impl FnOnce(I) -> J) -> MapSource<J, F, X, G> {
        MapSource {
            items: map(self.items),
            handler: self.handler,
            gate: self.gate,
            waiting: self.waiting,
        }
    }

    pub(super) const fn items_mut(&mut self) -> &mut I {
        &mut self.items
    }

    /// Puts another gate behind those that are there. Not to be called once it was polled.
    pub(super) fn then<B, P>(self, gate: B) -> MapSource<I, F, X, Both<G, B, P>> {
        MapSource {
            items: self.items,
            handler: self.handler,
            gate: Both {
                first: self.gate,
                second: gate,
                passed: None,
            },
            waiting: self.waiting,
        }
    }
}

impl<I, F, X, G, Fut> IndexedSource for MapSource<I, F, X, G>
where
    I: IndexedSource<Item = X>,
    F: FnMut(X) -> Fut,
    G: ItemGate<X>,
{
    type Item = Admitted<Fut, G::Pass>;

    #[inline]
    fn poll_item(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        // The gate sees an item once. If that panics, the item is dropped.
        if this.waiting.is_none() {
            let Some(item) = ready!(this.items.poll_item(cx)) else {
                return Poll::Ready(None);
            };
            this.gate.prepare(&item);
            *this.waiting = Some(item);
        }
        let pass = ready!(this.gate.poll_pass(cx));
        let item = this.waiting.take();
        Poll::Ready(item.map(|item| Admitted::new((this.handler)(item), pass)))
    }

    fn item_bounds(&self) -> (usize, Option<usize>) {
        bounds_with(&self.items, self.waiting.is_some())
    }

    // One waits at most, so the item that was yielded last is that of the task that is yielded last.
    #[inline]
    fn index_of(&self, started: usize) -> usize {
        self.items.index_of(started)
    }

    #[inline]
    fn take_places(self: Pin<&mut Self>, has_started: bool) -> usize {
        self.project().items.take_places(has_started)
    }

    #[inline]
    fn end(self: Pin<&mut Self>, index: usize) {
        self.project().items.end(index);
    }

    #[inline]
    fn retry(&self) -> bool {
        self.waiting.is_none() && self.items.retry()
    }

    #[inline]
    fn take_lost(self: Pin<&mut Self>) -> Option<usize> {
        let this = self.project();
        // What waits is not lost.
        if this.waiting.is_some() {
            return None;
        }
        this.items.take_lost()
    }
}

impl_debug! { Both<A, B, P> {} }
impl_debug!(MapSource<I, F, X, G> |self| { waits: self.waiting.is_some() });
