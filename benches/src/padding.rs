//! Shifts heap and stack at random, so that no contender has luck with where its data is for all of a run.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::hint::black_box;

/// A small generator of random numbers, seeded anew in each process.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        // The only randomness that the standard library has.
        Self(RandomState::new().build_hasher().finish() | 1)
    }

    /// Returns a number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * limit as u64) >> 32) as usize
    }
}

/// Runs `work` with up to 32 KiB of heap in use that was not before, and up to 8 KiB further down the stack.
pub(crate) fn padded(random: &mut Random, work: &mut dyn FnMut()) {
    let blocks = random.below(16);
    let heap: Vec<Vec<u8>> = (0..blocks)
        .map(|_| Vec::with_capacity(1 + random.below(2048)))
        .collect();
    descend(random.below(128), work);
    drop(black_box(heap));
}

#[inline(never)]
fn descend(frames: usize, work: &mut dyn FnMut()) {
    let frame = [0_u8; 48];
    black_box(&frame);
    match frames {
        0 => work(),
        _ => descend(frames - 1, work),
    }
    // Keeps the frame, as the call above is not the last thing done.
    black_box(&frame);
}
