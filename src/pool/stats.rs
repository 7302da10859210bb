//! The figures of a pool, and how an operation can end.

#[cfg(feature = "std")]
use core::time::Duration;

/// How an operation has ended, whatever it returned: see [`PoolEvent::Ended`](crate::PoolEvent::Ended).
///
/// ```
/// use abreast::pool::JobOutcome;
/// use abreast::{Pool, PoolEvent};
///
/// # smol::block_on(async {
/// let builder = Pool::builder().on_event(|event| match event {
///     PoolEvent::Ended { id, outcome: JobOutcome::Panicked, .. } => eprintln!("operation {id} panicked"),
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
/// An operation is counted before its handle resolves.
///
/// ```
/// use abreast::pool;
///
/// # smol::block_on(async {
/// let (pool, mut driver) = pool(2);
/// for n in [1, 0, 2] {
///     pool.execute(async move { 6_u32.checked_div(n).ok_or("divided by zero") })?;
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
    /// How many operations were ever accepted.
    pub total_accepted: u64,
    /// How many have ended, in whatever way but by being abandoned.
    pub total_executed: u64,
    /// How many have returned `Ok`.
    pub total_succeeded: u64,
    /// How many have returned `Err`.
    pub total_failed: u64,
    /// How many were cancelled, before they were started or later.
    pub total_cancelled: u64,
    /// How many have panicked.
    pub total_panicked: u64,
    /// How many were dropped because their driver or worker was.
    pub total_abandoned: u64,
    /// The time from start to end, summed over all jobs that were started and have ended. Those that start and end within one
    /// poll of their driver or worker, and so have waited for nothing, are timed as one, at the end of that poll. With a
    /// [hook](crate::PoolBuilder::on_event), each is timed on its own. Needs the feature `std`.
    #[cfg(feature = "std")]
    pub total_duration: Duration,
    /// How many operations are waiting for a worker.
    pub queue_length: usize,
    /// How many workers are executing an operation.
    pub active_workers: usize,
    /// How many workers the pool was made with.
    pub worker_count: usize,
}

impl PoolStats {
    /// Counts an operation that has ended.
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
