//! A fixed set of futures, run in place: the window's rules without its slots.
//!
//! ```text
//!   index       0  1  2  3
//!   running     1  0  1  1     a bit for each future that has not ended
//!   to_start             3..   those that were not polled yet
//!   ready       .  1  1  .     the ready set: those that were woken since; 1 is late, as it has ended
//! ```
//!
//! A pass takes what is to start first, and then what is ready. Each future has a slot of the ready set, all of which hang
//! from the root, and is polled with [the root as its waker](RootAlone::with_waker): that allocates nothing, and a future
//! that does not clone it counts no reference.

use core::fmt;
use core::mem;
use core::ops::Range;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::budget::PollBudget;
use super::ready_set::ReadySet;
use super::root_alone::RootAlone;

/// Futures that are known by their position.
pub trait FutureSet {
    /// Whether a set in which a future has panicked panics when it is polled again; otherwise it goes on.
    const PANICS_AGAIN: bool;

    /// Returns the number of futures, or of places for them.
    fn len(&self) -> usize;

    /// Polls the one at `index`, with the waker of the slot of that number. It keeps its output.
    fn poll_future(self: Pin<&mut Self>, index: usize, wakers: &mut RootAlone) -> Poll<()>;

    /// Returns whether the one at `index` has an output that was not taken.
    fn has_output(self: Pin<&mut Self>, index: usize) -> bool;

    /// Drops the one at `index`, which has panicked.
    fn drop_future(self: Pin<&mut Self>, index: usize);
}

/// What becomes of the futures of a set.
pub(crate) trait Handler<M> {
    /// Puts the future at `index` into its place, unless it is there. False if there is none, nor any behind it.
    #[inline(always)]
    fn start(&mut self, futures: Pin<&mut M>, index: usize) -> bool {
        let _ = (futures, index);
        true
    }

    /// Says of the future at `index`, which has ended, whether that ends the set. It, or its destructor, may have
    /// panicked.
    #[inline(always)]
    fn end(&mut self, futures: Pin<&mut M>, index: usize, has_panicked: bool) -> bool {
        let _ = (futures, index, has_panicked);
        false
    }
}

/// Waits for all.
impl<M> Handler<M> for () {}

pin_project! {
    /// Futures, each polled once when it starts, and once per wake.
    pub(crate) struct FixedSet<M> {
        #[pin]
        futures: M,
        // Made at the first poll.
        ready: Option<ReadySet<RootAlone>>,
        to_start: Range<usize>,
        // A bit for each future that has not ended.
        running: usize,
        // The future that is being polled, or has panicked when it was, or when it was dropped after that.
        polled: Option<usize>,
    }

    impl<M> PinnedDrop for FixedSet<M> {
        fn drop(this: Pin<&mut Self>) {
            // Wakers that outlive the set must not wake its task.
            if let Some(ready) = this.project().ready {
                ready.close();
            }
        }
    }
}

impl<M> fmt::Debug for FixedSet<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedSet")
            .field("in_flight", &self.running.count_ones())
            .finish_non_exhaustive()
    }
}

impl<M: FutureSet> FixedSet<M> {
    pub(crate) fn new(futures: M) -> Self {
        let len = futures.len();
        Self {
            futures,
            ready: None,
            to_start: 0..len,
            running: (1 << len) - 1,
            polled: None,
        }
    }

    pub(crate) fn futures(self: Pin<&mut Self>) -> Pin<&mut M> {
        self.project().futures
    }

    /// Lets go of the wakers once nothing is to be woken. The waker of the parent is foreign, and its destructor may
    /// panic.
    #[inline]
    pub(crate) fn close(self: Pin<&mut Self>) {
        let this = self.project();
        if let Some(ready) = this.ready {
            ready.close();
        }
        *this.ready = None;
    }

    /// Runs futures until all have ended, or one has that ends the set.
    ///
    /// # Panics
    /// If a future has panicked, and the set is one that then panics again: it will never have an output.
    pub(crate) fn poll<H: Handler<M>>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        handler: &mut H,
    ) -> Poll<()> {
        let mut this = self.project();
        if let Some(index) = *this.polled {
            // If it was the destructor of a future that has panicked, its output is there, and is not to be lost.
            assert!(
                !M::PANICS_AGAIN || this.futures.as_mut().has_output(index),
                "a future of this set has panicked, so the set has no output"
            );
            *this.polled = None;
            *this.running &= !(1 << index);
            if handler.end(this.futures.as_mut(), index, true) {
                return Poll::Ready(());
            }
        }
        // Not made before the first poll, which says who the first parent is.
        let ready = this
            .ready
            .get_or_insert_with(|| ReadySet::for_few(cx.waker()));
        let mut budget = PollBudget::begin();
        loop {
            let mut running_before = *this.running;
            ready.begin_pass();
            while !budget.is_spent() {
                let starts = !Range::is_empty(this.to_start);
                let next = if starts {
                    Some(this.to_start.start)
                } else {
                    ready.next_ready()
                };
                let Some(index) = next else {
                    break;
                };
                if starts {
                    // If it panics, it is asked again.
                    if !handler.start(this.futures.as_mut(), index) {
                        // None of those that were to start is there.
                        *this.running &= (1 << index) - 1;
                        running_before = *this.running;
                        this.to_start.start = this.to_start.end;
                        continue;
                    }
                    this.to_start.start += 1;
                }
                // A late wake may come for a future that has ended.
                let bit = 1 << index;
                if *this.running & bit == 0 {
                    continue;
                }
                budget.spend();
                // Stays so if the future panics.
                *this.polled = Some(index);
                let mut guard = DropPanicked {
                    futures: this.futures.as_mut(),
                    index,
                };
                let polled = guard.futures.as_mut().poll_future(index, ready.wakers());
                mem::forget(guard);
                *this.polled = None;
                if polled.is_ready() {
                    *this.running &= !bit;
                    if handler.end(this.futures.as_mut(), index, false) {
                        return Poll::Ready(());
                    }
                }
            }
            if *this.running == 0 {
                return Poll::Ready(());
            }
            // Those that have ended may have woken others, which have their turn at once. Otherwise the executor has
            // its.
            if *this.running == running_before || budget.is_spent() {
                let is_asleep = Range::is_empty(this.to_start) && ready.arm(cx.waker());
                if !is_asleep {
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        }
    }
}

/// Drops a future that has panicked, if this is dropped.
struct DropPanicked<'a, M: FutureSet> {
    futures: Pin<&'a mut M>,
    index: usize,
}

impl<M: FutureSet> Drop for DropPanicked<'_, M> {
    #[cold]
    fn drop(&mut self) {
        // If its destructor has panicked, it is gone, and has an output.
        if !self.futures.as_mut().has_output(self.index) {
            self.futures.as_mut().drop_future(self.index);
        }
    }
}
