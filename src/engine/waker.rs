//! The tree of atomic words behind the ready set, and the wakers that set bits in it. How the two sides work together is
//! told in the owner's file.

use alloc::sync::Arc;
use alloc::task::Wake;

use super::sync::{AtomicUsize, Ordering, WakerCell};

pub(super) const ARMED: [usize; 2] = [1, 1 << 1];
pub(super) const SOURCE: usize = 1 << 2;
pub(super) const FAR: usize = 1 << 3;
pub(super) const CLOSED: usize = 1 << 4;
pub(super) const FLAGS: usize = 5;

pub(super) const WORD: usize = usize::BITS as usize;
/// How many slots the root serves, and how many leaves the branch has: half of the root's bits each.
pub(super) const NEAR: usize = (WORD - FLAGS) / 2;
pub(super) const LEAVES: usize = WORD - FLAGS - NEAR;
pub(super) const BRANCH: usize = LEAVES * WORD;
pub(super) const GROUP: usize = WORD * WORD;

#[derive(Debug)]
pub(super) struct Root {
    pub(super) word: AtomicUsize,
    pub(super) parents: [WakerCell; 2],
}

impl Root {
    fn set(&self, bit: usize) {
        let before = self.word.fetch_or(bit, Ordering::AcqRel);
        if before == ARMED[0] {
            self.wake_parent(0);
        } else if before == ARMED[1] {
            self.wake_parent(1);
        }
    }

    fn wake_parent(&self, cell: usize) {
        self.parents[cell].wake();
        // Not a mere load, which could be done before the cell is free again.
        if self.word.fetch_or(0, Ordering::AcqRel) & CLOSED != 0 {
            drop(self.parents[cell].try_replace(None));
        }
    }
}

/// The root itself is the waker of the source of tasks.
impl Wake for Root {
    fn wake(self: Arc<Self>) {
        self.set(SOURCE);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set(SOURCE);
    }
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) root: Arc<Root>,
    pub(super) leaves: [AtomicUsize; LEAVES],
}

impl Branch {
    fn set(&self, leaf: usize, bit: usize) {
        if self.leaves[leaf].fetch_or(bit, Ordering::AcqRel) == 0 {
            self.root.set(1 << (FLAGS + NEAR + leaf));
        }
    }
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) root: Arc<Root>,
    pub(super) summary: AtomicUsize,
    pub(super) leaves: [AtomicUsize; WORD],
}

impl Group {
    fn set(&self, leaf: usize, bit: usize) {
        if self.leaves[leaf].fetch_or(bit, Ordering::AcqRel) == 0
            && self.summary.fetch_or(1 << leaf, Ordering::AcqRel) == 0
        {
            self.root.set(FAR);
        }
    }
}

/// A waker that sets `bit` of the root, or of a leaf of the branch or of a group.
pub(super) struct SlotWaker<N> {
    pub(super) node: Arc<N>,
    pub(super) leaf: usize,
    pub(super) bit: usize,
}

impl Wake for SlotWaker<Root> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.node.set(self.bit);
    }
}

impl Wake for SlotWaker<Branch> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.node.set(self.leaf, self.bit);
    }
}

impl Wake for SlotWaker<Group> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.node.set(self.leaf, self.bit);
    }
}

/// Which word of the tree has the bit of a slot, and which bit it is.
pub(super) enum Place {
    Root,
    Branch { leaf: usize },
    Group { group: usize, leaf: usize },
}

impl Place {
    pub(super) fn of(slot: usize) -> (Self, usize) {
        if slot < NEAR {
            return (Self::Root, 1 << (FLAGS + slot));
        }
        let slot = slot - NEAR;
        if slot < BRANCH {
            let leaf = slot / WORD;
            return (Self::Branch { leaf }, 1 << (slot % WORD));
        }
        let slot = slot - BRANCH;
        let (group, leaf) = (slot / GROUP, slot % GROUP / WORD);
        (Self::Group { group, leaf }, 1 << (slot % WORD))
    }
}
