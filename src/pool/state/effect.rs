//! The effects of changes of the [state](super) of a pool: what was done, and what is to be woken or dropped when the
//! lock is free.

use alloc::vec::Vec;

use crate::pool::stats::PoolStats;

/// The reason why a job was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Closed,
    Abandoned,
    Draining,
    Full,
}

/// A job has been queued.
#[derive(Debug)]
pub(crate) struct Accepted<W> {
    pub(crate) id: u64,
    /// A worker for it, to be woken.
    pub(crate) worker: Option<W>,
}

/// A job has been queued, or comes back with the reason why not.
pub(crate) type Submission<J, W> = Result<Accepted<W>, (Refusal, J)>;

/// What a worker is to do next.
#[derive(Debug)]
pub(crate) enum Next<J, W> {
    /// Run a job. There is room in the queue now: somebody who waits for that is to be woken.
    Run { id: u64, job: J, room: Option<W> },
    /// Come again when it is woken.
    Wait,
    /// Nothing will come any more.
    Leave,
}

/// A job has ended.
#[derive(Debug)]
pub(crate) struct Ended<W> {
    /// Those who wait for the pool to be idle are to be notified.
    pub(crate) is_idle: bool,
    /// Somebody who waits for room in the queue, to be woken.
    pub(crate) room: Option<W>,
    /// A source that waits for a worker, to be woken.
    pub(crate) source: Option<W>,
}

/// A worker has left.
#[derive(Debug)]
pub(crate) struct Left<J, W> {
    /// The queued jobs, if it was the last worker.
    pub(crate) jobs: Vec<J>,
    /// The number of jobs that are [abandoned](super::PoolState::abandoned) with it.
    pub(crate) abandoning: usize,
    /// A worker, to be woken: it may have to run what the one that left was woken for.
    pub(crate) worker: Option<W>,
    /// Those who wait for what will not come any more, to be woken.
    pub(crate) waiting: Vec<W>,
}

/// What there was to do is given up.
#[derive(Debug)]
pub(crate) struct Aborted<J, W> {
    /// What was queued. It counts as [abandoned](super::PoolState::abandoned) when it has been dropped.
    pub(crate) jobs: Vec<J>,
    /// All workers that may be running something, to be woken.
    pub(crate) workers: Vec<W>,
    /// The figures as they were before.
    pub(crate) stats: PoolStats,
}

/// Whether a source may be asked for a job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reservation {
    Granted,
    /// No worker is free: it comes again when it is woken.
    Wait,
    Refused(Refusal),
}

/// A reservation was given up.
#[derive(Debug)]
pub(crate) struct Released<W> {
    /// Those who wait for the pool to be idle are to be notified.
    pub(crate) is_idle: bool,
    /// A source that waits for a worker, to be woken.
    pub(crate) source: Option<W>,
    /// Workers that can leave now, to be woken.
    pub(crate) leaving: Vec<W>,
}
