//! Where tasks are kept: pinned, in the order of their slots, and never moved.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::Waker;

use pin_project_lite::pin_project;

/// No slot: the end of the free list.
pub(super) const NONE: usize = usize::MAX;

pin_project! {
    /// A place for a task. All of it in one piece of memory, as all of it is needed when the task is polled.
    #[project = SlotProjection]
    pub(super) struct Slot<Fut> {
        #[pin]
        pub(super) future: Option<Fut>,
        pub(super) waker: Waker,
        // The index of the task; the next slot in the free list, while this one is in it.
        pub(super) index: usize,
    }
}

impl<Fut> Slot<Fut> {
    fn new() -> Self {
        Self {
            future: None,
            waker: Waker::noop().clone(),
            index: NONE,
        }
    }
}

pin_project! {
    /// Two of a kind. An array could not be pinned without `unsafe`.
    struct Pair<T> {
        #[pin]
        first: T,
        #[pin]
        second: T,
    }
}

impl<T> Pair<T> {
    fn new(make: impl Fn() -> T) -> Self {
        Self {
            first: make(),
            second: make(),
        }
    }

    /// Both places are known before one is chosen, so this compiles to a conditional move rather than a jump.
    #[inline(always)]
    fn get(self: Pin<&mut Self>, second: bool) -> Pin<&mut T> {
        let this = self.project();
        if second { this.second } else { this.first }
    }
}

/// Eight slots in one allocation.
type Chunk<Fut> = Pair<Pair<Pair<Slot<Fut>>>>;

/// Slots, made as they are needed.
///
/// Small tasks are kept eight to an allocation, which halves the cost of a set that is used once. Larger ones have an
/// allocation each, so that a set of two does not take up the memory of eight.
pub(super) struct Slots<Fut> {
    /// The first chunk, which small sets have no list for.
    first: Option<Pin<Box<Chunk<Fut>>>>,
    /// The other chunks.
    chunks: Vec<Pin<Box<Chunk<Fut>>>>,
    boxed: Vec<Pin<Box<Slot<Fut>>>>,
    len: usize,
}

impl<Fut> Slots<Fut> {
    const CHUNK: usize = 8;
    const IN_CHUNKS: bool = size_of::<Fut>() <= 512;

    pub(super) const fn new() -> Self {
        Self {
            first: None,
            chunks: Vec::new(),
            boxed: Vec::new(),
            len: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The slot at `index`, which must have been made.
    #[inline]
    pub(super) fn slot(&mut self, index: usize) -> Pin<&mut Slot<Fut>> {
        if Self::IN_CHUNKS {
            let chunk = match index.checked_sub(Self::CHUNK) {
                None => self.first.as_mut().expect("the slot was made"),
                Some(index) => &mut self.chunks[index / Self::CHUNK],
            };
            chunk
                .as_mut()
                .get(index & 4 != 0)
                .get(index & 2 != 0)
                .get(index & 1 != 0)
        } else {
            self.boxed[index].as_mut()
        }
    }

    /// Makes the next slot, with `waker`, and puts the task with this index into it.
    #[inline]
    pub(super) fn push(&mut self, waker: Waker, task: Fut, index: usize) {
        if !Self::IN_CHUNKS {
            self.boxed.push(Box::pin(Slot {
                future: Some(task),
                waker,
                index,
            }));
            self.len += 1;
            return;
        }
        if self.len % Self::CHUNK == 0 {
            self.push_chunk();
        }
        let number = self.len;
        self.len += 1;
        let mut slot = self.slot(number).project();
        *slot.waker = waker;
        *slot.index = index;
        slot.future.set(Some(task));
    }

    #[inline(never)]
    fn push_chunk(&mut self) {
        let chunk = || Pair::new(|| Pair::new(|| Pair::new(Slot::new)));
        if self.len == 0 {
            self.first = Some(Box::pin(chunk()));
        } else {
            self.chunks.push(Box::pin(chunk()));
        }
    }

    /// Drops all slots and the tasks in them.
    pub(super) fn clear(&mut self) {
        // At once, so that if the destructor of one panics, the others are dropped all the same.
        *self = Self::new();
    }
}
