//! Items of which at most a few of a key run: the others wait, and those behind them are looked at meanwhile.

use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use super::keys::Keys;
use crate::run::IndexedSource;

pin_project! {
    /// Yields items as their keys have room: see [`Parallel::per_key`](crate::Parallel::per_key).
    pub struct Keyed<I, N, K, X> {
        #[pin]
        items: I,
        key_of: N,
        keys: Keys<K, X>,
        // At most this many wait.
        pub(super) look_ahead: usize,
        // Whether there are no more items to pull.
        has_ended: bool,
        // The items that were pulled, and those of them that have no place among the outcomes yet.
        pulled: usize,
        without_place: usize,
        // The index of the item that was yielded last, and whether its task is yet to start.
        last: usize,
        is_starting: bool,
    }
}

impl<I, N, K, X> Keyed<I, N, K, X> {
    /// This many items wait, unless the caller says otherwise.
    const LOOK_AHEAD: usize = 64;

    pub(super) const fn new(items: I, limit: usize, key_of: N) -> Self {
        Self {
            items,
            key_of,
            keys: Keys::new(limit),
            look_ahead: Self::LOOK_AHEAD,
            has_ended: false,
            pulled: 0,
            without_place: 0,
            last: 0,
            is_starting: false,
        }
    }
}

impl<I, N, K, X> IndexedSource for Keyed<I, N, K, X>
where
    I: Stream<Item = X>,
    N: FnMut(&X) -> K,
    K: Ord,
{
    type Item = X;

    fn poll_item(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<X>> {
        let mut this = self.project();
        this.keys.forget_idle();
        // What waits comes first, as it was pulled before whatever is yet to come.
        if let Some((index, item)) = this.keys.start_next() {
            (*this.last, *this.is_starting) = (index, true);
            return Poll::Ready(Some(item));
        }
        // Then the first of the others whose key has room. Those in front of it wait.
        while !*this.has_ended && this.keys.waiting() < *this.look_ahead {
            let Some(item) = ready!(this.items.as_mut().poll_next(cx)) else {
                *this.has_ended = true;
                break;
            };
            // Nothing is counted yet: if this panics, the item is left out.
            let slot = this.keys.slot_of((this.key_of)(&item));
            let index = *this.pulled;
            *this.pulled += 1;
            *this.without_place += 1;
            if let Some(item) = this.keys.start_or_wait(slot, index, item) {
                (*this.last, *this.is_starting) = (index, true);
                return Poll::Ready(Some(item));
            }
        }
        // The rest waits for tasks of its keys, whose end is a reason to retry.
        if this.keys.waiting() > 0 {
            return Poll::Pending;
        }
        Poll::Ready(None)
    }

    fn item_bounds(&self) -> (usize, Option<usize>) {
        let waiting = self.keys.waiting();
        let (least, most) = if self.has_ended {
            (0, Some(0))
        } else {
            self.items.size_hint()
        };
        let most = most.and_then(|most| most.checked_add(waiting));
        (least.saturating_add(waiting), most)
    }

    fn index_of(&self, _: usize) -> usize {
        self.last
    }

    fn take_places(self: Pin<&mut Self>, has_started: bool) -> usize {
        let this = self.project();
        *this.is_starting &= !has_started;
        mem::take(this.without_place)
    }

    fn end(self: Pin<&mut Self>, index: usize) {
        self.project().keys.end(index);
    }

    fn retry(&self) -> bool {
        // What is starting still when nobody waits with it was lost.
        self.is_starting || self.keys.has_startable()
    }

    fn take_lost(self: Pin<&mut Self>) -> Option<usize> {
        let this = self.project();
        if !mem::take(this.is_starting) {
            return None;
        }
        this.keys.end(*this.last);
        Some(*this.last)
    }
}

impl_debug!(Keyed<I, N, K, X> |self| { look_ahead: self.look_ahead, waiting: self.keys.waiting() });
