//! The state of a pool, behind one lock: what is queued and running, which workers are idle, who waits, and what the pool
//! accepts.
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
//! Until it is ended or gone, a job is *outstanding*. The pool is *idle* when nothing is outstanding, and no source is
//! being asked for a job.
//!
//! # The protocol
//! - Whether a job is accepted is decided in the critical section that queues it. So an accepted job is in the queue, and a
//!   worker that finds the pool closed and the queue empty can leave for good.
//! - A worker that finds nothing to do leaves its waker with the idle ones in the same critical section, and a job that is
//!   accepted takes one of these out. A worker whose waker was taken either comes for the job or [`leave`](PoolState::leave)s,
//!   and then another one is woken in its place.
//! - A source is asked for a job only under a *reservation*: a free worker that nobody else counts on. Until that becomes a
//!   job or is released the pool is not idle, and workers stay, even if it is closed meanwhile. So no item is taken out of a
//!   source in vain.
//! - Whoever makes the pool idle while somebody may be waiting for that learns it from the return value, and must
//!   notify those who wait.
//! - The last worker that leaves takes the queue along.
//! - The outcome of a job is published within the critical section that counts it. So no snapshot is behind a handle, and no
//!   drain ahead of one.
//!
//! Nothing here wakes, drops or calls anything foreign. What is to be woken or dropped is returned, for when the lock is
//! free again.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

pub(crate) use super::answer::{
    Accepted, Ended, Left, Next, Refusal, Released, Reservation, Submission,
};
use super::queue::JobQueue;
use super::stats::{JobOutcome, PoolStats};
use super::waiters::Waiters;
use crate::sync::Lock;

#[derive(Debug)]
pub(crate) struct PoolState<J, W>(Lock<Fields<J, W>>);

/// What the lock guards.
#[derive(Debug)]
struct Fields<J, W> {
    stats: PoolStats,
    queue: JobQueue<J>,
    capacity: usize,
    /// Jobs that are counted as abandoned already, but whose handles do not know yet.
    abandoning: usize,
    /// The workers that have not left. The driver is one worker, whatever number of jobs it runs at a time.
    workers: usize,
    /// The number of jobs that the workers could run beside those that they run.
    free: usize,
    /// Workers that found nothing to do, by number.
    idle_workers: Vec<(usize, W)>,
    /// The number of sources that are being asked for a job.
    reserved: usize,
    /// Submissions that wait for room in the queue.
    room: Waiters<W>,
    /// Sources that wait for a free worker.
    sources: Waiters<W>,
    drains: usize,
    closed: bool,
}

impl<J, W> Fields<J, W> {
    fn is_idle(&self) -> bool {
        let outstanding = self.stats.queue_length + self.stats.active_workers + self.abandoning;
        outstanding == 0 && self.reserved == 0
    }

    /// Returns whether the pool is idle, and somebody may be waiting for that.
    fn is_idle_awaited(&self) -> bool {
        (self.drains > 0 || self.closed || self.workers == 0) && self.is_idle()
    }

    /// Returns why nothing is accepted, whether the queue has room or not.
    fn refusal(&self) -> Option<Refusal> {
        if self.closed {
            Some(Refusal::Closed)
        } else if self.workers == 0 {
            Some(Refusal::Abandoned)
        } else if self.drains > 0 {
            Some(Refusal::Draining)
        } else {
            None
        }
    }

    #[inline]
    fn push(&mut self, job: J) -> Accepted<W> {
        self.stats.queue_length += 1;
        self.stats.total_accepted += 1;
        Accepted {
            id: self.queue.push(job),
            worker: self.idle_workers.pop().map(|(_, worker)| worker),
        }
    }

    /// Takes the waker of the last in line that there is room for: the only one that may not know it yet, when there is room
    /// for one more.
    fn wake_for_room(&mut self) -> Option<W> {
        if self.room.is_empty() {
            return None;
        }
        let room = self.capacity.saturating_sub(self.stats.queue_length);
        self.room.wake(room.checked_sub(1)?)
    }

    /// Returns the number of workers that are free for sources: those that neither the queue nor a reservation counts on.
    fn free_for_sources(&self) -> usize {
        match self.refusal() {
            Some(_) => 0,
            None => self
                .free
                .saturating_sub(self.stats.queue_length + self.reserved),
        }
    }

    /// Takes the waker of the last source for which there is a worker: the only one that may not know it, if there is one
    /// more now.
    fn wake_source(&mut self) -> Option<W> {
        if self.sources.is_empty() {
            return None;
        }
        let last = self.free_for_sources().checked_sub(1)?;
        self.sources.wake(last)
    }

    /// Takes the wakers of all sources for which there is a worker.
    fn wake_sources(&mut self) -> Vec<W> {
        let free = self.free_for_sources();
        self.sources.wake_first(free).collect()
    }

    /// Takes the wakers of workers that can leave, because nothing more can come.
    fn leaving(&mut self) -> Vec<W> {
        if !self.closed || self.reserved > 0 {
            return Vec::new();
        }
        let idle = mem::take(&mut self.idle_workers);
        idle.into_iter().map(|(_, worker)| worker).collect()
    }
}

impl<J, W: Clone> PoolState<J, W> {
    /// Creates the state of a pool with one worker, which runs `worker_count` jobs at a time.
    pub(crate) fn new(worker_count: usize, capacity: usize) -> Self {
        Self(Lock::new(Fields {
            stats: PoolStats {
                worker_count,
                ..PoolStats::default()
            },
            queue: JobQueue::new(),
            capacity,
            abandoning: 0,
            workers: 1,
            free: worker_count,
            idle_workers: Vec::new(),
            reserved: 0,
            room: Waiters::new(),
            sources: Waiters::new(),
            drains: 0,
            closed: false,
        }))
    }

    /// Queues a job, unless there is a reason not to.
    pub(crate) fn accept(&self, job: J) -> Submission<J, W> {
        self.0.with(|fields| match fields.refusal() {
            Some(refusal) => Err((refusal, job)),
            None if fields.stats.queue_length >= fields.capacity => Err((Refusal::Full, job)),
            None => Ok(fields.push(job)),
        })
    }

    /// Queues a job when there is room for it and for all that wait ahead of it. Until then, it is
    /// [`Full`](Refusal::Full), and `waker` is woken when that changes.
    ///
    /// `ticket` is its place in the line. All wakers that are left over are to be dropped.
    pub(crate) fn accept_in_turn(
        &self,
        job: J,
        ticket: &mut Option<u64>,
        waker: &mut Option<W>,
    ) -> (Submission<J, W>, Option<W>) {
        self.0.with(|fields| {
            let refusal = fields.refusal();
            let taken = fields.stats.queue_length + fields.room.ahead_of(*ticket);
            if refusal.is_none() && taken >= fields.capacity {
                fields.room.wait(ticket, waker);
                return (Err((Refusal::Full, job)), None);
            }
            // Its place becomes a place in the queue, so for nobody else does anything change.
            let own = fields.room.leave(ticket);
            match refusal {
                Some(refusal) => (Err((refusal, job)), own),
                None => (Ok(fields.push(job)), own),
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
        self.0.with(|fields| {
            if let Some((id, job)) = fields.queue.pop() {
                fields.stats.queue_length -= 1;
                fields.stats.active_workers += 1;
                fields.free -= 1;
                let room = fields.wake_for_room();
                Next::Run { id, job, room }
            } else if fields.closed && fields.reserved == 0 {
                Next::Leave
            } else {
                if !fields.idle_workers.iter().any(|(idle, _)| *idle == worker) {
                    fields.idle_workers.push((worker, waker.clone()));
                }
                Next::Wait
            }
        })
    }

    /// Counts a job that a worker has ended. `is_free` says that the worker could run another in its place.
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

    /// Asks for a worker that a source can count on while it is asked for a job. Without one, `waker` is woken when there is
    /// one for it and for all that wait ahead of it.
    ///
    /// `ticket` is its place in the line. All wakers that are left over are to be dropped.
    pub(crate) fn reserve(
        &self,
        ticket: &mut Option<u64>,
        waker: &mut Option<W>,
    ) -> (Reservation, Option<W>) {
        self.0.with(|fields| {
            let refusal = fields
                .refusal()
                .filter(|refusal| *refusal != Refusal::Draining);
            let ahead = fields.sources.ahead_of(*ticket);
            if refusal.is_none() && fields.free_for_sources() <= ahead {
                fields.sources.wait(ticket, waker);
                return (Reservation::Wait, None);
            }
            // Its place becomes a reservation, so for nobody else does anything change.
            let own = fields.sources.leave(ticket);
            match refusal {
                Some(refusal) => (Reservation::Refused(refusal), own),
                None => {
                    fields.reserved += 1;
                    (Reservation::Granted, own)
                }
            }
        })
    }

    /// Turns a reservation into a job, whatever became of the pool meanwhile. If all workers have left, the job comes back
    /// counted as abandoned: it is to be dropped, and the reservation to be [released](Self::release) after that.
    ///
    /// Beside the job, it gives workers that can leave now, to be woken.
    pub(crate) fn accept_reserved(&self, job: J) -> Result<(Accepted<W>, Vec<W>), J> {
        self.0.with(|fields| {
            if fields.workers == 0 {
                fields.stats.total_accepted += 1;
                fields.stats.total_abandoned += 1;
                return Err(job);
            }
            fields.reserved -= 1;
            let accepted = fields.push(job);
            Ok((accepted, fields.leaving()))
        })
    }

    /// Gives up a reservation.
    pub(crate) fn release(&self) -> Released<W> {
        self.0.with(|fields| {
            fields.reserved -= 1;
            Released {
                is_idle: fields.is_idle_awaited(),
                source: fields.wake_source(),
                leaving: fields.leaving(),
            }
        })
    }

    /// Gives up waiting for a worker. The first waker is to be woken, the second dropped.
    pub(crate) fn leave_sources(&self, ticket: &mut Option<u64>) -> (Option<W>, Option<W>) {
        self.0.with(|fields| {
            let own = fields.sources.leave(ticket);
            (fields.wake_source(), own)
        })
    }

    /// Accepts no more. All that is returned is to be woken.
    pub(crate) fn close(&self) -> Vec<W> {
        self.0.with(|fields| {
            fields.closed = true;
            let mut woken = fields.leaving();
            woken.extend(fields.room.wake_first(usize::MAX));
            woken.extend(fields.sources.wake_first(usize::MAX));
            woken
        })
    }

    /// Accepts no more until the drain ends. All that is returned is to be woken.
    pub(crate) fn begin_drain(&self) -> Vec<W> {
        self.0.with(|fields| {
            fields.drains += 1;
            fields.room.wake_first(usize::MAX).collect()
        })
    }

    /// Ends a drain. All that is returned is to be woken.
    pub(crate) fn end_drain(&self) -> Vec<W> {
        self.0.with(|fields| {
            fields.drains -= 1;
            fields.wake_sources()
        })
    }

    /// Ends a drain if the pool is idle. All that is returned is to be woken.
    pub(crate) fn try_end_drain(&self) -> Option<Vec<W>> {
        self.0.with(|fields| {
            if !fields.is_idle() {
                return None;
            }
            fields.drains -= 1;
            Some(fields.wake_sources())
        })
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.0.with(|fields| fields.is_idle())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.with(|fields| fields.closed)
    }

    /// Makes `workers` of the one that there was, and which is `running` some jobs. Each runs one job at a time from now on.
    /// All that is returned is to be woken: the one may have been idle, and have no room now.
    pub(crate) fn set_workers(&self, workers: usize, running: usize) -> Vec<W> {
        self.0.with(|fields| {
            fields.workers = workers;
            fields.free = workers - usize::from(running > 0);
            let mut woken = fields.wake_sources();
            woken.extend(fields.idle_workers.pop().map(|(_, worker)| worker));
            woken
        })
    }

    /// Takes a worker out, with the `running` jobs that it has not ended. It could have run `free` more.
    pub(crate) fn leave(&self, worker: usize, running: usize, free: usize) -> Left<J, W> {
        self.0.with(|fields| {
            fields.workers -= 1;
            fields.free -= free;
            fields.idle_workers.retain(|(idle, _)| *idle != worker);
            // The last one takes along all that nobody will run, and nobody need wait any longer.
            let (mut jobs, mut waiting) = (Vec::new(), Vec::new());
            if fields.workers == 0 {
                jobs.extend(fields.queue.take());
                waiting.extend(fields.room.wake_first(usize::MAX));
                waiting.extend(fields.sources.wake_first(usize::MAX));
            }
            let abandoning = jobs.len() + running;
            fields.stats.queue_length -= jobs.len();
            fields.stats.active_workers -= running;
            fields.stats.total_abandoned += abandoning as u64;
            fields.abandoning += abandoning;
            let worker = match fields.stats.queue_length {
                0 => None,
                _ => fields.idle_workers.pop().map(|(_, worker)| worker),
            };
            Left {
                jobs,
                abandoning,
                worker,
                waiting,
            }
        })
    }

    /// Says that the handles of abandoned jobs know by now. True if those who wait for the pool to be idle are to be
    /// notified.
    pub(crate) fn abandoned(&self, abandoning: usize) -> bool {
        self.0.with(|fields| {
            fields.abandoning -= abandoning;
            fields.is_idle_awaited()
        })
    }

    pub(crate) fn stats(&self) -> PoolStats {
        self.0.with(|fields| fields.stats)
    }
}
