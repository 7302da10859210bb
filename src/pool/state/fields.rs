//! What the lock of a pool guards, and what follows from it.

use alloc::vec::Vec;
use core::mem;

use super::effect::{Accepted, Next, Refusal};
use super::queue::{Batch, JobQueue};
use super::waiters::Waiters;
use crate::pool::stats::PoolStats;

/// What the lock guards.
#[derive(Debug)]
pub(super) struct Fields<J, W> {
    /// What users see, but for what is at the entrance. The pool goes by its `queue_length` and `active_workers`, too:
    /// jobs that are being cancelled have left the queue, and count as queued.
    pub(super) stats: PoolStats,
    pub(super) queue: JobQueue<J>,
    /// The limit to `queue_length`. Set once.
    pub(super) capacity: usize,
    /// Whether jobs may arrive at the entrance, where nothing here knows of them yet.
    pub(super) is_open: bool,
    /// The number of jobs that were accepted in a row: since a worker found nothing to do, or the entrance was closed.
    pub(super) in_a_row: usize,
    /// The number of jobs in a row for which the entrance is opened. Set once.
    pub(super) row: usize,
    /// Jobs that are counted as abandoned already, but whose handles do not know yet.
    pub(super) abandoning: usize,
    /// The workers that have not left. The driver is one worker, whatever number of jobs it runs at a time.
    pub(super) workers: usize,
    /// The number of jobs that the workers could run beside those that they run.
    pub(super) free: usize,
    /// Workers that run jobs or have run some, by number, and their wakers.
    pub(super) known_workers: Vec<(usize, W)>,
    /// Workers that found nothing to do, by number.
    pub(super) idle_workers: Vec<(usize, W)>,
    /// The number of sources that are being asked for a job.
    pub(super) reserved: usize,
    /// Submissions that wait for room in the queue.
    pub(super) room: Waiters<W>,
    /// Sources that wait for a free worker.
    pub(super) sources: Waiters<W>,
    /// The drains that have begun and not ended. While there is one, nothing is accepted.
    pub(super) drains: usize,
    /// Whether the pool was shut down. Only ever set.
    pub(super) closed: bool,
}

impl<J, W> Fields<J, W> {
    pub(super) fn new(worker_count: usize, capacity: usize, aging: u32, row: usize) -> Self {
        Self {
            stats: PoolStats {
                worker_count,
                ..PoolStats::default()
            },
            queue: JobQueue::new(aging),
            capacity,
            is_open: false,
            in_a_row: 0,
            row,
            abandoning: 0,
            // All is run by one driver, until that is split into workers.
            workers: 1,
            free: worker_count,
            known_workers: Vec::new(),
            idle_workers: Vec::new(),
            reserved: 0,
            room: Waiters::new(),
            sources: Waiters::new(),
            drains: 0,
            closed: false,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        let outstanding = self.stats.queue_length + self.stats.active_workers + self.abandoning;
        outstanding == 0 && self.reserved == 0
    }

    /// Returns whether the pool is idle, and somebody may be waiting for that.
    pub(super) fn is_idle_awaited(&self) -> bool {
        (self.drains > 0 || self.closed || self.workers == 0) && self.is_idle()
    }

    /// Returns why nothing is accepted, whether the queue has room or not.
    pub(super) fn refusal(&self) -> Option<Refusal> {
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
    pub(super) fn push(&mut self, job: J, priority: i32) -> Accepted<W> {
        let id = self.stats.total_accepted;
        self.stats.queue_length += 1;
        self.stats.total_accepted += 1;
        self.in_a_row += 1;
        self.queue.push(id, job, priority);
        Accepted {
            id,
            worker: self.idle_workers.pop().map(|(_, worker)| worker),
        }
    }

    /// Adds jobs from the entrance.
    #[inline]
    pub(super) fn receive(&mut self, jobs: &mut Batch<J>) {
        self.stats.queue_length += jobs.len();
        self.stats.total_accepted += jobs.len() as u64;
        self.queue.append(jobs);
    }

    /// Returns whether a job that is accepted without a priority makes no difference to anybody: no worker is to be
    /// woken for it, nobody waits in a line, the order is that of the ids, and the queue has room for many.
    pub(super) fn is_plain(&self) -> bool {
        !self.queue.is_ranked()
            && self.idle_workers.is_empty()
            && self.room.is_empty()
            && self.sources.is_empty()
            && self.room_left() >= self.row
    }

    /// Returns the number of jobs that the queue has room for.
    #[inline]
    pub(super) fn room_left(&self) -> usize {
        self.capacity.saturating_sub(self.stats.queue_length)
    }

    /// Hands a job that has left the queue to a worker.
    #[inline]
    pub(super) fn start(&mut self, id: u64, job: J) -> Next<J, W> {
        self.stats.queue_length -= 1;
        self.stats.active_workers += 1;
        self.free -= 1;
        let room = self.wake_for_room();
        Next::Run { id, job, room }
    }

    /// Gives a worker its next job, or has it rest.
    #[inline]
    pub(super) fn next(&mut self, worker: usize, waker: &W) -> Next<J, W>
    where
        W: Clone,
    {
        match self.queue.pop() {
            Some((id, job)) => self.start(id, job),
            None => self.next_ranked(worker, waker),
        }
    }

    /// Gives a worker the next of the jobs that have ranks, or has it rest. Apart, so that queues without priorities
    /// pay nothing for it.
    #[cold]
    #[inline(never)]
    pub(super) fn next_ranked(&mut self, worker: usize, waker: &W) -> Next<J, W>
    where
        W: Clone,
    {
        match self.queue.pop_ranked() {
            Some((id, job)) => self.start(id, job),
            None => self.rest(worker, waker),
        }
    }

    /// Says what a worker is to do for which there is no job: to leave, or to wait with the idle ones.
    #[inline]
    pub(super) fn rest(&mut self, worker: usize, waker: &W) -> Next<J, W>
    where
        W: Clone,
    {
        if self.closed && self.reserved == 0 {
            return Next::Leave;
        }
        self.in_a_row = 0;
        if !self.idle_workers.iter().any(|(idle, _)| *idle == worker) {
            self.idle_workers.push((worker, waker.clone()));
        }
        Next::Wait
    }

    /// Takes the waker of the last in line that there is room for: the only one that may not know it yet, when there is
    /// room for one more.
    pub(super) fn wake_for_room(&mut self) -> Option<W> {
        if self.room.is_empty() {
            return None;
        }
        self.room.wake(self.room_left().checked_sub(1)?)
    }

    /// Returns the number of workers that are free for sources: those that neither the queue nor a reservation counts
    /// on.
    pub(super) fn free_for_sources(&self) -> usize {
        match self.refusal() {
            Some(_) => 0,
            None => self
                .free
                .saturating_sub(self.stats.queue_length + self.reserved),
        }
    }

    /// Takes the waker of the last source for which there is a worker: the only one that may not know it, if there is
    /// one more now.
    pub(super) fn wake_source(&mut self) -> Option<W> {
        if self.sources.is_empty() {
            return None;
        }
        let last = self.free_for_sources().checked_sub(1)?;
        self.sources.wake(last)
    }

    /// Takes the wakers of all sources for which there is a worker.
    pub(super) fn wake_sources(&mut self) -> Vec<W> {
        let free = self.free_for_sources();
        self.sources.wake_first(free).collect()
    }

    /// Takes the wakers of workers that can leave, because nothing more can come.
    pub(super) fn leaving(&mut self) -> Vec<W> {
        if !self.closed || self.reserved > 0 {
            return Vec::new();
        }
        let idle = mem::take(&mut self.idle_workers);
        idle.into_iter().map(|(_, worker)| worker).collect()
    }
}
