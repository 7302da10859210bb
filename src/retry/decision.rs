//! The decision whether to try again, and when.

use core::time::Duration;

use super::{Category, Classification, Counts, GiveUp, Jitter, Plan};

/// The retries of one stream or task so far, from which follows whether there is another.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    counts: Counts,
    jitter: Jitter,
}

/// The closures of the user on the attempt that has failed.
pub(crate) trait Closures {
    /// Returns whether all closures allow a retry.
    fn allow(&mut self) -> bool;
    /// Returns the delay of the first closure that knows one.
    fn delay(&mut self) -> Option<Duration>;
}

impl Retries {
    /// Returns the delay before the next attempt, or why there is none. The retry must then be [spent](Self::spend).
    ///
    /// `left` is the time that is left for all attempts, if that is limited.
    pub(crate) fn decide(
        &mut self,
        plan: &Plan,
        failed: Classification,
        left: Option<Duration>,
        closures: &mut impl Closures,
    ) -> Result<Duration, GiveUp> {
        // The policy comes first, so that closures are asked only about what is possible.
        if failed.category == Category::Fatal {
            return Err(GiveUp::Fatal);
        }
        if !self.counts.allows(plan, failed.category) {
            return Err(GiveUp::Exhausted);
        }
        if !closures.allow() {
            return Err(GiveUp::Refused);
        }
        // An attempt that could only start when the time is up is not waited for.
        let delay = self.delay(plan, failed, closures);
        if left.is_some_and(|left| delay >= left) {
            return Err(GiveUp::OutOfTime);
        }
        // A token is taken last, as it would be lost for others if there were no retry.
        match &plan.budget {
            Some(budget) if !budget.withdraw() => Err(GiveUp::OutOfBudget),
            _ => Ok(delay),
        }
    }

    /// Returns the delay before a retry.
    fn delay(
        &mut self,
        plan: &Plan,
        failed: Classification,
        closures: &mut impl Closures,
    ) -> Duration {
        if !plan.waits {
            return Duration::ZERO;
        }
        // A delay of the user's own outweighs what the other side asks for, and that the strategy.
        let asked = failed.retry_after.map(|delay| delay.min(plan.max_delay));
        let delay = closures.delay().or(asked);
        delay.unwrap_or_else(|| {
            let retries = self.counts.of(failed.category);
            self.jitter.delay(plan, retries)
        })
    }

    /// Counts a retry after an error of this category.
    pub(crate) fn spend(&mut self, category: Category) {
        self.counts.spend(category);
    }
}

/// What operations report, and reset between streams.
#[cfg(feature = "operation")]
impl Retries {
    /// Returns the number of retries so far.
    pub(crate) fn spent(&self) -> u32 {
        self.counts.spent()
    }

    /// Returns the number of retries that there can be in all, if all further errors are of this category.
    pub(crate) fn limit(&self, plan: &Plan, category: Category) -> u32 {
        self.counts.limit(plan, category)
    }

    /// Starts anew for another stream.
    pub(crate) fn reset(&mut self) {
        self.counts = Counts::default();
    }
}
