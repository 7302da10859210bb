//! The settings of a pool as a value.

use super::builder::PoolBuilder;
use super::kind::Kind;

/// The settings of a [`Pool`](crate::Pool) as a value, to be kept and used again: see [`PoolBuilder::options`].
///
/// ```
/// use abreast::{Pool, PoolOptions};
///
/// const POLITE: PoolOptions = PoolOptions::new().worker_count(2).queue_capacity(100);
///
/// let (pool, driver) = Pool::builder().options(POLITE).build();
/// assert_eq!(pool.worker_count(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PoolOptions {
    /// The limit to the jobs that run at any time. At least 1; 5 by default.
    pub worker_count: usize,
    /// The limit to the jobs that are queued beside those that run. At least 1; by default `None`, as many as memory holds.
    pub queue_capacity: Option<usize>,
    /// Whether the time that jobs are queued is measured without a hook, too; false by default.
    #[cfg(feature = "std")]
    pub measure_queue_time: bool,
}

impl PoolOptions {
    /// Creates the default settings: five workers, and no limit to the queue.
    ///
    /// ```
    /// # use abreast::PoolOptions;
    /// let options = PoolOptions::new();
    /// assert_eq!((options.worker_count, options.queue_capacity), (5, None));
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            worker_count: 5,
            queue_capacity: None,
            #[cfg(feature = "std")]
            measure_queue_time: false,
        }
    }

    /// Limits the jobs that run at any time: see [`PoolBuilder::worker_count`].
    ///
    /// ```
    /// # use abreast::PoolOptions;
    /// assert_eq!(PoolOptions::new().worker_count(3).worker_count, 3);
    /// ```
    ///
    /// # Panics
    /// If `workers` is 0: nothing could ever run.
    #[track_caller]
    #[must_use]
    pub const fn worker_count(mut self, workers: usize) -> Self {
        assert_workers(workers);
        self.worker_count = workers;
        self
    }

    /// Limits the jobs that are queued, beside those that run: see [`PoolBuilder::queue_capacity`].
    ///
    /// ```
    /// # use abreast::PoolOptions;
    /// assert_eq!(PoolOptions::new().queue_capacity(100).queue_capacity, Some(100));
    /// ```
    ///
    /// # Panics
    /// If `capacity` is 0: nothing could ever be accepted.
    #[track_caller]
    #[must_use]
    pub const fn queue_capacity(mut self, capacity: usize) -> Self {
        assert_capacity(capacity);
        self.queue_capacity = Some(capacity);
        self
    }

    /// Sets whether the time that jobs are queued is measured: see [`PoolBuilder::measure_queue_time`]. Needs the feature
    /// `std`.
    ///
    /// ```
    /// # use abreast::PoolOptions;
    /// assert!(PoolOptions::new().measure_queue_time(true).measure_queue_time);
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub const fn measure_queue_time(mut self, measure: bool) -> Self {
        self.measure_queue_time = measure;
        self
    }
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Kind> PoolBuilder<K> {
    /// Takes all settings from `options`, instead of those so far.
    ///
    /// ```
    /// use abreast::{Pool, PoolOptions};
    ///
    /// let (pool, driver) = Pool::builder().options(PoolOptions::new().worker_count(8)).build();
    /// assert_eq!(pool.worker_count(), 8);
    /// ```
    ///
    /// # Panics
    /// If a limit is 0.
    #[track_caller]
    pub fn options(mut self, options: PoolOptions) -> Self {
        assert_workers(options.worker_count);
        assert_capacity(options.queue_capacity.unwrap_or(usize::MAX));
        self.options = options;
        self
    }

    /// Limits how many jobs run at any time; 5 by default.
    ///
    /// ```
    /// let (pool, driver) = abreast::Pool::builder().worker_count(8).build();
    /// ```
    ///
    /// # Panics
    /// If `workers` is 0: nothing could ever run.
    #[track_caller]
    pub fn worker_count(mut self, workers: usize) -> Self {
        self.options = self.options.worker_count(workers);
        self
    }

    /// Limits how many jobs may be queued, beside those that run; without it, as many are as memory holds.
    ///
    /// When the queue is full, [`Pool::execute`](crate::Pool::execute) fails and
    /// [`Pool::execute_when_room`](crate::Pool::execute_when_room) waits.
    ///
    /// ```
    /// use abreast::{Pool, PoolError};
    ///
    /// let (pool, driver) = Pool::builder().queue_capacity(1).build();
    /// assert!(pool.execute(async { Ok::<_, ()>(1) }).is_ok());
    /// assert_eq!(pool.execute(async { Ok::<_, ()>(2) }).unwrap_err(), PoolError::Full);
    /// ```
    ///
    /// # Panics
    /// If `capacity` is 0: nothing could ever be accepted.
    #[track_caller]
    pub fn queue_capacity(mut self, capacity: usize) -> Self {
        self.options = self.options.queue_capacity(capacity);
        self
    }

    /// Sets whether the time that jobs are queued is measured, for [`PoolStats`](crate::PoolStats); by default only with a
    /// [hook](crate::PoolBuilder::on_event).
    ///
    /// It is an option because the clock is read for each job that is accepted, and again when it starts, which can take longer
    /// than all else that the pool does for a job. Needs the feature `std`.
    ///
    /// ```
    /// use abreast::Pool;
    /// use std::time::Duration;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = Pool::builder().measure_queue_time(true).build();
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// std::thread::sleep(Duration::from_millis(1));
    /// assert_eq!(driver.run_until(six).await, Ok(6));
    /// assert!(pool.stats().total_queue_time >= Duration::from_millis(1));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    #[cfg(feature = "std")]
    pub fn measure_queue_time(mut self, measure: bool) -> Self {
        self.options.measure_queue_time = measure;
        self
    }
}

/// Refuses a number of workers that would run nothing.
#[track_caller]
const fn assert_workers(workers: usize) {
    assert!(
        workers > 0,
        "a pool of 0 workers runs nothing: pass at least 1"
    );
}

/// Refuses a capacity that would accept nothing.
#[track_caller]
const fn assert_capacity(capacity: usize) {
    assert!(
        capacity > 0,
        "a queue with a capacity of 0 accepts nothing: pass at least 1"
    );
}
