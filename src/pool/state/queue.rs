//! The jobs that wait for a worker, in the order of their ids.
//!
//! A job that is cancelled leaves a hole: its place is kept, and its memory is not. Holes are swept as soon as they are half
//! of the queue, so each costs a constant share of one sweep, and none outlives the jobs that are there.

use alloc::collections::VecDeque;

/// A queue with room for more than this gives memory back when it is much too large.
const KEPT: usize = 1024;

#[derive(Debug)]
pub(super) struct JobQueue<J> {
    /// In the order of the ids, with gaps where holes were swept.
    places: VecDeque<Place<J>>,
    holes: usize,
    next_id: u64,
}

#[derive(Debug)]
struct Place<J> {
    id: u64,
    /// `None` once the job was removed.
    job: Option<J>,
}

impl<J> JobQueue<J> {
    pub(super) const fn new() -> Self {
        Self {
            places: VecDeque::new(),
            holes: 0,
            next_id: 0,
        }
    }

    /// Appends a job, and gives it the next id.
    pub(super) fn push(&mut self, job: J) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.places.push_back(Place { id, job: Some(job) });
        id
    }

    /// Takes the job that has waited longest.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(u64, J)> {
        while let Some(Place { id, job }) = self.places.pop_front() {
            if let Some(job) = job {
                self.give_back();
                return Some((id, job));
            }
            self.holes -= 1;
        }
        self.give_back();
        None
    }

    /// Takes the job with this id, if it is still there.
    pub(super) fn remove(&mut self, id: u64) -> Option<J> {
        let place = self
            .places
            .binary_search_by_key(&id, |place| place.id)
            .ok()?;
        let job = self.places[place].job.take()?;
        self.holes += 1;
        if 2 * self.holes >= self.places.len() {
            self.places.retain(|place| place.job.is_some());
            self.holes = 0;
            self.give_back();
        }
        Some(job)
    }

    /// Takes all jobs.
    pub(super) fn take(&mut self) -> impl Iterator<Item = J> + use<J> {
        self.holes = 0;
        let places = core::mem::take(&mut self.places);
        places.into_iter().filter_map(|place| place.job)
    }

    /// Shrinks what is less than an eighth full. Growing to that size again takes many jobs, which pay for it.
    #[inline]
    fn give_back(&mut self) {
        let capacity = self.places.capacity();
        if capacity > KEPT && self.places.len() < capacity / 8 {
            self.places.shrink_to(capacity / 8);
        }
    }
}
