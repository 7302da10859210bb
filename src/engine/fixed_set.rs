//! A fixed set of unlike futures, run in place: the window's rules without its slots.
//!
//! ```text
//!   index       0  1  2  3
//!   running     1  0  1  1     a bit for each future that has not ended
//!   to_start             3..   those that were not polled yet
//!   ready       .  1  1  .     the ready set: those that were woken since; 1 is late, as it has ended
//! ```
//!
//! A pass takes what is to start first, and then what is ready.

use core::ops::Range;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::ready_set::ReadySet;

/// Futures that are known by their position.
pub trait FutureSet {
    /// The number of futures.
    const LEN: usize;

    /// Returns the places for the waker of each.
    fn wakers(self: Pin<&mut Self>) -> &mut [Option<Waker>];

    /// Polls the one at `index`, with its waker. It keeps its output.
    fn poll_future(self: Pin<&mut Self>, index: usize) -> Poll<()>;

    /// Returns whether the one at `index` has an output that was not taken.
    fn has_output(self: Pin<&mut Self>, index: usize) -> bool;
}

pin_project! {
    /// Futures, each with a waker of its own: polled once when they start, and once per wake.
    #[derive(Debug)]
    pub(crate) struct FixedSet<M> {
        #[pin]
        futures: M,
        // Made at the first poll, with the wakers of the futures.
        ready: Option<ReadySet>,
        to_start: Range<usize>,
        // A bit for each future that has not ended.
        running: usize,
        // Whether a future is being polled, or has panicked when it was, or when it was dropped after that.
        polling: bool,
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

impl<M: FutureSet> FixedSet<M> {
    pub(crate) fn new(futures: M) -> Self {
        const { assert!(M::LEN < usize::BITS as usize) };
        Self {
            futures,
            ready: None,
            to_start: 0..M::LEN,
            running: (1 << M::LEN) - 1,
            polling: false,
        }
    }

    pub(crate) fn futures(self: Pin<&mut Self>) -> Pin<&mut M> {
        self.project().futures
    }

    /// Runs futures until all have ended, or `ends` says of one that has that it is the last.
    ///
    /// # Panics
    /// If it is polled again after a future has panicked: that one will never have an output.
    pub(crate) fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut ends: impl FnMut(Pin<&mut M>, usize) -> bool,
    ) -> Poll<()> {
        let mut this = self.project();
        // If it was the destructor of a future that has panicked, its output is there, and is not to be lost.
        if *this.polling {
            let running = *this.running;
            let mut indices = (0..M::LEN).filter(|index| running >> index & 1 == 1);
            let ended = indices.find(|&index| this.futures.as_mut().has_output(index));
            let ended = ended.expect("a future of this set has panicked, so the set has no output");
            *this.polling = false;
            *this.running &= !(1 << ended);
            if ends(this.futures.as_mut(), ended) {
                return Poll::Ready(());
            }
        }
        // Nothing is made before the first poll, which also says who the first parent is.
        let ready = this.ready.get_or_insert_with(|| {
            let mut ready = ReadySet::new(cx.waker(), Some(M::LEN));
            for (index, waker) in this.futures.as_mut().wakers().iter_mut().enumerate() {
                *waker = Some(ready.shared_waker(index));
            }
            ready
        });
        loop {
            let running_before = *this.running;
            ready.begin_pass();
            while let Some(index) = this.to_start.next().or_else(|| ready.next_ready()) {
                // A late wake may come for a future that has ended.
                let bit = 1 << index;
                if *this.running & bit == 0 {
                    continue;
                }
                // Stays so if the future panics.
                *this.polling = true;
                let polled = this.futures.as_mut().poll_future(index);
                *this.polling = false;
                if polled.is_ready() {
                    *this.running &= !bit;
                    if ends(this.futures.as_mut(), index) {
                        return Poll::Ready(());
                    }
                }
            }
            if *this.running == 0 {
                return Poll::Ready(());
            }
            // Those that have ended may have woken others, which have their turn at once. Otherwise the executor has
            // its.
            if *this.running == running_before {
                if !ready.arm(cx.waker()) {
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        }
    }
}
