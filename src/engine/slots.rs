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
        // The how manieth task the tenant is.
        pub(super) index: usize,
        // The next slot in the free list, while this one is in it.
        pub(super) next_free: usize,
    }
}

impl<Fut> Slot<Fut> {
    fn new() -> Self {
        Self {
            future: None,
            waker: Waker::noop().clone(),
            index: 0,
            next_free: NONE,
        }
    }
}

pin_project! {
    /// Two of a kind. An array could not be pinned without `unsafe`.
    struct Two<T> {
        #[pin]
        first: T,
        #[pin]
        second: T,
    }
}

impl<T> Two<T> {
    fn new(make: impl Fn() -> T) -> Self {
        Self {
            first: make(),
            second: make(),
        }
    }

    /// Both places are known before one is chosen, so this compiles to a conditional move rather than a jump.
    #[inline(always)]
    fn pick(self: Pin<&mut Self>, second: bool) -> Pin<&mut T> {
        let this = self.project();
        if second { this.second } else { this.first }
    }
}

/// Eight slots in one allocation.
type Row<Fut> = Two<Two<Two<Slot<Fut>>>>;

/// Slots, made as they are needed.
///
/// Small tasks are kept eight to an allocation, which halves the cost of a set that is used once. Larger ones have an
/// allocation each, so that a set of two does not take up the memory of eight.
pub(super) struct Slots<Fut> {
    rows: Vec<Pin<Box<Row<Fut>>>>,
    singles: Vec<Pin<Box<Slot<Fut>>>>,
    len: usize,
}

impl<Fut> Slots<Fut> {
    const ROW: usize = 8;
    const IN_ROWS: bool = size_of::<Fut>() <= 512;

    pub(super) const fn new() -> Self {
        Self {
            rows: Vec::new(),
            singles: Vec::new(),
            len: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The slot at `index`, which must have been made.
    #[inline]
    pub(super) fn slot(&mut self, index: usize) -> Pin<&mut Slot<Fut>> {
        if Self::IN_ROWS {
            let row = self.rows[index / Self::ROW].as_mut();
            row.pick(index & 4 != 0)
                .pick(index & 2 != 0)
                .pick(index & 1 != 0)
        } else {
            self.singles[index].as_mut()
        }
    }

    /// Makes the next slot, with `waker`.
    pub(super) fn push(&mut self, waker: Waker) {
        if !Self::IN_ROWS {
            self.singles.push(Box::pin(Slot::new()));
        } else if self.len % Self::ROW == 0 {
            let row = || Two::new(|| Two::new(|| Two::new(Slot::new)));
            self.rows.push(Box::pin(row()));
        }
        let index = self.len;
        self.len += 1;
        *self.slot(index).project().waker = waker;
    }

    /// Drops all slots and the tasks in them.
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.rows.clear();
        self.singles.clear();
    }
}
