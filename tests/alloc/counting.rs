//! An allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what each thread allocates, so tests do not count each other.
struct Counting;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) allocations: usize,
    pub(crate) live: isize,
    pub(crate) peak: isize,
}

thread_local! {
    static USAGE: Cell<Usage> = const { Cell::new(Usage { allocations: 0, live: 0, peak: 0 }) };
}

fn note(allocations: usize, bytes: isize) {
    let _ = USAGE.try_with(|usage| {
        let mut now = usage.get();
        now.allocations += allocations;
        now.live += bytes;
        now.peak = now.peak.max(now.live);
        usage.set(now);
    });
}

#[allow(unsafe_code)]
// SAFETY: hands everything on to the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        note(0, -(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(1, size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Returns what `work` allocates, the bytes that it leaves behind, and the most bytes that it has at a time.
pub(crate) fn usage_of<R>(work: impl FnOnce() -> R) -> (Usage, R) {
    let before = USAGE.get();
    USAGE.set(Usage {
        peak: before.live,
        ..before
    });
    let result = work();
    let after = USAGE.get();
    let usage = Usage {
        allocations: after.allocations - before.allocations,
        live: after.live - before.live,
        peak: after.peak - before.live,
    };
    (usage, result)
}

/// Returns what this thread has allocated since it began.
pub(crate) fn usage_so_far() -> Usage {
    USAGE.get()
}

/// Returns how many allocations `work` makes.
pub(crate) fn allocations(work: impl FnOnce()) -> usize {
    usage_of(work).0.allocations
}
