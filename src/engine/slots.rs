//! Where tasks are kept: pinned, in the order of their slots, and never moved.
//!
//! ```text
//!              no list          a list of chunks              a list of pages
//! few expected
//! slots         0 .. 7      8 .. 15   ...   504 .. 511    512 .. 575   576 .. 639   ...
//!              +-------+   +-------+       +---------+   +----------+ +----------+
//!              | chunk |   | chunk |  ...  |  chunk  |   |   page   | |   page   |  ...
//!              +-------+   +-------+       +---------+   +----------+ +----------+
//! many expected
//! slots         0 .. 7                                      8 .. 71     72 .. 135   ...
//! ```
//!
//! A chunk of eight costs an eighth of an allocation for each slot, and little where few are needed. Where there are
//! many, the list of allocations is as large as other things that a wake has to get into the cache: pages of 64 keep it
//! short, and a slot of 64 bytes is one cache line in them. Where many are expected there are no chunks in between:
//! which of the two a slot is in would be a branch that nobody can predict.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::Waker;

use pin_project_lite::pin_project;

use super::pairs::{Eight, Four, Pair, four, one_of, one_of_four};

/// No slot: the end of the free list.
pub(super) const NONE: usize = usize::MAX;

pin_project! {
    /// A place for a task. All of it in one piece of memory, as all of it is needed when the task is polled.
    pub(super) struct Slot<Fut> {
        #[pin]
        pub(super) future: Option<Fut>,
        // Made with the first task.
        pub(super) waker: Option<Waker>,
        // The index of the task; the next slot in the free list, while this one is in it.
        pub(super) index: usize,
    }
}

impl<Fut> Slot<Fut> {
    fn new() -> Self {
        Self {
            future: None,
            waker: None,
            index: NONE,
        }
    }

    #[inline(always)]
    pub(super) const fn is_occupied(&self) -> bool {
        self.future.is_some()
    }
}

/// Eight slots in one allocation.
type Chunk<Fut> = Eight<Slot<Fut>>;
type HalfChunk<Fut> = Pin<Box<Four<Slot<Fut>>>>;

pin_project! {
    /// Eight chunks in one allocation. Aligned so that a slot of 64 bytes is one cache line; not in WebAssembly, where
    /// the allocator would be linked with what it takes to align memory.
    #[cfg_attr(not(target_family = "wasm"), repr(align(64)))]
    struct Page<Fut> {
        #[pin]
        chunks: Eight<Chunk<Fut>>,
    }
}

/// Makes the slots of a chunk. A function of its own, as a page would otherwise repeat the code of it eight times.
#[inline(never)]
fn chunk<Fut>() -> Chunk<Fut> {
    Pair::new(|| four(Slot::new))
}

/// Slots, made as they are needed.
///
/// Small tasks are kept in chunks and pages, which halves the cost of a set that is used once. Larger ones have an
/// allocation each, so that a set of two does not take up the memory of eight.
pub(super) struct Slots<Fut> {
    /// The first eight slots, four to an allocation: small sets need no list, and not all of a chunk.
    first: [Option<HalfChunk<Fut>>; 2],
    /// Those behind them, before the first page.
    chunks: Vec<Pin<Box<Chunk<Fut>>>>,
    /// What few sets have. In a box, so that the others do not spend time on empty lists.
    rest: Option<Box<Rest<Fut>>>,
    /// The first slot in a page.
    first_in_page: usize,
}

/// Slots that are not in chunks: in pages, or boxed because their tasks are large.
struct Rest<Fut> {
    pages: Vec<Pin<Box<Page<Fut>>>>,
    boxed: Vec<Pin<Box<Slot<Fut>>>>,
}

impl<Fut> Rest<Fut> {
    fn new() -> Box<Self> {
        Box::new(Self {
            pages: Vec::new(),
            boxed: Vec::new(),
        })
    }
}

impl<Fut> Slots<Fut> {
    const CHUNK: usize = 8;
    const PAGE: usize = 64;
    /// A page may be empty but for one slot, so there is none before this is little, unless more slots are expected.
    const FIRST_IN_PAGE: usize = 512;
    const IN_CHUNKS: bool = size_of::<Fut>() <= 512;

    /// Creates no slots yet, for about `expected` ones; for few if that is not known.
    pub(super) fn new(expected: Option<usize>) -> Self {
        // No limit is no hint.
        let expected = expected.filter(|&expected| expected < usize::MAX);
        let is_many = expected.is_some_and(|expected| expected > Self::FIRST_IN_PAGE);
        Self {
            first: [None, None],
            chunks: Vec::new(),
            rest: None,
            first_in_page: if is_many {
                Self::CHUNK
            } else {
                Self::FIRST_IN_PAGE
            },
        }
    }

    /// Returns whether the next slot is in an allocation that was made for the `made` ones before it. False for one in
    /// four, whether or not.
    #[inline(always)]
    pub(super) const fn has_spare(made: usize) -> bool {
        Self::IN_CHUNKS && made % 4 != 0
    }

    /// Returns the slot at `index`, or `None` if there is none. A slot that was not made yet may be empty instead.
    #[inline(always)]
    pub(super) fn get(&mut self, index: usize) -> Option<Pin<&mut Slot<Fut>>> {
        if !Self::IN_CHUNKS {
            let rest = self.rest.as_mut()?;
            return rest.boxed.get_mut(index).map(Pin::as_mut);
        }
        if index < Self::CHUNK {
            return Some(one_of_four(self.first[index / 4].as_mut()?.as_mut(), index));
        }
        if let Some(chunk) = self.chunks.get_mut(index / Self::CHUNK - 1) {
            return Some(one_of(chunk.as_mut(), index));
        }
        let pages = &mut self.rest.as_mut()?.pages;
        let in_pages = index.checked_sub(self.first_in_page)?;
        let page = pages.get_mut(in_pages / Self::PAGE)?.as_mut();
        let chunk = one_of(page.project().chunks, in_pages / Self::CHUNK);
        Some(one_of(chunk, in_pages))
    }

    /// Returns the slot at `index`, which must have been made.
    #[inline(always)]
    pub(super) fn slot(&mut self, index: usize) -> Pin<&mut Slot<Fut>> {
        self.get(index).expect("the slot was made")
    }

    /// Makes the slot with this number, after all those before it, and puts `waker` and the task into it. Its index is
    /// still to be written.
    #[inline(always)]
    pub(super) fn push(&mut self, number: usize, waker: Waker, task: Fut) -> Pin<&mut Slot<Fut>> {
        if !Self::IN_CHUNKS {
            let boxed = &mut self.rest.get_or_insert_with(Rest::new).boxed;
            boxed.push(Box::pin(Slot {
                future: Some(task),
                waker: Some(waker),
                index: NONE,
            }));
            return self.slot(number);
        }
        let mut slot = self.make(number);
        let mut parts = slot.as_mut().project();
        *parts.waker = Some(waker);
        parts.future.set(Some(task));
        slot
    }

    /// Returns the slot with this number, made now with those that are allocated with it.
    #[inline(never)]
    fn make(&mut self, number: usize) -> Pin<&mut Slot<Fut>> {
        if number < Self::CHUNK {
            self.first[number / 4] = Some(Box::pin(four(Slot::new)));
        } else if number % Self::CHUNK == 0 {
            self.make_chunk(number);
        }
        self.slot(number)
    }

    /// Makes the chunk or the page whose first slot has this number.
    #[inline(never)]
    fn make_chunk(&mut self, number: usize) {
        match number.checked_sub(self.first_in_page) {
            None => self.chunks.push(Box::pin(chunk())),
            Some(in_pages) if in_pages % Self::PAGE == 0 => self.make_page(),
            Some(_) => {}
        }
    }

    #[cold]
    #[inline(never)]
    fn make_page(&mut self) {
        let chunks = Pair::new(|| four(chunk));
        let rest = self.rest.get_or_insert_with(Rest::new);
        rest.pages.push(Box::pin(Page { chunks }));
    }
}
