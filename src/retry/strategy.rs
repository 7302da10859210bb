//! Strategies: how delays grow.

use core::time::Duration;

/// A way in which the delays between retries grow.
///
/// *n* is the number of retries so far after errors of the same category, *base* and *max* are
/// [`base_delay`](super::Retry::base_delay) and [`max_delay`](super::Retry::max_delay), *e* = min(*base* · 2ⁿ, *max*),
/// and *r* is drawn evenly from 0 to 1.
///
/// ```
/// use std::time::Duration;
/// use abreast::retry::Strategy;
///
/// let (base, max) = (Duration::from_secs(1), Duration::from_secs(10));
/// assert_eq!(Strategy::Exponential.delay(3, base, max, 0.0), Duration::from_secs(8));
/// assert_eq!(Strategy::FixedJitter.delay(3, base, max, 0.5), Duration::from_secs(6));
/// let delays = [0, 1, 2].map(|retries| Strategy::Linear.delay(retries, base, max, 0.0).as_secs());
/// assert_eq!(delays, [1, 2, 3]);
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
    /// Returns the delay after `retries` retries. `random` is *r*, and may be anything if there is no jitter.
    #[must_use]
    pub fn delay(self, retries: u32, base: Duration, max: Duration, random: f64) -> Duration {
        // The longest delay is the limit of all of them, so jitter only ever shortens.
        let exponential = doubled(base, retries).min(max);
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

    /// Returns whether delays are random in part.
    pub(super) const fn has_jitter(self) -> bool {
        matches!(self, Self::FixedJitter | Self::FullJitter)
    }
}

/// Returns *base* · 2ⁿ, or the longest duration that there is.
fn doubled(base: Duration, times: u32) -> Duration {
    // 2³² does not fit into a factor, so larger powers are reached in steps of 2³⁰.
    let mut delay = base;
    let mut left = times;
    while left > 0 && delay < Duration::MAX && !delay.is_zero() {
        let step = left.min(30);
        delay = delay.saturating_mul(1 << step);
        left -= step;
    }
    delay
}
