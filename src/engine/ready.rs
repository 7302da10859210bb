//! The ready set: which slots were woken since the last look, and whom to tell about the first of them.
//!
//! It is a tree of atomic words. The *root* word holds one bit for each of the first slots (the *near* ones), and
//! three bits of its own:
//!
//! - `ARMED`: the owner is asleep and wants its parent woken by the next wake,
//! - `SOURCE`: the source of tasks was woken,
//! - `FAR`: a group has something ready.
//!
//! A *group* serves one word squared of *far* slots with a summary word over leaf words, and groups are added as slots
//! are, so there is no upper bound and a small set stays small.
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
//! Every access that matters is a read-modify-write with acquire and release, so what a waker wrote before its wake is
//! seen by the poll that the wake leads to.

use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::array;
use core::task::Waker;

use super::sync::{AtomicUsize, AtomicWaker, Ordering};

const ARMED: usize = 1;
const SOURCE: usize = 1 << 1;
const FAR: usize = 1 << 2;
const FLAGS: usize = 3;

const WORD: usize = usize::BITS as usize;
const NEAR: usize = WORD - FLAGS;
const GROUP: usize = WORD * WORD;

/// Splits off the lowest set bit of `word`, as its position.
fn take_lowest(word: &mut usize) -> Option<usize> {
    if *word == 0 {
        return None;
    }
    let position = word.trailing_zeros() as usize;
    *word &= *word - 1;
    Some(position)
}

#[derive(Debug)]
struct Root {
    word: AtomicUsize,
    parent: AtomicWaker,
}

impl Root {
    fn set(&self, bit: usize) {
        if self.word.fetch_or(bit, Ordering::AcqRel) == ARMED {
            self.parent.wake();
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
struct Group {
    root: Arc<Root>,
    summary: AtomicUsize,
    leaves: [AtomicUsize; WORD],
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

struct NearWaker {
    root: Arc<Root>,
    bit: usize,
}

impl Wake for NearWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.root.set(self.bit);
    }
}

struct FarWaker {
    group: Arc<Group>,
    leaf: usize,
    bit: usize,
}

impl Wake for FarWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.group.set(self.leaf, self.bit);
    }
}

/// Where the bit of a slot is.
enum Place {
    Near {
        bit: usize,
    },
    Far {
        group: usize,
        leaf: usize,
        bit: usize,
    },
}

impl Place {
    fn of(slot: usize) -> Self {
        match slot.checked_sub(NEAR) {
            None => Self::Near {
                bit: 1 << (slot + FLAGS),
            },
            Some(far) => Self::Far {
                group: far / GROUP,
                leaf: far % GROUP / WORD,
                bit: 1 << (far % WORD),
            },
        }
    }
}

/// What is left to visit of a pass: words that were taken from the tree, and which of it are to be taken yet.
#[derive(Debug, Default)]
struct Pass {
    under_way: bool,
    near: usize,
    groups: core::ops::Range<usize>,
    /// The group, the untaken leaves of it, the leaf and the unvisited slots of it that the pass has come to.
    group: usize,
    summary: usize,
    leaf: usize,
    slots: usize,
}

/// The owner's side of the ready set.
///
/// A *pass* visits what is ready once. It may be left and continued later, and keeps what it has not visited, so a
/// panic in the middle loses nothing and a pass that was cut short goes on where it stopped.
#[derive(Debug)]
pub(crate) struct ReadySet {
    root: Arc<Root>,
    groups: Vec<Arc<Group>>,
    pass: Pass,
    /// A panicking parent waker was met while it was being registered: the parent cannot be armed any more.
    unarmable: bool,
}

impl ReadySet {
    pub(crate) fn new() -> Self {
        Self {
            root: Arc::new(Root {
                word: AtomicUsize::new(0),
                parent: AtomicWaker::new(),
            }),
            groups: Vec::new(),
            pass: Pass::default(),
            unarmable: false,
        }
    }

    /// The waker of the source of tasks.
    pub(crate) fn source_waker(&self) -> Waker {
        self.root.clone().into()
    }

    /// Makes the waker of `slot`. Slots get theirs in ascending order.
    pub(crate) fn slot_waker(&mut self, slot: usize) -> Waker {
        match Place::of(slot) {
            Place::Near { bit } => Waker::from(Arc::new(NearWaker {
                root: self.root.clone(),
                bit,
            })),
            Place::Far { group, leaf, bit } => {
                if group == self.groups.len() {
                    self.groups.push(Arc::new(Group {
                        root: self.root.clone(),
                        summary: AtomicUsize::new(0),
                        leaves: array::from_fn(|_| AtomicUsize::new(0)),
                    }));
                }
                Waker::from(Arc::new(FarWaker {
                    group: self.groups[group].clone(),
                    leaf,
                    bit,
                }))
            }
        }
    }

    /// Begins a pass over what is ready now, unless one is under way. True if the source was woken.
    pub(crate) fn begin_pass(&mut self) -> bool {
        if self.pass.under_way {
            return false;
        }
        let word = self.root.word.swap(0, Ordering::AcqRel);
        self.pass.under_way = true;
        self.pass.near = word >> FLAGS;
        self.pass.groups = 0..if word & FAR == 0 {
            0
        } else {
            self.groups.len()
        };
        word & SOURCE != 0
    }

    /// The next slot of the pass, each at most once and in ascending order; `None` ends the pass.
    pub(crate) fn next_ready(&mut self) -> Option<usize> {
        let pass = &mut self.pass;
        if let Some(slot) = take_lowest(&mut pass.near) {
            return Some(slot);
        }
        loop {
            if let Some(slot) = take_lowest(&mut pass.slots) {
                return Some(NEAR + pass.group * GROUP + pass.leaf * WORD + slot);
            }
            if let Some(leaf) = take_lowest(&mut pass.summary) {
                pass.leaf = leaf;
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

    /// Whether `slot` was woken since it was last visited.
    pub(crate) fn is_woken(&self, slot: usize) -> bool {
        match Place::of(slot) {
            Place::Near { bit } => self.root.word.load(Ordering::Relaxed) & bit != 0,
            Place::Far { group, leaf, bit } => {
                self.groups[group].leaves[leaf].load(Ordering::Relaxed) & bit != 0
            }
        }
    }

    /// Drops the wakes of `slot` that were meant for an earlier tenant.
    pub(crate) fn forget(&mut self, slot: usize) {
        let woken = self.is_woken(slot);
        match Place::of(slot) {
            Place::Near { bit } => {
                self.pass.near &= !(bit >> FLAGS);
                if woken {
                    self.root.word.fetch_and(!bit, Ordering::AcqRel);
                }
            }
            Place::Far { group, leaf, bit } => {
                if (group, leaf) == (self.pass.group, self.pass.leaf) {
                    self.pass.slots &= !bit;
                }
                if woken {
                    self.groups[group].leaves[leaf].fetch_and(!bit, Ordering::AcqRel);
                }
            }
        }
    }

    /// Has the next wake wake `parent`. False if there was a wake already, which then is the caller's to act on.
    pub(crate) fn arm(&mut self, parent: &Waker) -> bool {
        if self.unarmable {
            return false;
        }
        // Cloning the new waker and dropping the old one is foreign code. If it panics, the cell is left locked.
        self.unarmable = true;
        self.root.parent.register(parent);
        self.unarmable = false;
        self.root
            .word
            .compare_exchange(0, ARMED, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Lets go of the parent: wakes that come from now on reach nobody.
    pub(crate) fn disarm(&mut self) {
        self.root.word.fetch_and(!ARMED, Ordering::AcqRel);
        drop(self.root.parent.take());
    }
}
