//! The ready set: which slots were woken since the last look, and whom to tell about the first of them.
//!
//! It is a tree of atomic words, as deep as it must be:
//!
//! - The *root* word has a bit for each of the first slots (the *near* ones), and a bit for each leaf of the *branch*.
//! - The branch has leaf words with a bit a slot, for the slots that come next.
//! - *Groups* serve all slots beyond: a summary word has a bit for each leaf word, and a leaf word a bit a slot. They are
//!   added as slots are, so there is no upper bound, and a small set stays small.
//!
//! The root has five bits more:
//!
//! - `ARMED`, two bits: the owner is asleep and wants the parent in the one or the other cell woken by the next wake,
//! - `SOURCE`: the source of tasks was woken,
//! - `FAR`: a group has something ready,
//! - `CLOSED`: the owner is gone.
//!
//! # The protocol
//! A waker only ever *sets* bits, from the leaf towards the root, and climbs on only if the word that it changed was
//! empty before: whoever finds a word non-empty leaves the rest of the way to the one who made it so. The owner only
//! ever *takes* whole words, from the root towards the leaves. So whenever a bit is set, either the owner has yet to
//! take a word above it, or a waker is on its way up to set one: no wake is lost.
//!
//! The owner *arms* the root by changing it from empty to `ARMED`, which fails if anything was set in the meantime. A
//! waker that changes the root from exactly `ARMED` is the first since then, and wakes the parent; taking the root
//! disarms it. The parent is therefore woken at most once for each time that the owner went to sleep, and never while
//! the owner is at work.
//!
//! The parent stays in its cell from one sleep to the next. When another one polls, it is put into the other cell, as a
//! straggler may still be waking the parent of an earlier sleep: nobody waits for anybody. A straggler that finds its cell
//! being written has nobody to wake, as its bit was taken before.
//!
//! When the owner is gone, the root is `CLOSED` and the parent is let go of, by the owner or by a straggler that was in
//! its way.
//!
//! Every access that matters is a read-modify-write with acquire and release, so what a waker wrote before its wake is
//! seen by the poll that the wake leads to.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::task::Waker;
use core::{array, mem};

use super::sync::{AtomicUsize, Ordering, WakerCell};
use super::waker::{
    ARMED, BRANCH, Branch, CLOSED, FAR, FLAGS, GROUP, Group, NEAR, Place, Root, SOURCE, SlotWaker,
    WORD,
};

/// Splits off the lowest set bit of `word`, as its position.
fn take_lowest(word: &mut usize) -> Option<usize> {
    if *word == 0 {
        return None;
    }
    let position = word.trailing_zeros() as usize;
    *word &= *word - 1;
    Some(position)
}

/// What is left to visit of a pass: words that were taken from the tree, and which of it are to be taken yet.
#[derive(Debug, Default)]
struct Pass {
    under_way: bool,
    /// The unvisited slots of the word that the pass has come to, and the slot that its lowest bit stands for.
    slots: usize,
    base: usize,
    /// The untaken leaves of the branch.
    leaves: usize,
    /// The group that the pass has come to, and its untaken leaves; the untaken groups.
    group: usize,
    summary: usize,
    groups: Range<usize>,
}

/// The owner's side of the ready set.
///
/// A *pass* visits what is ready once. It may be left and continued later, and keeps what it has not visited, so a
/// panic in the middle loses nothing and a pass that was cut short goes on where it stopped.
#[derive(Debug)]
pub(crate) struct ReadySet {
    root: Arc<Root>,
    branch: Option<Arc<Branch>>,
    groups: Vec<Arc<Group>>,
    pass: Pass,
    /// The parent, and which cell it is in.
    parent: Option<Waker>,
    cell: usize,
}

impl ReadySet {
    pub(crate) fn new() -> Self {
        Self {
            root: Arc::new(Root {
                word: AtomicUsize::new(0),
                parents: [WakerCell::new(), WakerCell::new()],
            }),
            branch: None,
            groups: Vec::new(),
            pass: Pass::default(),
            parent: None,
            cell: 0,
        }
    }

    /// The waker of the source of tasks.
    pub(crate) fn source_waker(&self) -> Waker {
        self.root.clone().into()
    }

    /// Makes the waker of `slot`. Slots get theirs in ascending order.
    pub(crate) fn slot_waker(&mut self, slot: usize) -> Waker {
        let root = &self.root;
        let (place, bit) = Place::of(slot);
        match place {
            Place::Root => Waker::from(Arc::new(SlotWaker {
                node: root.clone(),
                leaf: 0,
                bit,
            })),
            Place::Branch { leaf } => {
                let branch = self.branch.get_or_insert_with(|| {
                    Arc::new(Branch {
                        root: root.clone(),
                        leaves: array::from_fn(|_| AtomicUsize::new(0)),
                    })
                });
                Waker::from(Arc::new(SlotWaker {
                    node: branch.clone(),
                    leaf,
                    bit,
                }))
            }
            Place::Group { group, leaf } => {
                if group == self.groups.len() {
                    self.groups.push(Arc::new(Group {
                        root: root.clone(),
                        summary: AtomicUsize::new(0),
                        leaves: array::from_fn(|_| AtomicUsize::new(0)),
                    }));
                }
                Waker::from(Arc::new(SlotWaker {
                    node: self.groups[group].clone(),
                    leaf,
                    bit,
                }))
            }
        }
    }

    /// Begins a pass over what is ready now, unless one is under way. True if the source was woken.
    pub(crate) fn begin_pass(&mut self) -> bool {
        if self.pass.under_way || self.root.word.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let word = self.root.word.swap(0, Ordering::AcqRel);
        let near = word >> FLAGS & ((1 << NEAR) - 1);
        self.pass = Pass {
            under_way: true,
            slots: near,
            base: 0,
            leaves: word >> (FLAGS + NEAR),
            group: 0,
            summary: 0,
            groups: 0..if word & FAR == 0 {
                0
            } else {
                self.groups.len()
            },
        };
        word & SOURCE != 0
    }

    /// The next slot of the pass, each at most once and in ascending order; `None` ends the pass.
    pub(crate) fn next_ready(&mut self) -> Option<usize> {
        let pass = &mut self.pass;
        loop {
            if let Some(slot) = take_lowest(&mut pass.slots) {
                return Some(pass.base + slot);
            }
            if let (Some(branch), Some(leaf)) = (&self.branch, take_lowest(&mut pass.leaves)) {
                pass.base = NEAR + leaf * WORD;
                pass.slots = branch.leaves[leaf].swap(0, Ordering::AcqRel);
            } else if let Some(leaf) = take_lowest(&mut pass.summary) {
                pass.base = NEAR + BRANCH + pass.group * GROUP + leaf * WORD;
                pass.slots = self.groups[pass.group].leaves[leaf].swap(0, Ordering::AcqRel);
            } else if let Some(group) = pass.groups.next() {
                pass.group = group;
                pass.summary = self.groups[group].summary.swap(0, Ordering::AcqRel);
            } else {
                pass.under_way = false;
                return None;
            }
        }
    }

    /// The word with the bit of `slot`, and the bit.
    fn bit_of(&self, slot: usize) -> (&AtomicUsize, usize) {
        let (place, bit) = Place::of(slot);
        let word = match (place, &self.branch) {
            (Place::Branch { leaf }, Some(branch)) => &branch.leaves[leaf],
            (Place::Group { group, leaf }, _) => &self.groups[group].leaves[leaf],
            (Place::Root | Place::Branch { .. }, _) => &self.root.word,
        };
        (word, bit)
    }

    /// Whether `slot` was woken since it was last visited.
    pub(crate) fn is_woken(&self, slot: usize) -> bool {
        let (word, bit) = self.bit_of(slot);
        word.load(Ordering::Relaxed) & bit != 0
    }

    /// Drops the wakes of `slot` that were meant for an earlier tenant.
    #[inline]
    pub(crate) fn forget(&mut self, slot: usize) {
        if self.pass.under_way || self.root.word.load(Ordering::Relaxed) != 0 {
            self.forget_bit(slot);
        }
    }

    fn forget_bit(&mut self, slot: usize) {
        let (word, bit) = self.bit_of(slot);
        if word.load(Ordering::Relaxed) & bit != 0 {
            word.fetch_and(!bit, Ordering::AcqRel);
        }
        if let Some(position) = slot.checked_sub(self.pass.base).filter(|&p| p < WORD) {
            self.pass.slots &= !(1 << position);
        }
    }

    /// Has the next wake wake `parent`. False if there was a wake already, which then is the caller's to act on.
    pub(crate) fn arm(&mut self, parent: &Waker) -> bool {
        let known = self.parent.as_ref();
        if !known.is_some_and(|known| known.will_wake(parent)) && !self.adopt(parent) {
            return false;
        }
        let armed = ARMED[self.cell];
        self.root
            .word
            .compare_exchange(0, armed, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Puts `parent` into the free cell. False if two parents back is still being woken.
    fn adopt(&mut self, parent: &Waker) -> bool {
        // Cloning and dropping wakers is foreign code: it is done while no cell is held.
        let (known, kept) = (parent.clone(), parent.clone());
        let other = 1 - self.cell;
        if self.root.parents[other].try_replace(Some(kept)).is_err() {
            return false;
        }
        let left = mem::replace(&mut self.cell, other);
        let former = self.parent.replace(known);
        drop((former, self.root.parents[left].try_replace(None)));
        true
    }

    /// Lets go of the parent: wakes that come from now on reach nobody.
    pub(crate) fn close(&mut self) {
        // Without a parent, the root was never armed.
        if let Some(parent) = self.parent.take() {
            self.root.word.swap(CLOSED, Ordering::AcqRel);
            let parents = self.root.parents.each_ref();
            drop((parents.map(|cell| cell.try_replace(None)), parent));
        }
    }
}
