//! The state of a pool: what is queued, what runs, who is idle, who may come in. All of it is behind one lock.
//!
//! # The protocol
//! - An operation is *outstanding* from [`accept`](Ledger::accept) to the call that says that it has ended or is gone:
//!   [`finish`](Ledger::finish), [`withdrawn`](Ledger::withdrawn) or [`departed`](Ledger::departed). Whether one is
//!   accepted is decided in the same critical section that queues it, so an accepted operation is in the queue, and a
//!   worker that finds the ledger closed and the queue empty can leave for good.
//! - A worker that finds nothing to do leaves its waker with the [`idle`](Books::idle) ones in the same critical section,
//!   and [`accept`](Ledger::accept) takes one of these out for each operation. A worker whose waker was taken either
//!   comes for the operation or [`leave`](Ledger::leave)s, and then another one is woken in its place.
//! - The pool is *quiet* when nothing is outstanding. Whoever makes it so while somebody may be waiting for it is told,
//!   and must tell those who wait.
//! - The last worker that leaves takes the queue along.
//! - The outcome of an operation is published within the critical section that counts it, so no snapshot is behind a
//!   handle, and no drain ahead of one.
//!
//! Nothing here wakes, drops or calls anything foreign: all of that is returned, to be done when the lock is free again.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::stats::{JobOutcome, PoolStats};
use crate::sync::Lock;

/// Why an operation was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Closed,
    Abandoned,
    Draining,
    Full,
}

/// A queue that has held more than this many operations gives its memory back when it is empty.
const KEPT: usize = 1024;

#[derive(Debug)]
pub(super) struct Books<J, W> {
    pub(super) stats: PoolStats,
    /// Counted as abandoned already, but their handles do not know yet.
    pub(super) departing: usize,
    /// `None` where an operation was withdrawn.
    pub(super) queue: VecDeque<Option<J>>,
    /// The ticket of the front of the queue.
    pub(super) front: u64,
    pub(super) capacity: usize,
    pub(super) idle: Vec<(usize, W)>,
    pub(super) workers: usize,
    pub(super) drains: usize,
    pub(super) closed: bool,
}

impl<J, W> Books<J, W> {
    pub(super) fn new(worker_count: usize, capacity: usize) -> Self {
        Self {
            stats: PoolStats {
                worker_count,
                ..PoolStats::default()
            },
            departing: 0,
            queue: VecDeque::new(),
            front: 0,
            capacity,
            idle: Vec::new(),
            workers: 1,
            drains: 0,
            closed: false,
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.stats.queue_length == 0 && self.stats.active_workers == 0 && self.departing == 0
    }

    /// Whether somebody may be waiting for what is now the case.
    pub(super) fn is_quiet_awaited(&self) -> bool {
        (self.drains > 0 || self.closed || self.workers == 0) && self.is_quiet()
    }

    pub(super) fn refusal(&self) -> Option<Refusal> {
        if self.closed {
            Some(Refusal::Closed)
        } else if self.workers == 0 {
            Some(Refusal::Abandoned)
        } else if self.drains > 0 {
            Some(Refusal::Draining)
        } else if self.stats.queue_length >= self.capacity {
            Some(Refusal::Full)
        } else {
            None
        }
    }

    pub(super) fn pop(&mut self) -> Option<(u64, J)> {
        while let Some(entry) = self.queue.pop_front() {
            let ticket = self.front;
            self.front += 1;
            if let Some(job) = entry {
                self.stats.queue_length -= 1;
                self.stats.active_workers += 1;
                return Some((ticket, job));
            }
        }
        if self.queue.capacity() > KEPT {
            self.queue = VecDeque::new();
        }
        None
    }
}

/// An operation has been queued.
#[derive(Debug)]
pub(crate) struct Accepted<W> {
    pub(crate) ticket: u64,
    /// To be woken.
    pub(crate) idle: Option<W>,
}

/// What a worker is to do next.
#[derive(Debug)]
pub(crate) enum Next<J> {
    /// An operation and its ticket.
    Run(u64, J),
    Wait,
    Leave,
}

/// An operation has ended.
#[derive(Debug)]
pub(crate) struct Finished<J, R> {
    pub(crate) published: R,
    /// An operation and its ticket.
    pub(crate) next: Option<(u64, J)>,
    /// Those who wait for the pool to be quiet are to be told.
    pub(crate) quiet: bool,
}

/// A worker has left.
#[derive(Debug)]
pub(crate) struct Left<J, W> {
    /// What nobody will run any more.
    pub(crate) jobs: VecDeque<Option<J>>,
    /// How many operations [depart](Ledger::departed) with it.
    pub(crate) departing: usize,
    /// To be woken: it may have to run what the one that left was woken for.
    pub(crate) idle: Option<W>,
}

#[derive(Debug)]
pub(crate) struct Ledger<J, W>(Lock<Books<J, W>>);

impl<J, W: Clone> Ledger<J, W> {
    pub(crate) fn new(worker_count: usize, capacity: usize) -> Self {
        Self(Lock::new(Books::new(worker_count, capacity)))
    }

    /// Queues an operation, unless there is a reason not to.
    pub(crate) fn accept(&self, job: J) -> Result<Accepted<W>, (Refusal, J)> {
        self.0.with(|books| {
            if let Some(refusal) = books.refusal() {
                return Err((refusal, job));
            }
            let ticket = books.front + books.queue.len() as u64;
            books.queue.push_back(Some(job));
            books.stats.queue_length += 1;
            books.stats.total_accepted += 1;
            let idle = books.idle.pop().map(|(_, waker)| waker);
            Ok(Accepted { ticket, idle })
        })
    }

    /// The next operation for `worker`, or its `waker` joins the idle ones.
    pub(crate) fn next(&self, worker: usize, waker: &W) -> Next<J> {
        self.0.with(|books| {
            if let Some((ticket, job)) = books.pop() {
                Next::Run(ticket, job)
            } else if books.closed {
                Next::Leave
            } else {
                if !books.idle.iter().any(|(idle, _)| *idle == worker) {
                    books.idle.push((worker, waker.clone()));
                }
                Next::Wait
            }
        })
    }

    /// A worker has ended an operation, and is given the next if there is one and it asks for `more`.
    pub(crate) fn finish<R>(
        &self,
        outcome: JobOutcome,
        duration: Duration,
        more: bool,
        publish: impl FnOnce() -> R,
    ) -> Finished<J, R> {
        self.0.with(|books| {
            let published = publish();
            books.stats.count(outcome);
            books.stats.active_workers -= 1;
            #[cfg(feature = "std")]
            {
                books.stats.total_duration += duration;
            }
            #[cfg(not(feature = "std"))]
            let _ = duration;
            Finished {
                published,
                next: if more { books.pop() } else { None },
                quiet: books.is_quiet_awaited(),
            }
        })
    }

    /// Counts time of operations that were [finished](Self::finish) without.
    pub(crate) fn add_time(&self, duration: Duration) {
        #[cfg(feature = "std")]
        self.0.with(|books| books.stats.total_duration += duration);
        #[cfg(not(feature = "std"))]
        let _ = duration;
    }

    /// Takes an operation out of the queue, if it is there. It counts as queued until it is [`withdrawn`](Self::withdrawn).
    pub(crate) fn withdraw(&self, ticket: u64) -> Option<J> {
        self.0.with(|books| {
            let position = usize::try_from(ticket.checked_sub(books.front)?).ok()?;
            books.queue.get_mut(position)?.take()
        })
    }

    /// What was taken out of the queue has ended. True if those who wait for the pool to be quiet are to be told.
    pub(crate) fn withdrawn<R>(
        &self,
        outcome: JobOutcome,
        publish: impl FnOnce() -> R,
    ) -> (R, bool) {
        self.0.with(|books| {
            let published = publish();
            books.stats.count(outcome);
            books.stats.queue_length -= 1;
            (published, books.is_quiet_awaited())
        })
    }

    /// Accepts no more. All that is returned is to be woken.
    pub(crate) fn close(&self) -> Vec<(usize, W)> {
        self.0.with(|books| {
            books.closed = true;
            mem::take(&mut books.idle)
        })
    }

    /// Accepts no more until the drain ends.
    pub(crate) fn begin_drain(&self) {
        self.0.with(|books| books.drains += 1);
    }

    pub(crate) fn end_drain(&self) {
        self.0.with(|books| books.drains -= 1);
    }

    /// Ends the drain if the pool is quiet.
    pub(crate) fn try_end_drain(&self) -> bool {
        self.0.with(|books| {
            let quiet = books.is_quiet();
            books.drains -= usize::from(quiet);
            quiet
        })
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.0.with(|books| books.is_quiet())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.with(|books| books.closed)
    }

    /// Says how many workers there are. It was one. If that was idle it is returned, to be woken: it may have less room
    /// than when it went idle.
    pub(crate) fn employ(&self, workers: usize) -> Option<W> {
        self.0.with(|books| {
            books.workers = workers;
            books.idle.pop().map(|(_, waker)| waker)
        })
    }

    /// A worker leaves, with `in_flight` operations that have not ended.
    pub(crate) fn leave(&self, worker: usize, in_flight: usize) -> Left<J, W> {
        self.0.with(|books| {
            books.workers -= 1;
            books.idle.retain(|(idle, _)| *idle != worker);
            let jobs = match books.workers {
                0 => mem::take(&mut books.queue),
                _ => VecDeque::new(),
            };
            books.front += jobs.len() as u64;
            let queued = jobs.iter().filter(|job| job.is_some()).count();
            let departing = queued + in_flight;
            books.stats.queue_length -= queued;
            books.stats.active_workers -= in_flight;
            books.stats.total_abandoned += departing as u64;
            books.departing += departing;
            let idle = match books.stats.queue_length {
                0 => None,
                _ => books.idle.pop().map(|(_, waker)| waker),
            };
            Left {
                jobs,
                departing,
                idle,
            }
        })
    }

    /// The handles of operations that went with a worker know by now. True if those who wait for the pool to be quiet are
    /// to be told.
    pub(crate) fn departed(&self, departing: usize) -> bool {
        self.0.with(|books| {
            books.departing -= departing;
            books.is_quiet_awaited()
        })
    }

    pub(crate) fn stats(&self) -> PoolStats {
        self.0.with(|books| books.stats)
    }
}
