//! The jobs that wait for a worker: in the order of their ids, as long as none of them has a priority.
//!
//! From the first that has one on, all are in an order of their own, [ranked], until none is left. So a queue without
//! priorities pays nothing for those that have some.
//!
//! A job that is cancelled leaves a hole: its place is kept, and its memory is not. Holes are swept as soon as they are
//! half of the queue, so each costs a constant share of one sweep, and none outlives the jobs that are there.
//!
//! [ranked]: super::ranked

use alloc::collections::VecDeque;
use core::mem;

use super::ranked::RankedJobs;

/// A queue with room for more than this gives memory back when it is much too large.
const KEPT: usize = 1024;

#[derive(Debug)]
pub(super) struct JobQueue<J> {
    /// In the order of the ids, with gaps where holes were swept. Empty while there are ranked jobs.
    entries: VecDeque<Entry<J>>,
    holes: usize,
    ranked: RankedJobs<J>,
}

#[derive(Debug)]
struct Entry<J> {
    id: u64,
    /// `None` once the job was removed.
    job: Option<J>,
}

/// Jobs without priorities that are on their way into a queue, in the order of their ids.
#[derive(Debug)]
pub(super) struct Batch<J>(VecDeque<Entry<J>>);

impl<J> Batch<J> {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(super) fn push(&mut self, id: u64, job: J) {
        self.0.push_back(Entry { id, job: Some(job) });
    }
}

impl<J> JobQueue<J> {
    /// Creates an empty queue. Jobs that wait gain a level of priority with each `aging` jobs that are started.
    pub(super) const fn new(aging: u32) -> Self {
        Self {
            entries: VecDeque::new(),
            holes: 0,
            ranked: RankedJobs::new(aging),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.len() == self.holes && self.ranked.is_empty()
    }

    #[inline]
    pub(super) fn is_ranked(&self) -> bool {
        !self.ranked.is_empty()
    }

    /// Adds a job. Ids only grow.
    #[inline]
    pub(super) fn push(&mut self, id: u64, job: J, priority: i32) {
        self.entries.push_back(Entry { id, job: Some(job) });
        if priority != 0 || self.is_ranked() {
            self.rank_last(priority);
        }
    }

    /// Adds a batch of jobs, whose ids are above those of all others, and leaves it empty.
    pub(super) fn append(&mut self, batch: &mut Batch<J>) {
        debug_assert!(!self.is_ranked(), "it would have to be ranked");
        if self.entries.len() <= batch.0.len() {
            // The fewer are moved, to where the others are. Most often there are none. If there are neither, the memory
            // of the last jobs in a row goes back to where the next ones arrive.
            while let Some(entry) = self.entries.pop_back() {
                batch.0.push_front(entry);
            }
            mem::swap(&mut self.entries, &mut batch.0);
        } else {
            self.entries.append(&mut batch.0);
        }
        // The queue gives memory back as it gets shorter. This is empty already.
        if batch.0.capacity() > KEPT {
            batch.0 = VecDeque::new();
        }
    }

    /// Moves the job that was added last to where it has a rank, and with it all others that have none yet.
    #[cold]
    #[inline(never)]
    fn rank_last(&mut self, priority: i32) {
        let last = self.entries.pop_back();
        self.rank_all();
        if let Some(Entry { id, job: Some(job) }) = last {
            self.ranked.push(id, job, priority);
        }
    }

    /// Takes the job that has waited longest. `None` if there are ranked jobs, of which one is to be started next.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(u64, J)> {
        while let Some(Entry { id, job }) = self.entries.pop_front() {
            if let Some(job) = job {
                self.give_back();
                return Some((id, job));
            }
            self.holes -= 1;
        }
        self.give_back();
        None
    }

    /// Takes the one of the ranked jobs that is to be started next.
    pub(super) fn pop_ranked(&mut self) -> Option<(u64, J)> {
        self.ranked.pop()
    }

    /// Takes the job with this id, if it is still there.
    pub(super) fn remove(&mut self, id: u64) -> Option<J> {
        let Some(place) = self.find(id) else {
            return self.ranked.remove(id);
        };
        let job = self.entries[place].job.take()?;
        // Its entry stays as a hole, which costs less than to move those behind it, until half of them are holes.
        self.holes += 1;
        if 2 * self.holes >= self.entries.len() {
            self.entries.retain(|entry| entry.job.is_some());
            self.holes = 0;
            self.give_back();
        }
        Some(job)
    }

    /// Gives the job with this id another priority. False if it is not there any more.
    pub(super) fn set_priority(&mut self, id: u64, priority: i32) -> bool {
        if let Some(place) = self.find(id) {
            if self.entries[place].job.is_none() {
                return false;
            }
            // It had none so far, and no other has one.
            if priority == 0 {
                return true;
            }
            self.rank_all();
        }
        self.ranked.set_priority(id, priority)
    }

    /// Takes all jobs.
    pub(super) fn take(&mut self) -> impl Iterator<Item = J> + use<J> {
        self.holes = 0;
        let entries = mem::take(&mut self.entries);
        let unranked = entries.into_iter().filter_map(|entry| entry.job);
        unranked.chain(self.ranked.take())
    }

    /// Moves all jobs to where they have ranks. They begin to age now.
    fn rank_all(&mut self) {
        self.holes = 0;
        for Entry { id, job } in self.entries.drain(..) {
            if let Some(job) = job {
                self.ranked.push(id, job, 0);
            }
        }
        self.give_back();
    }

    fn find(&self, id: u64) -> Option<usize> {
        self.entries
            .binary_search_by_key(&id, |place| place.id)
            .ok()
    }

    /// Shrinks what is less than an eighth full. Growing to that size again takes many jobs, which pay for it.
    #[inline]
    fn give_back(&mut self) {
        let capacity = self.entries.capacity();
        if capacity > KEPT && self.entries.len() < capacity / 8 {
            self.entries.shrink_to(capacity / 8);
        }
    }
}
