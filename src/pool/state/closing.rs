//! How a pool comes to rest: drains, shutdowns, and workers that leave.

use alloc::vec::Vec;
use core::mem;

use super::PoolState;
use super::effect::{Aborted, Left};

impl<J, W: Clone> PoolState<J, W> {
    /// Accepts no more. All that is returned is to be woken.
    pub(crate) fn close(&self) -> Vec<W> {
        self.with_all(|fields| {
            fields.closed = true;
            let mut woken = fields.leaving();
            woken.extend(fields.room.wake_first(usize::MAX));
            woken.extend(fields.sources.wake_first(usize::MAX));
            woken
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.fields.with(|fields| fields.closed)
    }

    /// Accepts no more until the drain ends. All that is returned is to be woken.
    pub(crate) fn begin_drain(&self) -> Vec<W> {
        self.with_all(|fields| {
            fields.drains += 1;
            fields.room.wake_first(usize::MAX).collect()
        })
    }

    /// Ends a drain. All that is returned is to be woken.
    pub(crate) fn end_drain(&self) -> Vec<W> {
        self.with_all(|fields| {
            fields.drains -= 1;
            fields.wake_sources()
        })
    }

    /// Ends a drain if the pool is idle. All that is returned is to be woken.
    pub(crate) fn try_end_drain(&self) -> Option<Vec<W>> {
        self.with_all(|fields| {
            if !fields.is_idle() {
                return None;
            }
            fields.drains -= 1;
            Some(fields.wake_sources())
        })
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.with_all(|fields| fields.is_idle())
    }

    /// Makes `workers` of the one that there was, and which is `running` some jobs. Each runs one job at a time from
    /// now on. All that is returned is to be woken: the one may have been idle, and have no room now.
    pub(crate) fn set_workers(&self, workers: usize, running: usize) -> Vec<W> {
        self.with_all(|fields| {
            fields.workers = workers;
            fields.free = workers - usize::from(running > 0);
            let mut woken = fields.wake_sources();
            woken.extend(fields.idle_workers.pop().map(|(_, worker)| worker));
            woken
        })
    }

    /// Keeps the waker of a worker that begins to run jobs, for [`abort`](Self::abort).
    pub(crate) fn enter(&self, worker: usize, waker: &W) {
        let waker = waker.clone();
        self.fields
            .with(|fields| fields.known_workers.push((worker, waker)));
    }

    /// Returns the wakers of all workers that have begun to run jobs.
    pub(crate) fn known_workers(&self) -> Vec<W> {
        self.fields.with(|fields| {
            let known = fields.known_workers.iter();
            known.map(|(_, waker)| waker.clone()).collect()
        })
    }

    /// Takes all that is queued, counted as abandoned, and the wakers of all workers, which are to be woken to leave.
    pub(crate) fn abort(&self) -> Aborted<J, W> {
        self.with_all(|fields| {
            // As they were before: a bounded shutdown reports what was queued and what ran.
            let stats = fields.stats;
            // Their handles do not know yet, so the pool is not idle before `abandoned` has counted them off.
            let jobs: Vec<J> = fields.queue.take().collect();
            fields.stats.queue_length -= jobs.len();
            fields.stats.total_abandoned += jobs.len() as u64;
            fields.abandoning += jobs.len();
            let workers = mem::take(&mut fields.known_workers);
            Aborted {
                jobs,
                workers: workers.into_iter().map(|(_, waker)| waker).collect(),
                stats,
            }
        })
    }

    /// Takes a worker out, with the `running` jobs that it has not ended. It could have run `free` more.
    pub(crate) fn leave(&self, worker: usize, running: usize, free: usize) -> Left<J, W> {
        self.with_all(|fields| {
            // From here on, it is neither woken nor counted on.
            fields.workers -= 1;
            fields.free -= free;
            fields.idle_workers.retain(|(idle, _)| *idle != worker);
            fields.known_workers.retain(|(known, _)| *known != worker);
            // The last one takes along the queue, which no worker is left to run, and wakes all who wait.
            let (mut jobs, mut waiting) = (Vec::new(), Vec::new());
            if fields.workers == 0 {
                jobs.extend(fields.queue.take());
                waiting.extend(fields.room.wake_first(usize::MAX));
                waiting.extend(fields.sources.wake_first(usize::MAX));
            }
            // Counted as abandoned now, but the pool is not idle before their handles know.
            let abandoning = jobs.len() + running;
            fields.stats.queue_length -= jobs.len();
            fields.stats.active_workers -= running;
            fields.stats.total_abandoned += abandoning as u64;
            fields.abandoning += abandoning;
            // It may have been woken for a job that it will not take.
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
        self.with_all(|fields| {
            fields.abandoning -= abandoning;
            fields.is_idle_awaited()
        })
    }
}
