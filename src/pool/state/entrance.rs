//! Where jobs arrive that come in a row, while all workers are busy. The [head](super) of the state has the rules.

use super::fields::Fields;
use super::queue::Batch;
use crate::sync::{AtomicBool, Lock, Ordering};

#[derive(Debug)]
pub(super) struct Entrance<J> {
    /// Whether it may be open. A guess that spares a look in vain: only what the lock guards counts.
    is_open: AtomicBool,
    arrivals: Lock<Arrivals<J>>,
}

/// What the lock of the entrance guards.
#[derive(Debug)]
struct Arrivals<J> {
    /// Jobs that are queued, but not in the queue yet, and not in the figures. None while it is closed.
    jobs: Batch<J>,
    /// The number of jobs that may still arrive: none while it is closed. There is no less room than that, as workers
    /// only make some.
    room: usize,
    /// The id of the next job that arrives.
    next_id: u64,
}

impl<J> Entrance<J> {
    /// Creates an entrance that is closed.
    pub(super) fn new() -> Self {
        Self {
            is_open: AtomicBool::new(false),
            arrivals: Lock::new(Arrivals {
                jobs: Batch::new(),
                room: 0,
                next_id: 0,
            }),
        }
    }

    /// Returns whether it may be open. If not, nothing is lost by going past it.
    #[inline]
    pub(super) fn may_be_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// Queues a job without a priority, and gives its id. It comes back if this is closed, or there is no more room.
    #[inline]
    pub(super) fn arrive(&self, job: J) -> Result<u64, J> {
        self.arrivals.with(|arrivals| {
            let Some(room) = arrivals.room.checked_sub(1) else {
                return Err(job);
            };
            arrivals.room = room;
            let id = arrivals.next_id;
            arrivals.next_id += 1;
            arrivals.jobs.push(id, job);
            Ok(id)
        })
    }

    /// Opens it if [nothing depends](Fields::is_plain) on a single job. Under the lock of `fields`, as all that follows.
    #[cold]
    #[inline(never)]
    pub(super) fn open_if_plain<W>(&self, fields: &mut Fields<J, W>) {
        if !fields.is_plain() {
            return;
        }
        self.arrivals.with(|arrivals| {
            arrivals.room = fields.room_left();
            arrivals.next_id = fields.stats.total_accepted;
        });
        fields.is_open = true;
        self.is_open.store(true, Ordering::Relaxed);
    }

    /// Moves what has arrived to `fields`, and closes it, so that nothing arrives while these are locked.
    #[inline]
    pub(super) fn close_if_open<W>(&self, fields: &mut Fields<J, W>) {
        if fields.is_open {
            self.close(fields);
        }
    }

    #[cold]
    #[inline(never)]
    fn close<W>(&self, fields: &mut Fields<J, W>) {
        self.arrivals.with(|arrivals| {
            fields.receive(&mut arrivals.jobs);
            arrivals.room = 0;
        });
        self.note_closed(fields);
    }

    /// Moves what has arrived to `fields`, for a worker that has run out of jobs. If that is nothing, it is closed.
    #[cold]
    #[inline(never)]
    pub(super) fn empty<W>(&self, fields: &mut Fields<J, W>) {
        let has_jobs = self.arrivals.with(|arrivals| {
            fields.receive(&mut arrivals.jobs);
            let has_jobs = !fields.queue.is_empty();
            arrivals.room = if has_jobs { fields.room_left() } else { 0 };
            has_jobs
        });
        if !has_jobs {
            self.note_closed(fields);
        }
    }

    fn note_closed<W>(&self, fields: &mut Fields<J, W>) {
        fields.is_open = false;
        fields.in_a_row = 0;
        self.is_open.store(false, Ordering::Relaxed);
    }
}
