//! The ready set: which slots were woken since the last look, and which parent is woken by the first of them.
//!
//! # The words
//! It is a tree of atomic words. On a machine with words of 64 bits, the *root* is
//!
//! ```text
//! bit   63      58 57                                       4      3        2      1 0
//!      +----------+------------------------------------------+--------+--------+-------+
//!      | overflow |                  direct                  | CLOSED | SOURCE | ARMED |
//!      +----------+------------------------------------------+--------+--------+-------+
//!         |    |    |                                     |      |        |        |
//!         |    |    +-- each a slot if few are expected --+      |        |        0: the owner is awake
//!         |    |        and otherwise a node                     |        |        1, 2, 3: asleep, and the next wake
//!         |    |                                                 |        |        wakes the first parent, or the one
//!         |    +-- a node one level higher than those            |        |        in either cell
//!         +------- and so on: five levels higher than that       |        the source of tasks was woken
//!                                                                the owner is gone
//! ```
//!
//! A *node* is a word too. At height 1 (a *leaf*) each of its bits stands for a slot, at height *h* for a node at height
//! *h* - 1:
//!
//! ```text
//! few expected               many expected                   still more: the direct nodes are higher
//!
//!        root                       root                            root
//!     /  |  \    \               /   |   \    \                   /  |   \
//!   slots 0-53   leaf         leaf leaf leaf  node             node node node ..
//!                54-117       0-63 64-127 ..  /  \              /  \
//!                                           leaf leaf ..      leaf leaf ..
//! ```
//!
//! Slots and nodes of one height are counted in the order of their slots. The first ones hang from the root, as many as it
//! has bits for that height; those after them hang from the nodes of the next height, a word of them each. Each overflow
//! bit stands for a node one level higher than the one before, so there is no upper bound, a set costs what it holds, and
//! a wake takes as many steps as the logarithm of its slot says. That few slots were expected is a hint: a set that
//! outgrows it goes on in the overflow.
//!
//! # The protocol
//! **Wakers** only ever *set* bits, upwards from the slot, and climb on only if the word that they changed was empty
//! before: a waker that finds a word non-empty leaves the rest of the way to the one that made it so. **The owner** only
//! ever *takes* whole words, downwards from the root. So whenever a bit is set, either the owner has yet to take a word
//! above it, or a waker is on its way up to set one: no wake is lost.
//!
//! **Going to sleep**, the owner *arms* the root by changing it from empty to one of the `ARMED` values, which fails if
//! anything was set in the meantime. A waker that changes the root from exactly that value is the first since then, and
//! wakes the parent. Taking the root disarms it. The parent is therefore woken at most once for each time that the owner
//! went to sleep, and never while the owner is at work. An owner that is polled in vain finds the root still armed, and
//! leaves it so; if it finds something to start instead, it disarms the root first.
//!
//! **The parent** of the first poll is a plain field of the root, for as long as there is a waker. That makes it free to
//! wake, but keeps it until the last waker of a slot is gone, as a leaf future that keeps its task's waker does. Other
//! parents are put into one of two cells: as a late waker may still be waking the parent of an earlier sleep, the new one
//! goes into the other cell, and nobody waits for anybody. The cell that was left is emptied; if a late waker is in it,
//! that is done when the cell is used again.
//!
//! **When the owner is gone**, the root is `CLOSED`, which is not an `ARMED` value, so that no parent is woken any more.
//! The cells are emptied by the owner, or by a late waker that was in its way.
//!
//! **If the wake of a parent panics**, the root says so, and the next wake tries again, although it is not the first. If
//! the owner was polled in the meantime, that is one wake too many, and harmless.
//!
//! Every access that matters is a read-modify-write with acquire and release, so what a waker wrote before its wake is
//! seen by the poll that the wake leads to.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;

use super::sync::{AtomicUsize, Ordering};
use super::waker::{ARMED, CELLS, CLOSED, FIRST, FLAGS, Link, Node, Root, SOURCE, WORD, Word};

/// The number of bits of the root for nodes that are ever higher, and of those for slots or nodes of one height.
const OVERFLOW: usize = 6;
const DIRECT: usize = WORD - FLAGS - OVERFLOW;
/// The direct nodes are at most this high: then they serve more slots than fit into memory.
const HIGHEST_BASE: usize = 4;

/// What is left to visit of a pass at one height: bits that were taken, and which slot or node the lowest one stands for.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    bits: usize,
    first: usize,
}

impl Pending {
    /// Takes the lowest slot or node of those that are left. There has to be one.
    #[inline(always)]
    fn take_lowest(&mut self) -> usize {
        let position = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        self.first + position
    }
}

/// The owner's side of the ready set.
///
/// A *pass* visits what is ready once. It may be left and continued later, and keeps what it has not visited, so a
/// panic in the middle loses nothing and a pass that was cut short goes on where it stopped.
#[derive(Debug)]
pub(crate) struct ReadySet {
    root: Arc<Root>,
    /// What is left of the pass: slots, and leaves.
    slots_left: Pending,
    leaves_left: Pending,
    /// What is left of nodes higher than leaves, from height 2 on, and a bit for each height at which there is any.
    nodes_left: Vec<Pending>,
    heights_left: usize,
    /// The height of what the direct bits of the root stand for; 0 for slots.
    base: usize,
    /// The first slot that hangs from a leaf.
    first_in_leaf: usize,
    /// Whether slots are used once, and so have wakers that are cheap to make rather than cheap to wake.
    used_once: bool,
    /// The nodes of height 1, and those of each height from 2 on.
    leaves: Vec<Arc<Node>>,
    nodes: Vec<Vec<Arc<Node>>>,
    /// The `ARMED` value for the parent of the last sleep.
    parent: usize,
    /// Whether the owner has armed the root since it last took or disarmed it.
    asleep: bool,
}

impl ReadySet {
    /// Creates a ready set for about `expected` slots; for few if that is not known.
    pub(crate) fn new(parent: &Waker, expected: Option<usize>, used_once: bool) -> Self {
        // No limit is no hint.
        let expected = expected.filter(|&expected| expected < usize::MAX);
        let is_enough = |base: &usize| {
            let direct = WORD.saturating_pow(*base as u32).saturating_mul(DIRECT);
            // Of nodes, as many again may be in the overflow: higher ones would cost every wake, and not only theirs.
            let overflow = if *base == 0 { 0 } else { direct };
            expected.is_none_or(|expected| expected <= direct.saturating_add(overflow))
        };
        let base = (0..HIGHEST_BASE).find(is_enough).unwrap_or(HIGHEST_BASE);
        Self {
            root: Arc::new(Root::new(parent.clone())),
            slots_left: Pending::default(),
            leaves_left: Pending::default(),
            nodes_left: Vec::new(),
            heights_left: 0,
            base,
            first_in_leaf: if base == 0 { DIRECT } else { 0 },
            used_once,
            leaves: Vec::new(),
            nodes: Vec::new(),
            parent: FIRST,
            asleep: false,
        }
    }

    /// Returns the waker of the source of tasks.
    pub(crate) fn source_waker(&self) -> Waker {
        self.root.clone().into()
    }

    /// Makes the waker of `slot`. Slots get theirs in ascending order.
    ///
    /// The waker of a slot that is used again and again is an allocation of its own. Those of slots that are used once are
    /// the word that they set a bit in, each as another type.
    pub(crate) fn slot_waker(&mut self, slot: usize) -> Waker {
        if !self.used_once {
            return Arc::new(self.link(0, slot)).into();
        }
        let Some(index) = slot.checked_sub(self.first_in_leaf) else {
            return Root::WAKERS[FLAGS + slot](self.root.clone());
        };
        let (node, position) = (index / WORD, index % WORD);
        if position == 0 {
            // Makes the node.
            self.link(0, slot);
        }
        Node::WAKERS[position](self.leaves[node].clone())
    }

    /// Returns how many slots (at height 0) or nodes of a height hang from the root.
    fn at_root(&self, height: usize) -> usize {
        match height {
            _ if height == self.base => DIRECT,
            _ => usize::from(height > self.base),
        }
    }

    /// Finds the bit of the slot, or the node, that is the `index`th of its height. Makes the nodes above it if it is the
    /// first below them.
    fn link(&mut self, height: usize, index: usize) -> Link {
        let Some(index) = index.checked_sub(self.at_root(height)) else {
            // The bit after the direct ones is for the height after theirs, and so on.
            let position = match height - self.base {
                0 => index,
                higher => DIRECT + higher - 1,
            };
            return Link::Root(self.root.clone(), (FLAGS + position) as u8);
        };
        let (node, position) = (index / WORD, index % WORD);
        if node == self.nodes_above(height).len() {
            let link = self.link(height + 1, node);
            self.nodes_above(height).push(Arc::new(Node {
                word: AtomicUsize::new(0),
                link,
            }));
        }
        Link::Node(self.nodes_above(height)[node].clone(), position as u8)
    }

    /// Returns the nodes that slots or nodes of a height hang from.
    fn nodes_above(&mut self, height: usize) -> &mut Vec<Arc<Node>> {
        match height.checked_sub(1) {
            None => &mut self.leaves,
            Some(higher) => {
                if higher == self.nodes.len() {
                    self.nodes.push(Vec::new());
                }
                &mut self.nodes[higher]
            }
        }
    }

    /// Returns the word with the bit of `slot`, and the bit.
    #[inline]
    fn bit_of(&self, slot: usize) -> (&AtomicUsize, usize) {
        match slot.checked_sub(self.first_in_leaf) {
            None => (&self.root.word, 1 << (FLAGS + slot)),
            Some(index) => (&self.leaves[index / WORD].word, 1 << (index % WORD)),
        }
    }

    /// Begins a pass over what is ready now, unless one is under way. Returns whether the source was woken.
    #[inline(always)]
    pub(crate) fn begin_pass(&mut self) -> bool {
        if self.in_pass() || !self.is_woken() {
            return false;
        }
        // Taking the root disarms it.
        self.asleep = false;
        let word = self.root.word.swap(0, Ordering::AcqRel);
        // The direct bits are those of one height, and an overflow bit is that of the first node of its height.
        let direct = word >> FLAGS & ((1 << DIRECT) - 1);
        let overflow = word >> (FLAGS + DIRECT);
        self.take(self.base, direct, 0);
        if overflow != 0 {
            self.take_overflow(overflow);
        }
        word & SOURCE != 0
    }

    #[cold]
    fn take_overflow(&mut self, overflow: usize) {
        for higher in 0..OVERFLOW {
            self.take(self.base + 1 + higher, overflow >> higher & 1, 0);
        }
    }

    /// Keeps the bits of a word that was taken, for slots or nodes of a height from the `first` on.
    #[inline(always)]
    fn take(&mut self, height: usize, bits: usize, first: usize) {
        let pending = Pending { bits, first };
        match height {
            0 => self.slots_left = pending,
            1 => self.leaves_left = pending,
            _ => self.take_higher(height, pending),
        }
    }

    #[inline(never)]
    fn take_higher(&mut self, height: usize, pending: Pending) {
        if pending.bits == 0 {
            return;
        }
        let at = height - 2;
        if self.nodes_left.len() <= at {
            self.nodes_left.resize(at + 1, Pending::default());
        }
        self.nodes_left[at] = pending;
        self.heights_left |= 1 << height;
    }

    /// Returns the next slot of the pass, each at most once and in ascending order; `None` ends the pass.
    #[inline(always)]
    pub(crate) fn next_ready(&mut self) -> Option<usize> {
        // A leaf may be empty: a waker climbs on although its bit was taken meanwhile.
        while self.slots_left.bits == 0 {
            if self.leaves_left.bits == 0 && !self.descend() {
                return None;
            }
            self.take_leaf();
        }
        Some(self.slots_left.take_lowest())
    }

    /// Takes the word of the lowest leaf that is left to visit.
    #[inline(always)]
    fn take_leaf(&mut self) {
        let leaf = self.leaves_left.take_lowest();
        let bits = self.leaves[leaf].word.swap(0, Ordering::AcqRel);
        self.take(0, bits, self.first_in_leaf + leaf * WORD);
    }

    /// Takes the words of higher nodes until there is a leaf to visit. False if there is none.
    #[inline(always)]
    fn descend(&mut self) -> bool {
        self.heights_left != 0 && self.descend_now()
    }

    #[inline(never)]
    fn descend_now(&mut self) -> bool {
        while self.leaves_left.bits == 0 && self.heights_left != 0 {
            // What is lower comes first.
            let height = self.heights_left.trailing_zeros() as usize;
            let pending = &mut self.nodes_left[height - 2];
            let node = pending.take_lowest();
            self.heights_left &= !(usize::from(pending.bits == 0) << height);
            // Its bits are those of nodes one level lower, or of leaves.
            let bits = self.nodes[height - 2][node].word.swap(0, Ordering::AcqRel);
            self.take(height - 1, bits, self.at_root(height - 1) + node * WORD);
        }
        self.leaves_left.bits != 0
    }

    /// Drops the wakes of the slot that is being visited: they were meant for the task that has just ended in it.
    #[inline]
    pub(crate) fn forget_visited(&mut self, slot: usize) {
        // Whoever has set the bit has set the root as well, as the word of the slot was taken.
        if self.root.word.load(Ordering::Relaxed) != 0 {
            let (word, bit) = self.bit_of(slot);
            if word.load(Ordering::Relaxed) & bit != 0 {
                word.fetch_and(!bit, Ordering::AcqRel);
            }
        }
    }

    /// Drops the wakes of a slot that was free: they were meant for an earlier task in it.
    #[inline]
    pub(crate) fn forget_free(&mut self, slot: usize) {
        if self.is_idle() {
            return;
        }
        let (word, bit) = self.bit_of(slot);
        if word.load(Ordering::Relaxed) & bit != 0 {
            word.fetch_and(!bit, Ordering::AcqRel);
        }
        // The bit may have been taken already, and the slot be about to be visited.
        let position = slot.checked_sub(self.slots_left.first);
        if let Some(position) = position.filter(|&position| position < WORD) {
            self.slots_left.bits &= !(1 << position);
        }
    }

    /// Returns whether a pass has something left to visit.
    #[inline(always)]
    pub(crate) fn in_pass(&self) -> bool {
        self.slots_left.bits | self.leaves_left.bits | self.heights_left != 0
    }

    /// Returns whether there was a wake since the root was last taken.
    #[inline(always)]
    fn is_woken(&self) -> bool {
        self.root.word.load(Ordering::Relaxed) & !ARMED != 0
    }

    /// Returns whether there is nothing to visit.
    #[inline(always)]
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_woken() && !self.in_pass()
    }

    /// Has the next wake wake `parent`. False if there was a wake already, which then is the caller's to act on.
    #[inline(always)]
    pub(crate) fn arm(&mut self, parent: &Waker) -> bool {
        if !self.is_idle() || (!self.is_first_parent(parent) && !self.register(parent)) {
            return false;
        }
        // Polled in vain: it is armed for this parent already, and a wake that comes now will wake it.
        if self.asleep {
            return true;
        }
        let root = &self.root.word;
        let armed = root.compare_exchange(0, self.parent, Ordering::AcqRel, Ordering::Relaxed);
        self.asleep = armed.is_ok();
        self.asleep
    }

    /// Has wakes wake nobody until the root is armed again.
    #[inline]
    pub(crate) fn disarm(&mut self) {
        if self.asleep {
            self.asleep = false;
            self.root.word.fetch_and(!ARMED, Ordering::AcqRel);
        }
    }

    /// Returns whether `waker` wakes the parent of the last sleep, if that is the first one.
    #[inline(always)]
    fn is_first_parent(&self, waker: &Waker) -> bool {
        self.parent == FIRST && self.root.first.will_wake(waker)
    }

    /// Makes `parent` the one to be armed for. False if it has to go into a cell, and a late waker is still in that.
    ///
    /// Cloning and dropping wakers is foreign code: no cell is held meanwhile, and wherever it panics, either the former
    /// parent or the new one is registered. At most one waker is dropped at a time.
    #[cold]
    fn register(&mut self, parent: &Waker) -> bool {
        let known = self.root.cell(self.parent);
        if known.is_some_and(|known| known.will_wake(parent)) {
            return true;
        }
        self.disarm();
        let former = self.parent;
        if self.root.first.will_wake(parent) {
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
            let replaced = self
                .root
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
        let cell = self.root.cell(armed);
        cell.is_none_or(|cell| cell.try_replace(None).is_ok())
    }

    /// Lets go of all parents but the first: wakes that come from now on wake nobody.
    pub(crate) fn close(&mut self) {
        self.root.word.swap(CLOSED, Ordering::AcqRel);
        let parents = self.root.cells.each_ref();
        drop(parents.map(|cell| cell.try_replace(None)));
    }
}
