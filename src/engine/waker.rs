//! The words and bits of the ready set, and the wakers that set them. Where the words
//! hang is told in the module `tree`, and how the two sides work together in `ready_set`.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::mem;
use core::task::Waker;

use bytemuck::{TransparentWrapper, TransparentWrapperAlloc};

use super::sync::{AtomicUsize, Ordering, WakerCell};

/// The two bits of the root that say which parent the next wake wakes: none while the owner is awake, the first one, or
/// the one in either cell.
pub(super) const ARMED: usize = 0b11;
pub(super) const FIRST: usize = 1;
pub(super) const CELLS: [usize; 2] = [2, 3];
/// The source of tasks was woken.
pub(super) const SOURCE: usize = 1 << 2;
/// The owner is gone.
pub(super) const CLOSED: usize = 1 << 3;
/// The number of flags in the root. Its other bits stand for slots, or for nodes.
pub(super) const FLAGS: usize = 4;

pub(super) const WORD: usize = usize::BITS as usize;

/// The word that all wakes arrive at, and the parents.
#[derive(Debug)]
pub(crate) struct Root {
    pub(super) word: AtomicUsize,
    /// Not 0 if the wake of a parent has panicked, so that the next wake tries again.
    retry: AtomicUsize,
    /// The parent that polled first. It never changes, so waking it needs no lock.
    pub(super) first: Waker,
    /// Parents that polled later. The owner writes one while a late waker may still read the other.
    pub(super) cells: [WakerCell; 2],
}

impl Root {
    pub(super) fn new(parent: Waker) -> Self {
        Self {
            word: AtomicUsize::new(0),
            retry: AtomicUsize::new(0),
            first: parent,
            cells: [WakerCell::new(), WakerCell::new()],
        }
    }

    /// Returns the cell that an `ARMED` value stands for; `None` for the first parent.
    pub(super) fn cell(&self, armed: usize) -> Option<&WakerCell> {
        self.cells.get(armed.wrapping_sub(CELLS[0]))
    }

    /// Sets `bit`, and wakes the parent if it is the first since the owner went to sleep.
    #[inline(always)]
    pub(super) fn set(&self, bit: usize) {
        let before = self.word.fetch_or(bit, Ordering::AcqRel);
        if before == FIRST {
            let retry = RetryOnPanic(self);
            self.first.wake_by_ref();
            mem::forget(retry);
        } else if before == CELLS[0] || before == CELLS[1] {
            self.wake_parent(before);
        } else {
            self.retry();
        }
    }

    /// Wakes the parent if the wake before this one has panicked in it.
    #[inline]
    fn retry(&self) {
        if self.retry.load(Ordering::Relaxed) != 0 {
            self.retry_now();
        }
    }

    #[cold]
    fn retry_now(&self) {
        if self.retry.swap(0, Ordering::AcqRel) != 0 {
            self.wake_parent(self.word.load(Ordering::Acquire) & ARMED);
        }
    }

    #[cold]
    fn wake_parent(&self, armed: usize) {
        let retry = RetryOnPanic(self);
        match self.cell(armed) {
            Some(cell) => {
                cell.wake();
                // The owner could not empty the cell meanwhile. Not a mere load, which could be done before the cell is
                // free again.
                if self.word.fetch_or(0, Ordering::AcqRel) & CLOSED != 0 {
                    drop(cell.try_replace(None));
                }
            }
            None if armed == FIRST => self.first.wake_by_ref(),
            None => {}
        }
        mem::forget(retry);
    }
}

/// Lets the next wake try again if this one panics.
struct RetryOnPanic<'a>(&'a Root);

impl Drop for RetryOnPanic<'_> {
    fn drop(&mut self) {
        self.0.retry.store(1, Ordering::Release);
    }
}

macro_rules! bit_wakers {
    ($($bit:literal)*) => {
        &[$(BitWaker::<$bit, Self>::of),*]
    };
}

/// A word whose bits have wakers that share its allocation.
pub(super) trait Word: Send + Sync + Sized + 'static {
    /// Makes the waker of a bit, for each bit of the widest word that there is.
    #[rustfmt::skip]
    const WAKERS: &'static [fn(Arc<Self>) -> Waker; 64] = bit_wakers![
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
        32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63
    ];

    /// Wakes what `bit` stands for.
    fn wake(&self, bit: usize);
}

impl Word for Root {
    fn wake(&self, bit: usize) {
        self.set(bit);
    }
}

impl Word for Node {
    fn wake(&self, bit: usize) {
        self.set(bit);
    }
}

/// A word as the waker of one of its bits, which its type says.
///
/// To make or to drop one counts a reference, and allocates nothing. To wake it is an indirect call of another function
/// for each bit, which is rarely predicted. That is worth it for a slot that is used once.
#[derive(TransparentWrapper)]
#[repr(transparent)]
#[transparent(W)]
struct BitWaker<const BIT: u32, W>(W);

impl<const BIT: u32, W: Word> BitWaker<BIT, W> {
    fn of(word: Arc<W>) -> Waker {
        Self::wrap_arc(word).into()
    }
}

impl<const BIT: u32, W: Word> Wake for BitWaker<BIT, W> {
    fn wake(self: Arc<Self>) {
        self.0.wake(1_usize.wrapping_shl(BIT));
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake(1_usize.wrapping_shl(BIT));
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

/// A word with a bit for each of the slots, or of the nodes, below it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) word: AtomicUsize,
    pub(super) link: Link,
}

/// Where a slot or a node has its bit: in which word, and at which position. In an `Arc` of its own, it is the waker of
/// a slot that is used again and again. It is kept small: in large sets, a wake costs the cache lines that it touches.
#[derive(Debug)]
pub(super) enum Link {
    Root(Arc<Root>, u8),
    Node(Arc<Node>, u8),
}

impl Link {
    /// Sets the bit, and those above it as far as they are not set.
    #[inline(always)]
    fn set(&self) {
        match self {
            Self::Root(root, position) => root.set(1 << position),
            Self::Node(node, position) => node.set(1 << position),
        }
    }
}

impl Node {
    /// Sets `bit`, and those above it as far as they are not set.
    #[inline(always)]
    fn set(&self, bit: usize) {
        let (mut node, mut bit) = (self, bit);
        loop {
            if node.word.fetch_or(bit, Ordering::AcqRel) != 0 {
                return node.root().retry();
            }
            match &node.link {
                Link::Root(root, position) => return root.set(1 << position),
                Link::Node(above, position) => (node, bit) = (above, 1 << position),
            }
        }
    }

    fn root(&self) -> &Root {
        let mut link = &self.link;
        loop {
            match link {
                Link::Root(root, _) => return root,
                Link::Node(node, _) => link = &node.link,
            }
        }
    }
}

impl Wake for Link {
    #[inline]
    fn wake(self: Arc<Self>) {
        self.set();
    }

    #[inline]
    fn wake_by_ref(self: &Arc<Self>) {
        self.set();
    }
}
