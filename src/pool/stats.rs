//! The figures of a pool, and the ways in which a job ends.

#[cfg(feature = "std")]
use core::time::Duration;

use crate::outcome::EndReason;

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
    /// The time from start to end, summed over all jobs that were started and have ended. Those that start and end
    /// within one poll of their driver or worker, and so have waited for nothing, are timed as one, at the end of that
    /// poll. With a [hook](crate::PoolBuilder::on_event), each is timed on its own. Needs the feature `std`.
    #[cfg(feature = "std")]
    pub total_duration: Duration,
    /// The time from acceptance to start, summed over all jobs that were started. It is measured with a
    /// [hook](crate::PoolBuilder::on_event), or if [asked for](crate::PoolBuilder::measure_queue_time); otherwise it is
    /// zero. Needs the feature `std`.
    #[cfg(feature = "std")]
    pub total_queue_time: Duration,
    /// The longest time from acceptance to start of any job that was started; zero where `total_queue_time` is not
    /// measured. Needs the feature `std`.
    #[cfg(feature = "std")]
    pub max_queue_time: Duration,
    /// The number of jobs that wait for a worker.
    pub queue_length: usize,
    /// The number of workers that are running a job.
    pub active_workers: usize,
    /// The number of workers that the pool was created with.
    pub worker_count: usize,
    /// What the [limit](crate::PoolBuilder::limit) of the pool allows at this moment, to it and all who share it;
    /// `None` without one.
    pub limit: Option<usize>,
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

/// What has become of the jobs of a pool that was [shut down within a time](crate::pool::Shutdown::within).
///
/// Together, they are all that was queued or running when [`within`](crate::pool::Shutdown::within) was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// The number of jobs that have ended by themselves, in whatever way, or were cancelled.
    pub finished: u64,
    /// The number of jobs that were running when time was up, and are dropped; and of those that were dropped with
    /// their driver before that.
    pub dropped: u64,
    /// The number of jobs that were queued when time was up, and were dropped without being started.
    pub never_started: u64,
    /// Why the shutdown has ended: [`Completed`](EndReason::Completed), [`DeadlineElapsed`](EndReason::DeadlineElapsed),
    /// or [`Stopped`](EndReason::Stopped) by its [signal](crate::pool::Shutdown::stop_on).
    pub end_reason: EndReason,
}

impl ShutdownReport {
    /// Reports what has become of jobs between two moments.
    pub(super) fn since(before: &PoolStats, now: &PoolStats) -> Self {
        Self {
            finished: now.total_executed - before.total_executed,
            dropped: now.total_abandoned - before.total_abandoned,
            never_started: 0,
            end_reason: EndReason::Completed,
        }
    }
}

/// What has become of the jobs of a pool that was [drained within a time](crate::pool::Drain::within).
///
/// Together, they are all that was queued or running when [`within`](crate::pool::Drain::within) was called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DrainReport {
    /// The number of jobs that have ended by themselves, in whatever way, or were cancelled.
    pub finished: u64,
    /// The number of jobs that were dropped with their driver.
    pub dropped: u64,
    /// The number of jobs that were running when time was up. They go on.
    pub running: usize,
    /// The number of jobs that were queued when time was up. They are started when it is their turn.
    pub queued: usize,
    /// Why the drain has ended: [`Completed`](EndReason::Completed), [`DeadlineElapsed`](EndReason::DeadlineElapsed), or
    /// [`Stopped`](EndReason::Stopped) by its [signal](crate::pool::Drain::stop_on).
    pub end_reason: EndReason,
}

impl DrainReport {
    /// Reports what has become of jobs between two moments.
    pub(super) const fn since(before: &PoolStats, now: &PoolStats, end_reason: EndReason) -> Self {
        Self {
            finished: now.total_executed - before.total_executed,
            dropped: now.total_abandoned - before.total_abandoned,
            running: now.active_workers,
            queued: now.queue_length,
            end_reason,
        }
    }
}
