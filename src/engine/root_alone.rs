//! The root without any nodes: the words of a ready set for a few slots, all of which hang from it.
//!
//! # The waker of a slot
//! ```text
//!   place             [ root ]      [      ]                                 [ root ]
//!                        |             ^ empty                                  ^
//!   with_waker           +---> SlotWaker<2>: the same allocation as a type -----+ put back, also by a panic
//!                                   |        that sets the bit of slot 2
//!   the future                      +---> is polled with a waker that counts no reference; its clones do
//! ```

use alloc::sync::Arc;
use core::task::Waker;

use bytemuck::{TransparentWrapper, TransparentWrapperAlloc};
use futures::task::{ArcWake, waker_ref};

use super::ready_set::Words;
use super::sync::Ordering;
use super::waker::{FLAGS, Root, SOURCE, WORD};

const THERE: &str = "the root is in its place but for a poll";

/// The root alone, and what is left to visit of a pass.
#[derive(Debug)]
pub struct RootAlone {
    /// `None` while it is the waker of a slot.
    root: Option<Arc<Root>>,
    /// A bit for each slot that was woken and is left to visit.
    left: usize,
}

impl RootAlone {
    pub(super) const fn new(root: Arc<Root>) -> Self {
        Self {
            root: Some(root),
            left: 0,
        }
    }

    /// Calls `f` with the waker of a slot. Only a clone of that counts a reference, and keeps the waker.
    #[inline(always)]
    pub(crate) fn with_waker<const SLOT: usize, R>(&mut self, f: impl FnOnce(&Waker) -> R) -> R {
        const { assert!(FLAGS + SLOT < WORD) };
        let root = self.root.take().expect(THERE);
        let changed = ChangedRoot {
            place: &mut self.root,
            root: Some(SlotWaker::<SLOT>::wrap_arc(root)),
        };
        let root = changed.root.as_ref().expect(THERE);
        f(&waker_ref(root))
    }
}

impl Words for RootAlone {
    #[inline(always)]
    fn root(&self) -> &Arc<Root> {
        self.root.as_ref().expect(THERE)
    }

    #[inline(always)]
    fn begin_pass(&mut self) -> bool {
        let word = self.root().word.swap(0, Ordering::AcqRel);
        self.left = word >> FLAGS;
        word & SOURCE != 0
    }

    #[inline(always)]
    fn next_ready(&mut self) -> Option<usize> {
        if self.left == 0 {
            return None;
        }
        let slot = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(slot)
    }

    #[inline(always)]
    fn in_pass(&self) -> bool {
        self.left != 0
    }
}

/// The root as the waker of a slot, which its type says.
#[derive(TransparentWrapper)]
#[repr(transparent)]
#[transparent(Root)]
struct SlotWaker<const SLOT: usize>(Root);

impl<const SLOT: usize> ArcWake for SlotWaker<SLOT> {
    fn wake_by_ref(root: &Arc<Self>) {
        root.0.set(1 << (FLAGS + SLOT));
    }
}

/// Puts the root back in its place when this is dropped.
struct ChangedRoot<'a, const SLOT: usize> {
    place: &'a mut Option<Arc<Root>>,
    root: Option<Arc<SlotWaker<SLOT>>>,
}

impl<const SLOT: usize> Drop for ChangedRoot<'_, SLOT> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.place = self.root.take().map(SlotWaker::peel_arc);
    }
}
