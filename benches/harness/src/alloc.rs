//! An allocator that counts, while it is told to. A program declares it as its global allocator, or counts nothing.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

static ENABLED: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// Bytes in use, beyond what was in use when the counting began. Wraps while there are fewer.
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with a count.
#[derive(Debug)]
pub struct Counting;

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

/// What was counted.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    /// Allocations; a reallocation is one.
    pub(crate) allocations: usize,
    /// How much more memory was in use at the peak than before.
    pub(crate) peak_bytes: usize,
}

/// Counts what `work` allocates.
pub(crate) fn counted(work: &mut dyn FnMut()) -> Memory {
    for counter in [&ALLOCATIONS, &IN_USE, &PEAK] {
        counter.store(0, Relaxed);
    }
    ENABLED.store(true, Relaxed);
    work();
    ENABLED.store(false, Relaxed);
    Memory {
        allocations: ALLOCATIONS.load(Relaxed),
        peak_bytes: PEAK.load(Relaxed),
    }
}
