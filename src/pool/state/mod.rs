//! The state of a pool, behind one lock: what is queued and running, which workers are idle, who waits, and what the
//! pool accepts. Beside it there is an entrance, with a lock of its own, for jobs that come in a row.
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
//! # The entrance
//! A thread that submits one job after another would meet the workers at the lock with each, and all of them would spend
//! more time there than on the jobs. So after some jobs in a row, however they came, those that follow without a priority
//! arrive at the entrance, and a worker that has run out of jobs takes all that have arrived. A worker that has been
//! woken and not polled yet is not idle: it will come.
//! ```text
//!             jobs in a row, no worker idle,
//!             nobody in a line, none ranked
//!    closed ---------------------------------> open --+ a worker runs out of jobs,
//!      ^                                       | ^    | and some have arrived
//!      +---------------------------------------+ +----+
//!          a worker finds nothing to do, or
//!          anything but a start or end of a job
//! ```
//! - It is opened and closed under the lock of the state. While it is closed nothing arrives, and all is as without it.
//! - Whatever has to know of all jobs closes it first, and takes in what has arrived: a shutdown, a drain, a
//!   cancellation, a source, whoever waits for room, a priority, a look at the figures. Only starts and ends of jobs leave
//!   it open, as they do not depend on it: what is in the queue was accepted before what has arrived, and nobody waits for
//!   the pool to be idle or for a worker while it is open.
//! - A worker closes it before it waits with the idle ones. So a job that arrives has no worker to wake.
//! - It has as much room as the queue had when somebody last looked. Workers only make more. Without any left, a job is
//!   accepted or refused by the state.
//!
//! Nothing here wakes, drops or calls anything foreign. What is to be woken or dropped is returned, for when the lock
//! is free again.

mod closing;
mod effect;
mod entrance;
mod fields;
mod queue;
mod ranked;
mod sources;
mod waiters;

use core::ops::Deref;
use core::time::Duration;

pub(crate) use effect::{Accepted, Ended, Next, Refusal, Reservation, Submission};
use entrance::Entrance;
use fields::Fields;

use super::stats::{JobOutcome, PoolStats};
use crate::sync::Lock;

#[derive(Debug)]
pub(crate) struct PoolState<J, W> {
    fields: Apart<Lock<Fields<J, W>>>,
    /// Locked after `fields`, or alone.
    entrance: Apart<Entrance<J>>,
}

/// What is far from everything else: on no cache line that other threads are at, nor beside one, as some processors
/// fetch two at once.
#[derive(Debug)]
#[cfg_attr(not(target_family = "wasm"), repr(align(128)))]
struct Apart<T>(T);

impl<T> Deref for Apart<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<J, W: Clone> PoolState<J, W> {
    /// Creates the state of a pool with one worker, which runs `worker_count` jobs at a time. The entrance is opened
    /// after `row` jobs in a row.
    pub(crate) fn new(worker_count: usize, capacity: usize, aging: u32, row: usize) -> Self {
        Self {
            fields: Apart(Lock::new(Fields::new(worker_count, capacity, aging, row))),
            entrance: Apart(Entrance::new()),
        }
    }

    /// Calls `f` with all that there is: what has arrived at the entrance is in the queue, and nothing arrives
    /// meanwhile.
    #[inline]
    fn with_all<R>(&self, f: impl FnOnce(&mut Fields<J, W>) -> R) -> R {
        self.fields.with(|fields| {
            self.entrance.close_if_open(fields);
            f(fields)
        })
    }

    /// Returns whether a job without a priority is to be [queued in a row](Self::accept_in_a_row). Asked before the job
    /// is made ready, so that one that comes alone pays no more than the question.
    #[inline]
    pub(crate) fn may_arrive(&self) -> bool {
        self.entrance.may_be_open()
    }

    /// Queues a job without a priority at the entrance, if that is open still.
    pub(crate) fn accept_in_a_row(&self, job: J) -> Submission<J, W> {
        match self.entrance.arrive(job) {
            // No worker is idle while jobs arrive there.
            Ok(id) => Ok(Accepted { id, worker: None }),
            Err(job) => self.fields.with(|fields| self.accept_now(fields, job, 0)),
        }
    }

    /// Queues a job, unless there is a reason not to.
    pub(crate) fn accept(&self, job: J, priority: i32) -> Submission<J, W> {
        self.fields
            .with(|fields| self.accept_now(fields, job, priority))
    }

    /// Queues a job in the queue itself.
    #[inline(always)]
    fn accept_now(&self, fields: &mut Fields<J, W>, job: J, priority: i32) -> Submission<J, W> {
        self.entrance.close_if_open(fields);
        match fields.refusal() {
            Some(refusal) => Err((refusal, job)),
            None if fields.stats.queue_length >= fields.capacity => Err((Refusal::Full, job)),
            None => {
                let accepted = fields.push(job, priority);
                if fields.in_a_row >= fields.row {
                    self.entrance.open_if_plain(fields);
                }
                Ok(accepted)
            }
        }
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
        self.with_all(|fields| {
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
        self.with_all(|fields| {
            let own = fields.room.leave(ticket);
            (fields.wake_for_room(), own)
        })
    }

    /// Gives `worker` its next job, or puts its `waker` with the idle ones.
    pub(crate) fn next(&self, worker: usize, waker: &W) -> Next<J, W> {
        self.fields.with(|fields| {
            if fields.is_open && fields.queue.is_empty() {
                self.entrance.empty(fields);
            }
            fields.next(worker, waker)
        })
    }

    /// Returns what `worker` is to do if there is no job, as [`next`](Self::next) does. `None` if there is one, which
    /// stays where it is.
    pub(crate) fn next_unless_job(&self, worker: usize, waker: &W) -> Option<Next<J, W>> {
        self.with_all(|fields| {
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
        self.with_all(|fields| {
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
        // While anybody waits for the pool to be idle, or for a worker, nothing is at the entrance.
        self.fields.with(|fields| {
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
        self.fields
            .with(|fields| fields.stats.total_duration += duration);
        #[cfg(not(feature = "std"))]
        let _ = duration;
    }

    /// Counts the time that a job was queued which starts now.
    pub(crate) fn add_queue_time(&self, queue_time: Duration) {
        #[cfg(feature = "std")]
        self.fields.with(|fields| {
            fields.stats.total_queue_time += queue_time;
            fields.stats.max_queue_time = fields.stats.max_queue_time.max(queue_time);
        });
        #[cfg(not(feature = "std"))]
        let _ = queue_time;
    }

    /// Takes a job out of the queue, if it is there. It counts as queued until it is [`removed`](Self::removed).
    pub(crate) fn remove(&self, id: u64) -> Option<J> {
        self.with_all(|fields| fields.queue.remove(id))
    }

    /// Gives a job another priority. False if it is not in the queue.
    pub(crate) fn set_priority(&self, id: u64, priority: i32) -> bool {
        self.with_all(|fields| fields.queue.set_priority(id, priority))
    }

    /// Counts a job that was taken out of the queue, and has ended.
    pub(crate) fn removed(&self, outcome: JobOutcome, publish: impl FnOnce()) -> Ended<W> {
        self.with_all(|fields| {
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
        self.with_all(|fields| fields.stats)
    }
}
