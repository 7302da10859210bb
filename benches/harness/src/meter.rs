//! What is measured of a piece of work.

use std::time::Instant;

use crate::{alloc, board, host};

/// Runs a piece of work once, and returns what it measured.
pub type Meter = fn(&mut dyn FnMut()) -> f64;

/// Returns how long `work` takes, in nanoseconds.
pub fn nanoseconds(work: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}

/// Returns how often tasks are polled in `work`.
pub fn polls(work: &mut dyn FnMut()) -> f64 {
    let before = board::polls();
    work();
    (board::polls() - before) as f64
}

/// Returns how often [`block_on`](crate::block_on) polls in `work`: once to start and once for each wake, for each
/// future.
pub fn parent_polls(work: &mut dyn FnMut()) -> f64 {
    let before = host::polls();
    work();
    (host::polls() - before) as f64
}

/// Returns how many allocations `work` makes; a reallocation is one. The program has to use [`alloc::Counting`].
pub fn allocations(work: &mut dyn FnMut()) -> f64 {
    alloc::counted(work).allocations as f64
}

/// Returns how much more memory is in use at the peak of `work` than before it, in bytes, with the same allocator.
pub fn peak_bytes(work: &mut dyn FnMut()) -> f64 {
    alloc::counted(work).peak_bytes as f64
}
