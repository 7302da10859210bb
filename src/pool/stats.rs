//! The figures of a pool, and the ways in which a job ends.

#[cfg(feature = "std")]
use core::time::Duration;

/// How a job has ended, whatever it returned: see [`PoolEvent::Ended`](crate::PoolEvent::Ended).
///
/// ```
/// use abreast::pool::JobOutcome;
/// use abreast::{Pool, PoolEvent};
///
/// # smol::block_on(async {
/// let builder = Pool::builder().on_event(|event| match event {
///     PoolEvent::Ended { id, outcome: JobOutcome::Panicked, .. } => eprintln!("job {id} panicked"),
///     _ => {}
/// });
/// let (pool, driver) = builder.build();
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobOutcome {
    /// It returned `Ok`.
    Succeeded,
    /// It returned `Err`.
    Failed,
    /// It was cancelled, before it was started or later.
    Cancelled,
    /// It, or a destructor of it, panicked.
    Panicked,
}

/// The figures of a pool at one moment: see [`Pool::stats`](crate::Pool::stats).
///
/// They are taken together, so they add up at every moment, whatever other threads do meanwhile:
///
/// - `total_executed` = `total_succeeded` + `total_failed` + `total_cancelled` + `total_panicked`,
/// - `total_accepted` = `total_executed` + `total_abandoned` + `queue_length` + `active_workers`.
///
/// A job is counted before its handle resolves.
///
/// ```
/// use abreast::pool;
///
/// # smol::block_on(async {
/// let (pool, mut driver) = pool(2);
/// for n in [1, 0, 2] {
///     _ = pool.execute(async move { 6_u32.checked_div(n).ok_or("divided by zero") })?;
/// }
/// assert_eq!(pool.stats().queue_length, 3);
///
/// driver.run_until(pool.drain()).await;
/// let stats = pool.stats();
/// assert_eq!((stats.total_executed, stats.total_succeeded, stats.total_failed), (3, 2, 1));
/// println!("{:?} of work", stats.total_duration);
/// # Ok::<_, abreast::PoolError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PoolStats {
    /// The number of jobs that were ever accepted.
    pub total_accepted: u64,
    /// The number of jobs that have ended, in whatever way but by being abandoned.
    pub total_executed: u64,
    /// The number of jobs that have returned `Ok`.
    pub total_succeeded: u64,
    /// The number of jobs that have returned `Err`.
    pub total_failed: u64,
    /// The number of jobs that were cancelled, before they were started or later.
    pub total_cancelled: u64,
    /// The number of jobs that have panicked.
    pub total_panicked: u64,
    /// The number of jobs that were dropped because their driver or worker was.
    pub total_abandoned: u64,
    /// The time from start to end, summed over all jobs that were started and have ended. Those that start and end within one
    /// poll of their driver or worker, and so have waited for nothing, are timed as one, at the end of that poll. With a
    /// [hook](crate::PoolBuilder::on_event), each is timed on its own. Needs the feature `std`.
    #[cfg(feature = "std")]
    pub total_duration: Duration,
    /// The time from acceptance to start, summed over all jobs that were started. It is measured with a
    /// [hook](crate::PoolBuilder::on_event), or if [asked for](crate::PoolBuilder::measure_queue_time); otherwise it is zero.
    /// Needs the feature `std`.
    #[cfg(feature = "std")]
    pub total_queue_time: Duration,
    /// The longest time from acceptance to start of any job that was started; zero where `total_queue_time` is not measured.
    /// Needs the feature `std`.
    #[cfg(feature = "std")]
    pub max_queue_time: Duration,
    /// The number of jobs that wait for a worker.
    pub queue_length: usize,
    /// The number of workers that are running a job.
    pub active_workers: usize,
    /// The number of workers that the pool was created with.
    pub worker_count: usize,
}

impl PoolStats {
    /// Counts a job that has ended.
    pub(super) fn count(&mut self, outcome: JobOutcome) {
        self.total_executed += 1;
        match outcome {
            JobOutcome::Succeeded => self.total_succeeded += 1,
            JobOutcome::Failed => self.total_failed += 1,
            JobOutcome::Cancelled => self.total_cancelled += 1,
            JobOutcome::Panicked => self.total_panicked += 1,
        }
    }
}
