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

/// No slot: the end of the free list.
pub(super) const NONE: usize = usize::MAX;

pin_project! {
    /// A place for a task. All of it in one piece of memory, as all of it is needed when the task is polled.
    #[project = SlotProjection]
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

    /// Returns one of the two. Both are known before one is chosen, so it compiles to a conditional move rather than a
    /// jump.
    #[inline(always)]
    fn get(self: Pin<&mut Self>, second: bool) -> Pin<&mut T> {
        let this = self.project();
        if second { this.second } else { this.first }
    }
}

/// Eight slots in one allocation.
type Chunk<Fut> = Eight<Slot<Fut>>;
type HalfChunk<Fut> = Pin<Box<Four<Slot<Fut>>>>;
type Eight<T> = Pair<Four<T>>;
type Four<T> = Pair<Pair<T>>;

pin_project! {
    /// Eight chunks in one allocation. Aligned so that a slot of 64 bytes is one cache line; not in WebAssembly, where
    /// the allocator would be linked with what it takes to align memory.
    #[cfg_attr(not(target_family = "wasm"), repr(align(64)))]
    struct Page<Fut> {
        #[pin]
        chunks: Eight<Chunk<Fut>>,
    }
}

fn four<T>(make: impl Fn() -> T) -> Four<T> {
    Pair::new(|| Pair::new(&make))
}

/// Makes the slots of a chunk. A function of its own, as a page would otherwise repeat the code of it eight times.
#[inline(never)]
fn chunk<Fut>() -> Chunk<Fut> {
    Pair::new(|| four(Slot::new))
}

/// Returns the one of four that the lowest bits of `index` say.
#[inline(always)]
fn one_of_four<T>(four: Pin<&mut Four<T>>, index: usize) -> Pin<&mut T> {
    four.get(index & 2 != 0).get(index & 1 != 0)
}

/// Returns the one of eight that the lowest bits of `index` say.
#[inline(always)]
fn one_of<T>(eight: Pin<&mut Eight<T>>, index: usize) -> Pin<&mut T> {
    one_of_four(eight.get(index & 4 != 0), index)
}

/// Slots, made as they are needed.
///
/// Small tasks are kept in chunks and pages, which halves the cost of a set that is used once. Larger ones have an
/// allocation each, so that a set of two does not take up the memory of eight.
pub(super) struct Slots<Fut> {
    /// The first eight slots, four to an allocation: small sets need no list, and not all of a chunk.
    first: [Option<HalfChunk<Fut>>; 2],
    /// Those behind them. In an `Option`, so that a small set does not spend time on empty lists.
    lists: Option<Lists<Fut>>,
    len: usize,
    /// The first slot in a page.
    first_in_page: usize,
}

/// Slots in lists: in `boxed` or in the others.
struct Lists<Fut> {
    chunks: Vec<Pin<Box<Chunk<Fut>>>>,
    pages: Vec<Pin<Box<Page<Fut>>>>,
    boxed: Vec<Pin<Box<Slot<Fut>>>>,
}

impl<Fut> Lists<Fut> {
    const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            pages: Vec::new(),
            boxed: Vec::new(),
        }
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
        Self::with_pages_from(if is_many {
            Self::CHUNK
        } else {
            Self::FIRST_IN_PAGE
        })
    }

    const fn with_pages_from(first_in_page: usize) -> Self {
        Self {
            first: [None, None],
            lists: None,
            len: 0,
            first_in_page,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Returns the slot at `index`, or `None` if there is none. A slot that was not made yet may be empty instead.
    #[inline(always)]
    pub(super) fn get(&mut self, index: usize) -> Option<Pin<&mut Slot<Fut>>> {
        if !Self::IN_CHUNKS {
            return self.lists.as_mut()?.boxed.get_mut(index).map(Pin::as_mut);
        }
        if index < Self::CHUNK {
            return Some(one_of_four(self.first[index / 4].as_mut()?.as_mut(), index));
        }
        let lists = self.lists.as_mut()?;
        let Some(in_pages) = index.checked_sub(self.first_in_page) else {
            let chunk = lists.chunks.get_mut(index / Self::CHUNK - 1)?.as_mut();
            return Some(one_of(chunk, index));
        };
        let page = lists.pages.get_mut(in_pages / Self::PAGE)?.as_mut();
        let chunk = one_of(page.project().chunks, in_pages / Self::CHUNK);
        Some(one_of(chunk, in_pages))
    }

    /// Returns the slot at `index`, which must have been made.
    #[inline(always)]
    pub(super) fn slot(&mut self, index: usize) -> Pin<&mut Slot<Fut>> {
        self.get(index).expect("the slot was made")
    }

    /// Makes the next slot, with `waker`, and puts the task with this index into it.
    #[inline]
    pub(super) fn push(&mut self, waker: Waker, task: Fut, index: usize) -> Pin<&mut Slot<Fut>> {
        let number = self.len;
        if !Self::IN_CHUNKS {
            let lists = self.lists.get_or_insert_with(Lists::new);
            lists.boxed.push(Box::pin(Slot {
                future: Some(task),
                waker: Some(waker),
                index,
            }));
            self.len += 1;
            return self.slot(number);
        }
        if number % 4 == 0 {
            self.make_room();
        }
        self.len += 1;
        let mut slot = self.slot(number);
        let mut parts = slot.as_mut().project();
        *parts.waker = Some(waker);
        *parts.index = index;
        parts.future.set(Some(task));
        slot
    }

    /// Makes the four, the chunk or the page of the next slot, if it is the first in one.
    #[inline(never)]
    fn make_room(&mut self) {
        let len = self.len;
        if len < Self::CHUNK {
            self.first[len / 4] = Some(Box::pin(four(Slot::new)));
            return;
        }
        let lists = self.lists.get_or_insert_with(Lists::new);
        let Some(in_pages) = len.checked_sub(self.first_in_page) else {
            if len % Self::CHUNK == 0 {
                lists.chunks.push(Box::pin(chunk()));
            }
            return;
        };
        if in_pages % Self::PAGE == 0 {
            let chunks = Pair::new(|| four(chunk));
            lists.pages.push(Box::pin(Page { chunks }));
        }
    }

    /// Drops all slots and the tasks in them.
    pub(super) fn clear(&mut self) {
        // At once, so that if the destructor of one panics, the others are dropped all the same.
        *self = Self::with_pages_from(self.first_in_page);
    }
}
