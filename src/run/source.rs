//! Where the tasks of a run come from, or the items that they are made of.
//!
//! Most sources are streams: what they yield starts in input order, and has a place among the outcomes when it does. A
//! source that looks ahead starts its items in another order. So it says which one it has yielded last, which places
//! there are to be for those that it has pulled, and when the end of a task lets another start.

use core::pin::Pin;
use core::task::{Context, Poll};

use futures::stream::Stream;

/// A source that knows the input index of what it yields.
pub trait IndexedSource {
    /// A task, or an item.
    type Item;

    /// Polls for what is to start next. `None` is final.
    fn poll_item(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>>;

    /// Returns the bounds on how many items there are yet to start.
    fn item_bounds(&self) -> (usize, Option<usize>);

    /// Returns the input index of what was yielded last, which was the `started`th to start.
    #[inline(always)]
    fn index_of(&self, started: usize) -> usize {
        started
    }

    /// Returns the number of items that were pulled since the last call, and learns whether the last one that it has
    /// yielded has started now.
    #[inline(always)]
    fn take_places(self: Pin<&mut Self>, has_started: bool) -> usize {
        usize::from(has_started)
    }

    /// Learns that the task at an input index has ended. Runs no foreign code.
    #[inline(always)]
    fn end(self: Pin<&mut Self>, index: usize) {
        let _ = index;
    }

    /// Returns whether it is to be polled although it was pending and nobody has woken it.
    #[inline(always)]
    fn retry(&self) -> bool {
        false
    }

    /// Returns the index of what was yielded last, if code of the caller's has panicked on it before it was a task.
    #[inline(always)]
    fn take_lost(self: Pin<&mut Self>) -> Option<usize> {
        None
    }
}

impl<S: Stream> IndexedSource for S {
    type Item = S::Item;

    #[inline(always)]
    fn poll_item(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.poll_next(cx)
    }

    #[inline(always)]
    fn item_bounds(&self) -> (usize, Option<usize>) {
        self.size_hint()
    }
}

/// Returns the bounds on what is yet to start of `source`, and of one that waits outside of it.
pub(crate) fn bounds_with<S: IndexedSource>(
    source: &S,
    is_waiting: bool,
) -> (usize, Option<usize>) {
    let waiting = usize::from(is_waiting);
    let (least, most) = source.item_bounds();
    let most = most.and_then(|most| most.checked_add(waiting));
    (least.saturating_add(waiting), most)
}
