//! The settings of a pool as a value.

/// The settings of a [`Pool`](crate::Pool) as a value, to be kept and used again: see
/// [`PoolBuilder::options`](crate::PoolBuilder::options).
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
    /// The limit to the jobs that are queued beside those that run. At least 1; by default `None`, as many as memory
    /// holds.
    pub queue_capacity: Option<usize>,
    /// The number of jobs that are started while another waits until that has gained a level of
    /// [priority](crate::Pool::with_priority). At least 1; 16 by default.
    pub aging: u32,
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
            aging: 16,
            #[cfg(feature = "std")]
            measure_queue_time: false,
        }
    }

    /// Limits the jobs that run at any time: see [`PoolBuilder::worker_count`](crate::PoolBuilder::worker_count).
    ///
    /// ```
    /// use abreast::{Pool, PoolOptions};
    ///
    /// const SMALL: PoolOptions = PoolOptions::new().worker_count(3);
    /// let (pool, driver) = Pool::builder().options(SMALL).build();
    /// assert_eq!(pool.stats().worker_count, 3);
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

    /// Limits the jobs that are queued, beside those that run: see
    /// [`PoolBuilder::queue_capacity`](crate::PoolBuilder::queue_capacity).
    ///
    /// ```
    /// use abreast::PoolOptions;
    ///
    /// const BOUNDED: PoolOptions = PoolOptions::new().queue_capacity(100);
    /// assert_eq!(BOUNDED.queue_capacity, Some(100));
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

    /// Sets how fast jobs that wait gain priority: see [`PoolBuilder::aging`](crate::PoolBuilder::aging).
    ///
    /// ```
    /// use abreast::PoolOptions;
    ///
    /// const PATIENT: PoolOptions = PoolOptions::new().aging(100);
    /// assert_eq!(PATIENT.aging, 100);
    /// ```
    ///
    /// # Panics
    /// If `jobs` is 0: all priorities would be the same.
    #[track_caller]
    #[must_use]
    pub const fn aging(mut self, jobs: u32) -> Self {
        assert_aging(jobs);
        self.aging = jobs;
        self
    }

    /// Sets whether the time that jobs are queued is measured: see
    /// [`PoolBuilder::measure_queue_time`](crate::PoolBuilder::measure_queue_time). Needs the feature
    /// `std`.
    ///
    /// ```
    /// use abreast::PoolOptions;
    ///
    /// const MEASURED: PoolOptions = PoolOptions::new().measure_queue_time(true);
    /// assert!(MEASURED.measure_queue_time);
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

/// Refuses a number of workers that would run nothing.
#[track_caller]
pub(super) const fn assert_workers(workers: usize) {
    assert!(
        workers > 0,
        "a pool of 0 workers runs nothing: pass at least 1"
    );
}

/// Refuses a capacity that would accept nothing.
#[track_caller]
pub(super) const fn assert_capacity(capacity: usize) {
    assert!(
        capacity > 0,
        "a queue with a capacity of 0 accepts nothing: pass at least 1"
    );
}

/// Refuses a rate of aging that would make priorities the same.
#[track_caller]
pub(super) const fn assert_aging(jobs: u32) {
    assert!(
        jobs > 0,
        "with an aging of 0 jobs, all priorities would be the same: pass at least 1"
    );
}
