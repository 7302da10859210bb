//! The jobs that wait for a worker once their priorities differ, in the order in which they are started.
//!
//! Of the jobs that wait, the one goes first whose `priority + age / aging` is highest, where its age is the number of
//! jobs that were started since it was queued. All that wait age alike, so which of two goes first never changes, and
//! need be found once: with `queued` for the number of jobs that had been started when it was queued, the order is that
//! of the *rank*
//!
//! ```text
//! rank = queued - priority * aging        the lowest first; among equals, the lowest id
//! ```
//!
//! Nothing starves: a job of priority `p` whose rank is higher than that of one of priority `q` that waits was queued
//! when at least `(p - q) * aging` more jobs had been started. So it is only for so long that jobs come in that go
//! first.

use alloc::collections::BTreeMap;

/// In maps, as these find, insert and remove any job in logarithmic time, and give memory back as they shrink.
#[derive(Debug)]
pub(super) struct RankedJobs<J> {
    /// By rank and id.
    jobs: BTreeMap<(i64, u64), J>,
    /// By id.
    entries: BTreeMap<u64, Entry>,
    /// The number of jobs that were started while there were ranks.
    started: i64,
    /// The age that weighs as much as one level of priority. Set once.
    aging: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// What `started` was when the job was queued.
    queued: i64,
    rank: i64,
}

impl<J> RankedJobs<J> {
    pub(super) const fn new(aging: u32) -> Self {
        Self {
            jobs: BTreeMap::new(),
            entries: BTreeMap::new(),
            started: 0,
            aging,
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Adds a job that is queued now.
    pub(super) fn push(&mut self, id: u64, job: J, priority: i32) {
        self.insert(id, job, self.started, priority);
    }

    /// Takes the job that is to be started next.
    pub(super) fn pop(&mut self) -> Option<(u64, J)> {
        let ((_, id), job) = self.jobs.pop_first()?;
        self.entries.remove(&id);
        self.started += 1;
        Some((id, job))
    }

    /// Takes the job with this id, if it is there.
    #[cold]
    pub(super) fn remove(&mut self, id: u64) -> Option<J> {
        let entry = self.entries.remove(&id)?;
        self.jobs.remove(&(entry.rank, id))
    }

    /// Gives the job with this id another priority. It keeps its age. False if it is not there.
    pub(super) fn set_priority(&mut self, id: u64, priority: i32) -> bool {
        let Some(entry) = self.entries.get(&id).copied() else {
            return false;
        };
        if let Some(job) = self.jobs.remove(&(entry.rank, id)) {
            self.insert(id, job, entry.queued, priority);
        }
        true
    }

    /// Takes all jobs, in their order.
    pub(super) fn take(&mut self) -> impl Iterator<Item = J> + use<J> {
        self.entries.clear();
        core::mem::take(&mut self.jobs).into_values()
    }

    fn insert(&mut self, id: u64, job: J, queued: i64, priority: i32) {
        // The product is at most 2^63. Ranks that are out of range are equal, and their ids decide.
        let rank = queued.saturating_sub(i64::from(priority) * i64::from(self.aging));
        self.entries.insert(id, Entry { queued, rank });
        self.jobs.insert((rank, id), job);
    }
}
