//! The randomness of delays.

use core::time::Duration;

use super::Plan;

/// The generator behind jitter, made when it is first needed, as most tasks need none.
#[derive(Debug, Default)]
pub(super) struct Jitter(Option<fastrand::Rng>);

impl Jitter {
    /// Returns the delay of a plan before the next retry, after `retries` of them.
    pub(super) fn delay(&mut self, plan: &Plan, retries: u32) -> Duration {
        let random = if plan.strategy.has_jitter() {
            self.0.get_or_insert_with(|| seeded(plan.seed)).f64()
        } else {
            0.0
        };
        let (base, max) = (plan.base_delay, plan.max_delay);
        plan.strategy.delay(retries, base, max, random)
    }
}

#[cfg(feature = "std")]
fn seeded(seed: Option<u64>) -> fastrand::Rng {
    seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed)
}

/// Seeds the generator with a number of its own: there is no randomness to start from, so at least no two draw the
/// same.
#[cfg(not(feature = "std"))]
fn seeded(seed: Option<u64>) -> fastrand::Rng {
    use core::sync::atomic::{AtomicUsize, Ordering};

    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let next = || NEXT.fetch_add(1, Ordering::Relaxed) as u64;
    fastrand::Rng::with_seed(seed.unwrap_or_else(next))
}
