//! The ready set: which slots were woken since the last look, and which parent is woken by the first of them.
//!
//! The module `tree` draws the words that its bits are in.
//!
//! # The protocol
//! **Wakers** only ever *set* bits, upwards from the slot, and climb on only if the word that they changed was empty
//! before: a waker that finds a word non-empty leaves the rest of the way to the one that made it so. **The owner**
//! only ever *takes* whole words, downwards from the root. So whenever a bit is set, either the owner has yet to take a
//! word above it, or a waker is on its way up to set one: no wake is lost.
//!
//! **Going to sleep**, the owner *arms* the root by changing it from empty to one of the `ARMED` values, which fails if
//! anything was set in the meantime. A waker that changes the root from exactly that value is the first since then, and
//! wakes the parent. Taking the root disarms it. The parent is therefore woken at most once for each time that the
//! owner went to sleep, and never while the owner is at work. An owner that is polled in vain finds the root still
//! armed, and leaves it so; if it finds something to start instead, it disarms the root first.
//!
//! **The parent** of the first poll is a plain field of the root, for as long as there is a waker. That makes it free
//! to wake, but keeps it until the last waker of a slot is gone, as a leaf future that keeps its task's waker does.
//! Other parents are put into one of two cells: as a late waker may still be waking the parent of an earlier sleep, the
//! new one goes into the other cell, and nobody waits for anybody. The cell that was left is emptied; if a late waker
//! is in it, that is done when the cell is used again.
//!
//! **When the owner is gone**, the root is `CLOSED`, which is not an `ARMED` value, so that no parent is woken any
//! more. The cells, if there ever was anything in them, are emptied by the owner, or by a late waker that was in its
//! way.
//!
//! **If the wake of a parent panics**, the root says so, and the next wake tries again, although it is not the first.
//! If the owner was polled in the meantime, that is one wake too many, and harmless.
//!
//! Every access that matters is a read-modify-write with acquire and release, so what a waker wrote before its wake is
//! seen by the poll that the wake leads to.

use alloc::sync::Arc;
use core::task::Waker;

use super::root_alone::RootAlone;
use super::sync::Ordering;
use super::tree::Tree;
use super::waker::{ARMED, CELLS, CLOSED, FIRST, Root};

/// Makes the waker of a slot.
pub(crate) type MakeWaker = fn(&mut ReadySet, usize) -> Waker;

/// The words that wakers set bits in, and what is left to visit of a pass.
pub(crate) trait Words {
    fn root(&self) -> &Arc<Root>;

    /// Begins a pass: takes the root, which disarms it. Returns whether the source was woken.
    fn begin_pass(&mut self) -> bool;

    /// Returns the next slot of the pass, each at most once and in ascending order; `None` ends the pass.
    fn next_ready(&mut self) -> Option<usize>;

    /// Returns whether the pass has something left to visit.
    fn in_pass(&self) -> bool;
}

/// The owner's side of the ready set.
#[derive(Debug)]
pub(crate) struct ReadySet<W = Tree> {
    /// The words, of which wakers share the root and the nodes.
    words: W,
    /// The `ARMED` value for the parent of the last sleep.
    parent: usize,
    /// Whether the owner has armed the root since it last took or disarmed it.
    asleep: bool,
    /// Whether there ever was another parent than the first one, which then may be in a cell.
    uses_cells: bool,
}

impl ReadySet {
    /// Creates a ready set for about `expected` slots; for few if that is not known.
    #[inline]
    pub(crate) fn new(parent: &Waker, expected: Option<usize>) -> Self {
        let root = Arc::new(Root::new(parent.clone()));
        Self::of(Tree::new(root, expected))
    }

    /// Returns the waker of the source of tasks.
    pub(crate) fn source_waker(&self) -> Waker {
        self.words.root().clone().into()
    }

    /// Makes a waker of `slot` that is cheap to wake, and an allocation of its own. Slots get theirs in ascending
    /// order.
    pub(crate) fn own_waker(&mut self, slot: usize) -> Waker {
        self.words.own_waker(slot)
    }

    /// Makes a waker of `slot` that is cheap to make: the word that it sets a bit in, as another type for each bit.
    /// Slots get theirs in ascending order.
    #[inline]
    pub(crate) fn shared_waker(&mut self, slot: usize) -> Waker {
        self.words.shared_waker(slot)
    }

    /// Drops the wakes of the slot that is being visited: they were meant for the task that has just ended in it.
    #[inline(always)]
    pub(crate) fn forget_visited(&mut self, slot: usize) {
        self.words.forget_visited(slot);
    }

    /// Drops the wakes of a slot that was free: they were meant for an earlier task in it.
    #[inline]
    pub(crate) fn forget_free(&mut self, slot: usize) {
        if !self.is_idle() {
            self.words.forget_free(slot);
        }
    }
}

impl ReadySet<RootAlone> {
    /// Creates a ready set for so few slots that all hang from the root.
    #[inline]
    pub(crate) fn for_few(parent: &Waker) -> Self {
        Self::of(RootAlone::new(Arc::new(Root::new(parent.clone()))))
    }

    /// Returns what the wakers of slots are borrowed from.
    #[inline(always)]
    pub(crate) const fn wakers(&mut self) -> &mut RootAlone {
        &mut self.words
    }
}

impl<W: Words> ReadySet<W> {
    #[inline(always)]
    const fn of(words: W) -> Self {
        Self {
            words,
            parent: FIRST,
            asleep: false,
            uses_cells: false,
        }
    }

    /// Begins a pass over what is ready now, unless one is under way. Returns whether the source was woken.
    #[inline(always)]
    pub(crate) fn begin_pass(&mut self) -> bool {
        if self.in_pass() || !self.is_woken() {
            return false;
        }
        self.asleep = false;
        self.words.begin_pass()
    }

    /// Returns the next slot of the pass, each at most once and in ascending order; `None` ends the pass.
    #[inline(always)]
    pub(crate) fn next_ready(&mut self) -> Option<usize> {
        self.words.next_ready()
    }

    /// Returns whether a pass has something left to visit.
    #[inline(always)]
    pub(crate) fn in_pass(&self) -> bool {
        self.words.in_pass()
    }

    #[inline(always)]
    fn root(&self) -> &Root {
        self.words.root()
    }

    /// Returns whether there was a wake since the root was last taken.
    #[inline(always)]
    fn is_woken(&self) -> bool {
        self.root().word.load(Ordering::Relaxed) & !ARMED != 0
    }

    /// Returns whether there is nothing to visit.
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_woken() && !self.in_pass()
    }

    /// Arms the root, so that the next wake wakes `parent`. False if there was a wake already, which then is the
    /// caller's to act on.
    #[inline(always)]
    pub(crate) fn arm(&mut self, parent: &Waker) -> bool {
        if !self.is_idle() || (!self.is_first_parent(parent) && !self.register(parent)) {
            return false;
        }
        // Polled in vain: it is armed for this parent already, and a wake that comes now will wake it.
        if self.asleep {
            return true;
        }
        let root = &self.root().word;
        let armed = root.compare_exchange(0, self.parent, Ordering::AcqRel, Ordering::Relaxed);
        self.asleep = armed.is_ok();
        self.asleep
    }

    /// Disarms the root: until it is armed again, no wake reaches a parent.
    #[inline]
    pub(crate) fn disarm(&mut self) {
        if self.asleep {
            self.asleep = false;
            self.root().word.fetch_and(!ARMED, Ordering::AcqRel);
        }
    }

    /// Returns whether `waker` wakes the parent of the last sleep, if that is the first one.
    #[inline(always)]
    fn is_first_parent(&self, waker: &Waker) -> bool {
        self.parent == FIRST && self.root().first.will_wake(waker)
    }

    /// Makes `parent` the one to be armed for. False if it has to go into a cell, and a late waker is still in that.
    ///
    /// Cloning and dropping wakers is foreign code: no cell is held meanwhile, and wherever it panics, either the
    /// former parent or the new one is registered. At most one waker is dropped at a time.
    #[cold]
    fn register(&mut self, parent: &Waker) -> bool {
        let known = self.root().cell(self.parent);
        if known.is_some_and(|known| known.will_wake(parent)) {
            return true;
        }
        self.disarm();
        let former = self.parent;
        if self.root().first.will_wake(parent) {
            self.parent = FIRST;
        } else {
            let armed = if former == CELLS[0] {
                CELLS[1]
            } else {
                CELLS[0]
            };
            // What is still in the cell was left there because of a late waker.
            if !self.empty(armed) {
                return false;
            }
            let clone = parent.clone();
            self.uses_cells = true;
            let replaced = self
                .root()
                .cell(armed)
                .map(|cell| cell.try_replace(Some(clone)));
            if !matches!(replaced, Some(Ok(_))) {
                return false;
            }
            self.parent = armed;
        }
        self.empty(former);
        true
    }

    /// Drops the parent in a cell. False if a late waker is in it.
    fn empty(&self, armed: usize) -> bool {
        let cell = self.root().cell(armed);
        cell.is_none_or(|cell| cell.try_replace(None).is_ok())
    }

    /// Lets go of all parents but the first: wakes that come from now on reach none of them.
    pub(crate) fn close(&mut self) {
        // Nobody else is there who could wake anybody.
        if Arc::strong_count(self.words.root()) == 1 {
            return;
        }
        self.root().word.swap(CLOSED, Ordering::AcqRel);
        // Two atomic operations each, which a set of three would notice.
        if self.uses_cells {
            let parents = self.root().cells.each_ref();
            drop(parents.map(|cell| cell.try_replace(None)));
        }
    }
}
