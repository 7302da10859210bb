//! What the lock of a pool guards.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::stats::PoolStats;

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
