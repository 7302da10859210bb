//! The randomness of delays.

use core::time::Duration;

use super::Plan;

/// The generator behind jitter, made when it is first needed, as most operations need none.
#[derive(Debug, Default)]
pub(in crate::operation) struct Jitter(Option<fastrand::Rng>);

impl Jitter {
    /// Returns the delay that a plan makes for a retry of the operation of this id.
    pub(in crate::operation) fn delay(&mut self, plan: &Plan, retries: u32, id: u64) -> Duration {
        let random = if plan.strategy.has_jitter() {
            self.0.get_or_insert_with(|| seeded(plan.seed, id)).f64()
        } else {
            0.0
        };
        let (base, max) = (plan.base_delay, plan.max_delay);
        plan.strategy.delay(retries, base, max, random)
    }
}

#[cfg(feature = "std")]
fn seeded(seed: Option<u64>, _: u64) -> fastrand::Rng {
    seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed)
}

/// Seeds the generator with the id of the operation: there is no randomness to start from, so at least no two draw the same.
#[cfg(not(feature = "std"))]
fn seeded(seed: Option<u64>, id: u64) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed.unwrap_or(id))
}
