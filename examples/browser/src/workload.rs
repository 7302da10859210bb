//! What each task is going to do: drawn from a seed, so that a link says all of it.

use std::time::Duration;

/// What one task is going to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    pub(crate) duration: Duration,
    pub(crate) succeeds: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) tasks: usize,
    /// The mean of all tasks.
    pub(crate) duration: Duration,
    /// By how much of the mean a task may be shorter or longer, in percent.
    pub(crate) spread: u32,
    /// How much longer task 0 takes than it would otherwise.
    pub(crate) head: u32,
    /// In percent of the tasks.
    pub(crate) failures: u32,
    pub(crate) seed: u32,
}

impl Workload {
    /// Returns the same for the same seed and index, whatever runs the tasks: so runs can be compared.
    pub(crate) fn fate(&self, index: usize) -> Fate {
        let mut random = u64::from(self.seed) << 32 | index as u64;
        let mut below = |bound: u64| {
            // splitmix64
            random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (random ^ (random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) % bound
        };
        let spread = u64::from(self.spread.min(99));
        let percent = 100 - spread + below(2 * spread + 1);
        let factor = if index == 0 { self.head } else { 1 };
        Fate {
            duration: self.duration * percent as u32 / 100 * factor,
            succeeds: below(100) as u32 >= self.failures,
        }
    }
}
