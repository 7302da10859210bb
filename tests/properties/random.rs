//! What a program draws: from a seed, or from the input of a fuzzer for as long as there is some.

use std::vec;

use crate::support;

pub(crate) struct Random {
    /// What is left of the input.
    input: vec::IntoIter<u8>,
    /// What follows it.
    rest: support::Random,
}

impl Random {
    /// Draws from a seed.
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self::new(Vec::new(), seed)
    }

    /// Draws from an input, and then always the same.
    pub(crate) fn from_input(input: &[u8]) -> Self {
        Self::new(input.to_vec(), 1)
    }

    fn new(input: Vec<u8>, seed: u64) -> Self {
        Self {
            input: input.into_iter(),
            // Seeds that differ in one bit only would begin alike.
            rest: support::Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
        }
    }

    /// Draws a number below `bound`, of which there has to be one.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        match self.input.next() {
            Some(byte) => usize::from(byte) % bound,
            None => self.rest.below(bound),
        }
    }

    /// Draws whether something happens that happens once in `count` times.
    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}
