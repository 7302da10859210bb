//! How queue and run times are distributed.
//!
//! A histogram has a bucket for each number of nanoseconds below 64, and 32 buckets for each power of two from there
//! on, each as wide as the others of its power: so none is wider than a 32nd of its least duration. The crate
//! `hdrhistogram` does that and much more, and is large beside what is needed here: a few shifts, and no option that
//! could be set wrong.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use crate::sync::Lock;
use crate::time::{Moment, Timer};

/// The buckets for each power of two are two to the power of this.
const PRECISION: u32 = 5;

/// The distribution of queue and run times of the jobs of a pool: see [`Pool::times`](crate::Pool::times). Needs the
/// feature `std`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PoolTimes {
    /// The times from acceptance to start, of all jobs that were started.
    pub queue_time: Histogram,
    /// The times from start to end, of all jobs that were started and have ended.
    pub run_time: Histogram,
}

/// A distribution of durations. Needs the feature `std`.
///
/// Quantiles are exact up to 3.2 %, from nanoseconds to centuries. It takes 8 KB where the longest duration is about a
/// minute.
///
/// ```
/// use abreast::Pool;
///
/// # smol::block_on(async {
/// let (pool, mut driver) = Pool::builder().measure_times(smol::Timer::after).build();
/// for n in 0..100 {
///     _ = pool.execute(async move { Ok::<_, ()>(n) })?;
/// }
/// driver.run_until(pool.drain()).await;
///
/// let run_time = pool.times().run_time;
/// assert_eq!(run_time.count(), 100);
/// assert!(run_time.quantile(0.5) <= run_time.quantile(0.99));
/// assert_eq!(run_time.quantile(1.0), run_time.max());
/// # Ok::<_, abreast::PoolError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Histogram {
    /// The number of durations in each bucket, up to the last that has any.
    buckets: Vec<u64>,
    count: u64,
    sum: Duration,
    max: Duration,
}

impl Histogram {
    /// Returns the number of durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the longest duration; `None` if there is none.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// Returns the mean of all durations; `None` if there is none.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let nanos = self.sum.as_nanos().checked_div(u128::from(self.count))?;
        Some(Duration::from_nanos(
            u64::try_from(nanos).unwrap_or(u64::MAX),
        ))
    }

    /// Returns the duration that this part of all durations does not exceed: the median for 0.5. `None` if there is
    /// none.
    ///
    /// It may be up to 3.2 % more than the exact one, and is never less.
    ///
    /// # Panics
    /// If `part` is not from 0 to 1.
    #[track_caller]
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        assert!(
            (0.0..=1.0).contains(&part),
            "a quantile of {part} is of no distribution: pass 0.99 for that of 99 %"
        );
        // The number of durations that are not above it, rounded up.
        let wanted = (part * self.count as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        let index = self.buckets.iter().position(|count| {
            below += count;
            below >= wanted
        })?;
        Some(Duration::from_nanos(last_of(index)).min(self.max))
    }

    /// Adds a duration.
    pub(super) fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let index = bucket_of(nanos);
        if index >= self.buckets.len() {
            self.buckets.resize(index + 1, 0);
        }
        self.buckets[index] += 1;
        self.count += 1;
        self.sum = self.sum.saturating_add(duration);
        self.max = self.max.max(duration);
    }
}

/// Returns the bucket of a number: its power of two, and the bits behind the first.
fn bucket_of(nanos: u64) -> usize {
    let power = nanos.checked_ilog2().unwrap_or(0);
    let shift = power.saturating_sub(PRECISION);
    // The first bit is a part of this. So each power begins where the one before it ends.
    let bits = (nanos >> shift) as usize;
    ((shift as usize) << PRECISION) + bits
}

/// Returns the largest number that is in this bucket.
fn last_of(index: usize) -> u64 {
    let shift = (index >> PRECISION).saturating_sub(1);
    let bits = index - (shift << PRECISION);
    let next = (bits as u128 + 1) << shift;
    u64::try_from(next - 1).unwrap_or(u64::MAX)
}

impl_debug!(Histogram |self| { count: self.count, max: self.max });

/// What a pool measures each job by.
pub(super) struct Meter {
    /// The moment that the clock of the timer counts from.
    begin: Moment,
    clock: Box<dyn Fn() -> Option<Duration> + Send + Sync>,
    times: Lock<PoolTimes>,
}

impl Meter {
    pub(super) fn new(timer: impl Timer + Send + Sync + 'static) -> Self {
        Self {
            begin: Moment::now(),
            clock: Box::new(move || timer.now()),
            times: Lock::new(PoolTimes::default()),
        }
    }

    /// Reads the clock that the timer goes by.
    pub(super) fn now(&self) -> Moment {
        match (self.clock)() {
            Some(time) => self.begin.after(time),
            None => Moment::now(),
        }
    }

    pub(super) fn record_queue_time(&self, duration: Duration) {
        self.times.with(|times| times.queue_time.record(duration));
    }

    pub(super) fn record_run_time(&self, duration: Duration) {
        self.times.with(|times| times.run_time.record(duration));
    }

    pub(super) fn times(&self) -> PoolTimes {
        self.times.with(|times| times.clone())
    }
}

impl_debug!(Meter |self| { times: self.times() });
