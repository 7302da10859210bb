//! An allocator that counts, while it is told to.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

#[global_allocator]
static COUNTING: Counting = Counting;

static ENABLED: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// Bytes in use, beyond what was in use when the counting began. Wraps while there are fewer.
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

impl Counting {
    fn grown(by: usize) {
        if ENABLED.load(Relaxed) {
            ALLOCATIONS.fetch_add(1, Relaxed);
            let in_use = IN_USE.fetch_add(by, Relaxed).wrapping_add(by);
            if in_use < usize::MAX / 2 {
                PEAK.fetch_max(in_use, Relaxed);
            }
        }
    }

    fn shrunk(by: usize) {
        if ENABLED.load(Relaxed) {
            IN_USE.fetch_sub(by, Relaxed);
        }
    }
}

// SAFETY: All work is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::grown(layout.size());
        // SAFETY: The caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::shrunk(layout.size());
        // SAFETY: The caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::shrunk(layout.size());
        Self::grown(size);
        // SAFETY: The caller keeps the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn counted(work: &mut dyn FnMut()) {
    for counter in [&ALLOCATIONS, &IN_USE, &PEAK] {
        counter.store(0, Relaxed);
    }
    ENABLED.store(true, Relaxed);
    work();
    ENABLED.store(false, Relaxed);
}

/// How many allocations `work` makes; a reallocation is one.
pub(crate) fn allocations(work: &mut dyn FnMut()) -> f64 {
    counted(work);
    ALLOCATIONS.load(Relaxed) as f64
}

/// How much more memory is in use at the peak of `work` than before it, in bytes.
pub(crate) fn peak_bytes(work: &mut dyn FnMut()) -> f64 {
    counted(work);
    PEAK.load(Relaxed) as f64
}
