//! How delays grow, and how many retries are left.

use core::time::Duration;

use super::Plan;
use crate::operation::classify::Category;

/// How the delays between retries grow.
///
/// *n* is the number of retries so far after errors of the same category, *base* and *max* are
/// [`base_delay`](super::Retry::base_delay) and [`max_delay`](super::Retry::max_delay), *e* = min(*base* · 2ⁿ, *max*), and
/// *r* is drawn evenly from 0 to 1.
///
/// ```
/// use std::time::Duration;
/// use abreast::operation::Strategy;
///
/// let (base, max) = (Duration::from_secs(1), Duration::from_secs(10));
/// assert_eq!(Strategy::Exponential.delay(3, base, max, 0.0), Duration::from_secs(8));
/// assert_eq!(Strategy::FixedJitter.delay(3, base, max, 0.5), Duration::from_secs(6));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// *e*: each delay is twice the one before.
    Exponential,
    /// min(*base* · (*n* + 1), *max*): each delay is longer by the same.
    Linear,
    /// min(*base*, *max*): all delays are the same.
    Fixed,
    /// *e* / 2 + *r* · *e* / 2: half of each delay is left to chance.
    #[default]
    FixedJitter,
    /// *r* · *e*: all of each delay is left to chance.
    FullJitter,
}

impl Strategy {
    /// The delay after `retries` retries. `random` is *r*, and may be anything if there is no jitter.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::operation::Strategy;
    ///
    /// let (base, max) = (Duration::from_secs(1), Duration::from_secs(10));
    /// let delays = [0, 1, 2].map(|retries| Strategy::Linear.delay(retries, base, max, 0.0).as_secs());
    /// assert_eq!(delays, [1, 2, 3]);
    /// ```
    #[must_use]
    pub fn delay(self, retries: u32, base: Duration, max: Duration, random: f64) -> Duration {
        let factor = 1_u32.checked_shl(retries).unwrap_or(u32::MAX);
        let exponential = base.saturating_mul(factor).min(max);
        match self {
            Self::Exponential => exponential,
            Self::Linear => base.saturating_mul(retries.saturating_add(1)).min(max),
            Self::Fixed => base.min(max),
            Self::FixedJitter => {
                let half = exponential / 2;
                half + half.mul_f64(random)
            }
            Self::FullJitter => exponential.mul_f64(random),
        }
    }

    const fn has_jitter(self) -> bool {
        matches!(self, Self::FixedJitter | Self::FullJitter)
    }
}

/// How often a stream was tried again.
#[derive(Debug, Default)]
pub(in crate::operation) struct Budget {
    by_category: [u32; 5],
}

impl Budget {
    pub(in crate::operation) fn spent(&self) -> u32 {
        self.by_category.iter().sum()
    }

    /// Whether another retry after such an error is allowed.
    pub(in crate::operation) fn allows(&self, plan: &Plan, category: Category) -> bool {
        let of_model = self.of(Category::Model) + self.of(Category::Content);
        category != Category::Fatal
            && self.spent() < plan.max_retries
            && (!category.is_of_model() || of_model < plan.attempts)
    }

    pub(in crate::operation) fn of(&self, category: Category) -> u32 {
        self.by_category[category as usize]
    }

    pub(in crate::operation) fn spend(&mut self, category: Category) {
        self.by_category[category as usize] += 1;
    }
}

/// Where jitter comes from: made when first needed, as most operations need none.
#[derive(Debug, Default)]
pub(in crate::operation) struct Dice(Option<fastrand::Rng>);

impl Dice {
    /// The delay that a plan makes for a retry.
    pub(in crate::operation) fn delay(&mut self, plan: &Plan, retries: u32, id: u64) -> Duration {
        let random = match plan.strategy.has_jitter() {
            true => self.0.get_or_insert_with(|| seeded(plan.seed, id)).f64(),
            false => 0.0,
        };
        let (base, max) = (plan.base_delay, plan.max_delay);
        plan.strategy.delay(retries, base, max, random)
    }
}

#[cfg(feature = "std")]
fn seeded(seed: Option<u64>, _: u64) -> fastrand::Rng {
    seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed)
}

/// There is nothing random to start from, so at least no two operations draw the same.
#[cfg(not(feature = "std"))]
fn seeded(seed: Option<u64>, id: u64) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed.unwrap_or(id))
}
