//! The state of a pool, behind one lock: what is queued and running, which workers are idle, who waits, and what the
//! pool accepts.
//!
//! # A job
//! ```text
//!             accept            next                   finish
//!   execute ----------> queued -------> running ------------------------> ended
//!                        |   |           |                                  ^
//!                        |   |   leave   v                                  |
//!                        |   +-------> abandoning -- abandoned --> gone     |
//!                        | remove                                 removed   |
//!                        +----------> being cancelled ----------------------+
//! ```
//! `abort` does to queued jobs what `leave` does. Until it is ended or gone, a job is *outstanding*. The pool is *idle*
//! when nothing is outstanding, and no source is being asked for a job.
//!
//! # The protocol
//! - Whether a job is accepted is decided in the critical section that queues it. So an accepted job is in the queue,
//!   and a worker that finds the pool closed and the queue empty can leave for good.
//! - A worker that finds nothing to do leaves its waker with the idle ones in the same critical section, and a job that
//!   is accepted takes one of these out. A worker whose waker was taken either comes for the job or
//!   [`leave`](PoolState::leave)s, and then another one is woken in its place.
//! - A source is asked for a job only under a *reservation*: a free worker that is promised to no other source. Until
//!   that becomes a job or is released the pool is not idle, and workers stay, even if it is closed meanwhile. So no
//!   item is taken out of a source in vain.
//! - Whoever makes the pool idle while somebody may be waiting for that learns it from the return value, and must
//!   notify those who wait.
//! - The last worker that leaves takes the queue along.
//! - When time is up, a flag beside the lock is set, then what is queued is abandoned, and then all known workers are
//!   woken, which leave. A worker is known before it takes its first job; one that is not known by then sees the flag.
//! - The outcome of a job is published within the critical section that counts it. So no snapshot is behind a handle,
//!   and no drain ahead of one.
//!
//! Nothing here wakes, drops or calls anything foreign. What is to be woken or dropped is returned, for when the lock
//! is free again.

mod closing;
mod effect;
mod fields;
mod queue;
mod ranked;
mod sources;
mod waiters;

use core::time::Duration;

pub(crate) use effect::{Accepted, Ended, Next, Refusal, Reservation, Submission};
use fields::Fields;

use super::stats::{JobOutcome, PoolStats};
use crate::sync::Lock;

#[derive(Debug)]
pub(crate) struct PoolState<J, W>(Lock<Fields<J, W>>);

impl<J, W: Clone> PoolState<J, W> {
    /// Creates the state of a pool with one worker, which runs `worker_count` jobs at a time.
    pub(crate) fn new(worker_count: usize, capacity: usize, aging: u32) -> Self {
        Self(Lock::new(Fields::new(worker_count, capacity, aging)))
    }

    /// Queues a job, unless there is a reason not to.
    pub(crate) fn accept(&self, job: J, priority: i32) -> Submission<J, W> {
        self.0.with(|fields| match fields.refusal() {
            Some(refusal) => Err((refusal, job)),
            None if fields.stats.queue_length >= fields.capacity => Err((Refusal::Full, job)),
            None => Ok(fields.push(job, priority)),
        })
    }

    /// Queues a job when there is room for it and for all that wait ahead of it. Until then, it is
    /// [`Full`](Refusal::Full), and `waker` is woken when that changes.
    ///
    /// `ticket` is its place in the line. All wakers that are left over are to be dropped.
    pub(crate) fn accept_in_turn(
        &self,
        job: J,
        priority: i32,
        ticket: &mut Option<u64>,
        waker: &mut Option<W>,
    ) -> (Submission<J, W>, Option<W>) {
        self.0.with(|fields| {
            // Room is taken by what is queued, and by those who wait ahead.
            let refusal = fields.refusal();
            let taken = fields.stats.queue_length + fields.room.ahead_of(*ticket);
            if refusal.is_none() && taken >= fields.capacity {
                fields.room.wait(ticket, waker);
                return (Err((Refusal::Full, job)), None);
            }
            // Its place becomes a place in the queue, so nothing changes for those who wait behind it.
            let own = fields.room.leave(ticket);
            match refusal {
                Some(refusal) => (Err((refusal, job)), own),
                None => (Ok(fields.push(job, priority)), own),
            }
        })
    }

    /// Gives up waiting for room. The first waker is to be woken, the second dropped.
    pub(crate) fn leave_room(&self, ticket: &mut Option<u64>) -> (Option<W>, Option<W>) {
        self.0.with(|fields| {
            let own = fields.room.leave(ticket);
            (fields.wake_for_room(), own)
        })
    }

    /// Gives `worker` its next job, or puts its `waker` with the idle ones.
    pub(crate) fn next(&self, worker: usize, waker: &W) -> Next<J, W> {
        self.0.with(|fields| fields.next(worker, waker))
    }

    /// Returns what `worker` is to do if there is no job, as [`next`](Self::next) does. `None` if there is one, which
    /// stays where it is.
    pub(crate) fn next_unless_job(&self, worker: usize, waker: &W) -> Option<Next<J, W>> {
        self.0.with(|fields| {
            let is_empty = fields.queue.is_empty();
            is_empty.then(|| fields.rest(worker, waker))
        })
    }

    /// Gives `worker` its next job if `may_start` allows it, which is asked only if there is one. `None` if it does
    /// not.
    ///
    /// It is asked under the lock, so it must not call anything foreign.
    pub(crate) fn next_if(
        &self,
        worker: usize,
        waker: &W,
        may_start: impl FnOnce() -> bool,
    ) -> Option<Next<J, W>> {
        self.0.with(|fields| {
            if fields.queue.is_empty() {
                return Some(fields.rest(worker, waker));
            }
            may_start().then(|| fields.next(worker, waker))
        })
    }

    /// Counts a job that a worker has ended. `is_free` says that the worker could run another in its place. Its outcome
    /// is published under the lock, so that whoever sees it sees it counted.
    pub(crate) fn finish(
        &self,
        outcome: JobOutcome,
        duration: Duration,
        is_free: bool,
        publish: impl FnOnce(),
    ) -> Ended<W> {
        self.0.with(|fields| {
            publish();
            fields.stats.count(outcome);
            fields.stats.active_workers -= 1;
            fields.free += usize::from(is_free);
            #[cfg(feature = "std")]
            {
                fields.stats.total_duration += duration;
            }
            #[cfg(not(feature = "std"))]
            let _ = duration;
            // The room in the queue came free when the job was started, so nobody waits for that.
            Ended {
                is_idle: fields.is_idle_awaited(),
                room: None,
                source: fields.wake_source(),
            }
        })
    }

    /// Counts time of jobs that were [finished](Self::finish) without.
    pub(crate) fn add_time(&self, duration: Duration) {
        #[cfg(feature = "std")]
        self.0
            .with(|fields| fields.stats.total_duration += duration);
        #[cfg(not(feature = "std"))]
        let _ = duration;
    }

    /// Counts the time that a job was queued which starts now.
    pub(crate) fn add_queue_time(&self, queue_time: Duration) {
        #[cfg(feature = "std")]
        self.0.with(|fields| {
            fields.stats.total_queue_time += queue_time;
            fields.stats.max_queue_time = fields.stats.max_queue_time.max(queue_time);
        });
        #[cfg(not(feature = "std"))]
        let _ = queue_time;
    }

    /// Takes a job out of the queue, if it is there. It counts as queued until it is [`removed`](Self::removed).
    pub(crate) fn remove(&self, id: u64) -> Option<J> {
        self.0.with(|fields| fields.queue.remove(id))
    }

    /// Gives a job another priority. False if it is not in the queue.
    pub(crate) fn set_priority(&self, id: u64, priority: i32) -> bool {
        self.0
            .with(|fields| fields.queue.set_priority(id, priority))
    }

    /// Counts a job that was taken out of the queue, and has ended.
    pub(crate) fn removed(&self, outcome: JobOutcome, publish: impl FnOnce()) -> Ended<W> {
        self.0.with(|fields| {
            publish();
            fields.stats.count(outcome);
            fields.stats.queue_length -= 1;
            Ended {
                is_idle: fields.is_idle_awaited(),
                room: fields.wake_for_room(),
                source: fields.wake_source(),
            }
        })
    }

    pub(crate) fn stats(&self) -> PoolStats {
        self.0.with(|fields| fields.stats)
    }
}
