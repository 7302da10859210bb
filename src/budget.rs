//! A limit on the share of extra calls, for retries and hedges.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Limits retries and hedged calls to a share of the first tries, so that an outage does not double the load.
///
/// It is a bucket of tokens. Each first try puts a share of a token in, and each retry or hedged call takes a whole one
/// out. While the bucket is empty, no call is made a second time: what has failed stays failed. So in any stretch of
/// time, there are at most [`percent`](Self::percent) of the first tries, and [`burst`](Self::burst) more.
///
/// Clones share one bucket. Give one to all that calls the same service: to [`Retry::budget`](crate::Retry::budget) for
/// [`retry()`](crate::retry()) and operations, and to [`Hedge::budget`](crate::Hedge::budget) for races.
///
/// ```
/// use abreast::{Budget, Retry, retry};
///
/// # smol::block_on(async {
/// // One retry for each twenty calls, after the first two.
/// let budget = Budget::percent(5).burst(2);
/// let policy = Retry::recommended().budget(budget.clone());
/// # let policy = policy.base_delay(std::time::Duration::ZERO);
///
/// let down = || async { Err::<(), _>("overloaded") };
/// let error = retry(policy.clone(), smol::Timer::after, down).await.unwrap_err();
/// assert_eq!(error.attempts, 3);
///
/// // The service is still down, and is not called more often than without retries.
/// let error = retry(policy, smol::Timer::after, down).await.unwrap_err();
/// assert_eq!(error.attempts, 1);
/// # });
/// ```
#[derive(Clone)]
pub struct Budget {
    bucket: Arc<Bucket>,
}

/// Hundredths of tokens.
struct Bucket {
    /// What is in it. First tries add to it, retries and hedged calls take from it.
    level: AtomicUsize,
    capacity: usize,
    /// What a first try adds.
    deposit: usize,
}

/// A token, in hundredths.
const TOKEN: usize = 100;

impl Budget {
    /// Creates a budget of `percent` retries and hedged calls for each hundred first tries, with a
    /// [`burst`](Self::burst) of 10.
    #[must_use]
    pub fn percent(percent: u32) -> Self {
        let deposit = usize::try_from(percent).unwrap_or(usize::MAX);
        Self::new(deposit, 10)
    }

    /// Sets the number of tokens that the bucket holds at most, and starts with. Without a burst, a program that makes
    /// few calls could never repeat one.
    ///
    /// The result shares nothing with this budget or its clones.
    #[must_use]
    pub fn burst(self, tokens: usize) -> Self {
        Self::new(self.bucket.deposit, tokens)
    }

    fn new(deposit: usize, burst: usize) -> Self {
        let capacity = burst.saturating_mul(TOKEN);
        Self {
            bucket: Arc::new(Bucket {
                level: AtomicUsize::new(capacity),
                capacity,
                deposit,
            }),
        }
    }

    /// Returns the number of retries and hedged calls that could be made at once.
    #[must_use]
    pub fn available(&self) -> usize {
        self.bucket.level.load(Ordering::Relaxed) / TOKEN
    }

    /// Counts a first try. Verbs and operations do so themselves; this is for calls that are made without them.
    pub fn deposit(&self) {
        let Bucket {
            level,
            capacity,
            deposit,
        } = &*self.bucket;
        // Nothing else hangs on the level, so no order is needed. It is left alone where it is full, which it mostly
        // is.
        let _ = level.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |level| {
            (level < *capacity).then(|| level.saturating_add(*deposit).min(*capacity))
        });
    }

    /// Takes a token for a retry or a hedged call, and returns whether there was one. Verbs and operations do so
    /// themselves.
    ///
    /// ```
    /// let budget = abreast::Budget::percent(50).burst(1);
    /// assert!(budget.withdraw());
    /// assert!(!budget.withdraw());
    /// budget.deposit();
    /// budget.deposit();
    /// assert!(budget.withdraw());
    /// ```
    #[must_use = "without a token, there is to be no call"]
    pub fn withdraw(&self) -> bool {
        let level = &self.bucket.level;
        let taken = level.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |level| {
            level.checked_sub(TOKEN)
        });
        taken.is_ok()
    }
}

impl_debug!(Budget |self| { available: self.available() });
