//! What hooks learn of jobs.

#[cfg(feature = "std")]
use core::time::Duration;

use super::stats::JobOutcome;

/// What happens to a job, for hooks: see [`PoolBuilder::on_event`](crate::PoolBuilder::on_event).
///
/// ```
/// use abreast::{Pool, PoolEvent};
///
/// let builder = Pool::builder().on_event(|event| match event {
///     PoolEvent::Started { id, queue_time, .. } => println!("job {id} was queued for {queue_time:?}"),
///     PoolEvent::Ended { id, duration, .. } => println!("job {id} took {duration:?}"),
///     _ => {}
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolEvent {
    /// A worker starts a job.
    #[non_exhaustive]
    Started {
        /// The [id](crate::JobHandle::id) of the job.
        id: u64,
        /// The time since it was accepted. Needs the feature `std`.
        #[cfg(feature = "std")]
        queue_time: Duration,
    },
    /// A job has ended: its future has been dropped, and its handle resolves.
    #[non_exhaustive]
    Ended {
        /// The [id](crate::JobHandle::id) of the job.
        id: u64,
        /// How it has ended.
        outcome: JobOutcome,
        /// The time since it was started; zero if it never was. Needs the feature `std`.
        #[cfg(feature = "std")]
        duration: Duration,
    },
}
