//! The words of the ready set: what each of their bits stands for, and how an owner visits what is set.
//!
//! # The words
//! They are a tree, and atomic. On a machine with words of 64 bits, the *root* is
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
//! A *node* is a word too. At height 1 (a *leaf*) each of its bits stands for a slot, at height *h* for a node at
//! height *h* - 1:
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
//! Slots and nodes of one height are counted in the order of their slots. The first ones hang from the root, as many as
//! it has bits for that height; those after them hang from the nodes of the next height, a word of them each. Each
//! overflow bit stands for a node one level higher than the one before, so there is no upper bound, a set costs what it
//! holds, and a wake takes as many steps as the logarithm of its slot says. That few slots were expected is a hint: a
//! set that outgrows it goes on in the overflow. A set of a few futures that are known from the beginning has the root
//! alone.
//!
//! # A pass
//! It visits what is ready once. It takes the root, and then one word after another on the way down to the slots that
//! were woken. It may be left and continued later, and keeps what it has not visited, so a panic in the middle loses
//! nothing and a pass that was cut short goes on where it stopped.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;

use super::ready_set::Words;
use super::sync::{AtomicUsize, Ordering};
use super::waker::{FLAGS, Link, Node, Root, SOURCE, WORD, Word};

/// The number of bits of the root for nodes that are ever higher, and of those for slots or nodes of one height.
const OVERFLOW: usize = 6;
const DIRECT: usize = WORD - FLAGS - OVERFLOW;
/// The direct nodes are at most this high: then they serve more slots than fit into memory.
const HIGHEST_BASE: usize = 4;

/// What is left to visit of a pass at one height: bits that were taken, and which slot or node the lowest one stands
/// for.
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

/// What there is of nodes of one height.
#[derive(Debug, Default)]
struct Level {
    nodes: Vec<Arc<Node>>,
    /// What is left of them to visit.
    left: Pending,
}

/// A node is made with the first waker below it, so before its bit can be set.
const MADE: &str = "the node was made";

/// The tree of words, and what is left to visit of a pass.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(super) root: Arc<Root>,
    slots_left: Pending,
    leaves_left: Pending,
    /// A bit for each height from 2 on of which nodes are left to visit.
    heights_left: usize,
    /// The height of what the direct bits of the root stand for; 0 for slots.
    base: usize,
    /// The first slot that hangs from a leaf.
    first_in_leaf: usize,
    /// The nodes of height 1.
    leaves: Vec<Arc<Node>>,
    /// The nodes of each height from 2 on. In a box, as few sets have any: most are spared an empty list.
    levels: Option<Box<Levels>>,
}

/// The nodes of each height from 2 on.
#[derive(Debug, Default)]
struct Levels(Vec<Level>);

impl Tree {
    /// Creates a tree for about `expected` slots; for few if that is not known.
    #[inline]
    pub(super) fn new(root: Arc<Root>, expected: Option<usize>) -> Self {
        // No limit is no hint.
        let base = match expected {
            Some(usize::MAX) | None => 0,
            Some(expected) if expected <= DIRECT => 0,
            Some(expected) => Self::base_for(expected),
        };
        Self {
            root,
            slots_left: Pending::default(),
            leaves_left: Pending::default(),
            heights_left: 0,
            base,
            first_in_leaf: if base == 0 { DIRECT } else { 0 },
            leaves: Vec::new(),
            levels: None,
        }
    }

    /// Returns how high the direct nodes are where more slots are expected than hang from the root.
    #[cold]
    fn base_for(expected: usize) -> usize {
        let is_enough = |base: &usize| {
            let direct = WORD.saturating_pow(*base as u32).saturating_mul(DIRECT);
            // As many again may be in the overflow: higher nodes would cost every wake, and not only theirs.
            expected <= direct.saturating_mul(2)
        };
        (1..HIGHEST_BASE).find(is_enough).unwrap_or(HIGHEST_BASE)
    }

    /// Makes a waker of `slot` that is cheap to wake, and an allocation of its own. Slots get theirs in ascending
    /// order.
    pub(super) fn own_waker(&mut self, slot: usize) -> Waker {
        Arc::new(self.link(0, slot)).into()
    }

    /// Makes a waker of `slot` that is cheap to make: the word that it sets a bit in, as another type for each bit.
    /// Slots get theirs in ascending order.
    #[inline]
    pub(super) fn shared_waker(&mut self, slot: usize) -> Waker {
        let Some(index) = slot.checked_sub(self.first_in_leaf) else {
            return Root::WAKERS[FLAGS + slot](self.root.clone());
        };
        if index % WORD == 0 {
            return self.first_shared_waker(slot, index);
        }
        self.waker_in_leaf(index)
    }

    /// Makes the node of a slot, which is the first in it, and the waker.
    #[cold]
    #[inline(never)]
    fn first_shared_waker(&mut self, slot: usize, index: usize) -> Waker {
        self.link(0, slot);
        self.waker_in_leaf(index)
    }

    /// Makes the waker of the slot that is the `index`th of those in leaves.
    #[inline(always)]
    fn waker_in_leaf(&self, index: usize) -> Waker {
        let (node, position) = (index / WORD, index % WORD);
        Node::WAKERS[position](self.leaf(node).clone())
    }

    /// Returns how many slots (at height 0) or nodes of a height hang from the root.
    fn at_root(&self, height: usize) -> usize {
        match height {
            _ if height == self.base => DIRECT,
            _ => usize::from(height > self.base),
        }
    }

    /// Finds the bit of the slot, or the node, that is the `index`th of its height. Makes the nodes above it if it is
    /// the first below them.
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
        Link::Node(self.node_above(height, node).clone(), position as u8)
    }

    /// Returns the nodes that slots or nodes of a height hang from.
    fn nodes_above(&mut self, height: usize) -> &mut Vec<Arc<Node>> {
        if height == 0 {
            return &mut self.leaves;
        }
        let levels = &mut self.levels.get_or_insert_default().0;
        if levels.len() < height {
            levels.push(Level::default());
        }
        &mut self.level(height + 1).nodes
    }

    /// Returns the node at `index` of those that slots or nodes of a height hang from.
    fn node_above(&mut self, height: usize, index: usize) -> &Arc<Node> {
        self.nodes_above(height).get(index).expect(MADE)
    }

    #[inline(always)]
    fn leaf(&self, index: usize) -> &Arc<Node> {
        self.leaves.get(index).expect(MADE)
    }

    /// Returns the nodes of a height, which is at least 2.
    #[inline(always)]
    fn level(&mut self, height: usize) -> &mut Level {
        let levels = self.levels.as_mut().expect(MADE);
        levels.0.get_mut(height - 2).expect(MADE)
    }

    /// Returns the word with the bit of `slot`, and the bit.
    #[inline]
    fn bit_of(&self, slot: usize) -> (&AtomicUsize, usize) {
        match slot.checked_sub(self.first_in_leaf) {
            None => (&self.root.word, 1 << (FLAGS + slot)),
            Some(index) => (&self.leaf(index / WORD).word, 1 << (index % WORD)),
        }
    }

    #[cold]
    fn take_overflow(&mut self, overflow: usize) {
        // Mostly only one of them is set.
        let mut heights = Pending {
            bits: overflow,
            first: self.base + 1,
        };
        while heights.bits != 0 {
            self.take(heights.take_lowest(), 1, 0);
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
        if pending.bits != 0 {
            self.level(height).left = pending;
            self.heights_left |= 1 << height;
        }
    }

    /// Takes the word of the lowest leaf that is left to visit.
    #[inline(always)]
    fn take_leaf(&mut self) {
        let leaf = self.leaves_left.take_lowest();
        let bits = self.leaf(leaf).word.swap(0, Ordering::AcqRel);
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
            let level = self.level(height);
            let index = level.left.take_lowest();
            let is_last = level.left.bits == 0;
            let node = level.nodes.get(index).expect(MADE);
            let bits = node.word.swap(0, Ordering::AcqRel);
            self.heights_left &= !(usize::from(is_last) << height);
            // Its bits are those of nodes one level lower, or of leaves.
            self.take(height - 1, bits, self.at_root(height - 1) + index * WORD);
        }
        self.leaves_left.bits != 0
    }

    /// Drops the wakes of the slot that is being visited: they were meant for the task that has just ended in it.
    #[inline]
    pub(super) fn forget_visited(&mut self, slot: usize) {
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
    pub(super) fn forget_free(&mut self, slot: usize) {
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
}

impl Words for Tree {
    #[inline(always)]
    fn root(&self) -> &Arc<Root> {
        &self.root
    }

    #[inline(always)]
    fn begin_pass(&mut self) -> bool {
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

    #[inline(always)]
    fn next_ready(&mut self) -> Option<usize> {
        // A leaf may be empty: a waker climbs on although its bit was taken meanwhile.
        while self.slots_left.bits == 0 {
            if self.leaves_left.bits == 0 && !self.descend() {
                return None;
            }
            self.take_leaf();
        }
        Some(self.slots_left.take_lowest())
    }

    #[inline(always)]
    fn in_pass(&self) -> bool {
        self.slots_left.bits | self.leaves_left.bits | self.heights_left != 0
    }
}
