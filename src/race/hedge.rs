//! Delays that are learned from latencies.

use alloc::sync::Arc;
use core::time::Duration;

use super::latencies::Latencies;
use crate::budget::Budget;
use crate::sync::lock::Lock;

/// A delay for [`stagger`](crate::Race::stagger) that is learned from the latencies so far.
///
/// A second request is sent when the first takes longer than, say, 95 % of the latest ones did. So the slowest few are
/// cut off at 5 % more load, whatever "slow" is today.
///
/// Clones share the latencies. Make one for each kind of call, and give it to every race for it:
///
/// ```
/// use std::time::Duration;
/// use abreast::{Budget, Hedge, race};
///
/// # #[tokio::main]
/// # async fn main() {
/// async fn ask(replica: &str) -> Result<String, std::io::Error> {
///     // ...
/// #    Ok(replica.to_owned())
/// }
///
/// let hedge = Hedge::quantile(0.95)
///     .initial(Duration::from_millis(50))
///     .floor(Duration::from_millis(1))
///     .budget(Budget::percent(10));
///
/// for _ in 0..100 {
///     let answer = race(["a", "b"].map(ask)).stagger(&hedge, tokio::time::sleep).await;
///     assert_eq!(answer.unwrap().value, "a");
/// }
/// assert_eq!(hedge.observations(), 100);
/// println!("the next delay is {:?}", hedge.delay());
/// # }
/// ```
///
/// # What is measured
/// The time from the first poll of a race to its success, by the clock of its timer, or else by the system's. Failed
/// races are not counted, nor are those that were dropped. That of a race whose second task wins includes the delay,
/// and so is longer than the delay: as many latencies exceed it as would without hedging. Otherwise hedging would hide
/// the slow calls from itself, and the delay would shrink until all calls were made twice.
///
/// Of the last [`window`](Self::window) latencies the quantile is exact. Without `std`, the timer must have a
/// [clock](crate::Timer::now), or nothing is measured.
#[derive(Clone)]
pub struct Hedge {
    /// What all clones share. Nothing foreign runs under the lock.
    latencies: Arc<Lock<Latencies>>,
    quantile: f64,
    initial: Option<Duration>,
    floor: Duration,
    budget: Option<Budget>,
}

/// Enough to tell a quantile of 99 % from one of 98 %.
const WINDOW: usize = 512;

impl Hedge {
    /// Creates a delay that this share of the latest latencies does not exceed: between 0 and 1, as 0.95.
    ///
    /// # Panics
    /// If `quantile` is not between 0 and 1, both excluded: nothing or everything would be sent twice.
    #[must_use]
    #[track_caller]
    pub fn quantile(quantile: f64) -> Self {
        assert!(
            quantile > 0.0 && quantile < 1.0,
            "a quantile is between 0 and 1: pass 0.95 for the delay that 95 % of all latencies do not exceed"
        );
        Self {
            latencies: Arc::new(Lock::new(Latencies::new(WINDOW))),
            quantile,
            initial: None,
            floor: Duration::ZERO,
            budget: None,
        }
    }

    /// Sets the delay until there are enough latencies to tell the quantile: 20 for 0.95, 100 for 0.99. Without it, no
    /// task is started for a delay until then.
    #[must_use]
    pub fn initial(mut self, delay: Duration) -> Self {
        self.initial = Some(delay);
        self
    }

    /// Sets the shortest delay, however fast all answers are.
    #[must_use]
    pub fn floor(mut self, delay: Duration) -> Self {
        self.floor = delay;
        self
    }

    /// Sets the number of latencies that are kept; 512 by default. The result shares none with this one or its clones.
    ///
    /// # Panics
    /// If `latencies` is 0: nothing could be learned.
    #[must_use]
    #[track_caller]
    pub fn window(mut self, latencies: usize) -> Self {
        assert!(
            latencies > 0,
            "a window of 0 latencies would learn nothing: pass at least 1"
        );
        self.latencies = Arc::new(Lock::new(Latencies::new(latencies)));
        self
    }

    /// Takes a token from a shared budget for each task that is started beside or after another one of its race,
    /// whether for a delay or for a failure. Each first task puts its share in.
    ///
    /// If the budget is empty when a delay is over, no other task starts until one fails. If it is empty when one
    /// fails, none starts any more, and the race resolves when those that run have ended.
    ///
    /// ```
    /// use abreast::{Budget, Hedge, RaceError, race};
    ///
    /// # smol::block_on(async {
    /// let hedge = Hedge::quantile(0.95).budget(Budget::percent(5).burst(1));
    /// let ask = || race([1, 2, 3].map(|replica| async move { Err::<(), _>(replica) }));
    ///
    /// // There is one token, for the second of three.
    /// let error = ask().stagger(&hedge, smol::Timer::after).await.unwrap_err();
    /// assert!(matches!(error, RaceError::AllFailed(failures) if failures.len() == 2));
    /// # });
    /// ```
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Returns the delay of a race that starts now; `None` if there is none for want of latencies.
    #[must_use]
    pub fn delay(&self) -> Option<Duration> {
        let quantile = self
            .latencies
            .with(|latencies| latencies.quantile(self.quantile));
        let delay = quantile.or(self.initial)?;
        Some(delay.max(self.floor))
    }

    /// Returns the number of latencies that are kept.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.latencies.with(|latencies| latencies.len())
    }

    /// Adds a latency. Races do so themselves; this is for calls that are made without one.
    pub fn record(&self, latency: Duration) {
        self.latencies.with(|latencies| latencies.record(latency));
    }
}

impl_debug!(Hedge |self| {
    quantile: self.quantile,
    delay: self.delay(),
    observations: self.observations(),
});

/// A delay between the starts of a [staggered](crate::Race::stagger) race: a [`Duration`], or a [`Hedge`], borrowed or
/// not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a delay",
    label = "not a delay",
    note = "pass a `Duration`, or a `Hedge` to learn the delay from latencies"
)]
pub trait StaggerDelay {
    /// Whether latencies are to be measured.
    #[doc(hidden)]
    const LEARNS: bool;
    /// Returns the delay before the next start; `None` if there is to be none.
    #[doc(hidden)]
    fn delay(&self) -> Option<Duration>;
    /// Notes the start of a first task.
    #[doc(hidden)]
    fn deposit(&self) {}
    /// Returns whether another task may start, and notes that it does.
    #[doc(hidden)]
    fn withdraw(&self) -> bool {
        true
    }
    /// Notes the latency of a race that was won.
    #[doc(hidden)]
    fn learn(&self, _: Duration) {}
}

impl StaggerDelay for Duration {
    const LEARNS: bool = false;

    fn delay(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl StaggerDelay for Hedge {
    const LEARNS: bool = true;

    fn delay(&self) -> Option<Duration> {
        Self::delay(self)
    }

    fn deposit(&self) {
        if let Some(budget) = &self.budget {
            budget.deposit();
        }
    }

    fn withdraw(&self) -> bool {
        self.budget.as_ref().is_none_or(Budget::withdraw)
    }

    fn learn(&self, latency: Duration) {
        self.record(latency);
    }
}

impl<D: StaggerDelay> StaggerDelay for &D {
    const LEARNS: bool = D::LEARNS;

    fn delay(&self) -> Option<Duration> {
        (**self).delay()
    }

    fn deposit(&self) {
        (**self).deposit();
    }

    fn withdraw(&self) -> bool {
        (**self).withdraw()
    }

    fn learn(&self, latency: Duration) {
        (**self).learn(latency);
    }
}
