//! What the queue knows of its jobs.
//!
//! ```text
//!                    lease                 settle
//!   `waiting` ─────────────────▶ leased ──────────▶ done or dead
//!       ▲                          │ ▲ │
//!       │ sweep, when `due`        │ └─┘ set_due: extended
//!       └──────────────────────────┴──────────────  set_due: given back, for a delay
//! ```
//!
//! A job that is leased or delayed is in `timers`, under the time at which the sweep makes it wait again.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use futures::channel::oneshot;

use super::LEASE;
use crate::queue::{Delivery, Job};

#[derive(Default)]
pub(super) struct State {
    pub(super) jobs: Vec<Progress>,
    /// Jobs that a worker may take, in the order in which they got there.
    pub(super) waiting: VecDeque<u32>,
    /// Delays and leases by their end, each with the job and the number of its delivery.
    pub(super) timers: BTreeSet<(Duration, u32, u32)>,
    /// Workers that wait for jobs, each with its free slots.
    pub(super) takers: VecDeque<(usize, oneshot::Sender<Vec<Delivery>>)>,
    /// The times from submission to success.
    pub(super) latencies: Vec<Duration>,
    pub(super) dead: u32,
    pub(super) redelivered: u32,
    pub(super) crashes: u32,
    /// How long processors were busy, all together.
    pub(super) busy: Duration,
    /// When the last job was submitted.
    pub(super) submitted: Option<Duration>,
    pub(super) drained: Option<oneshot::Sender<()>>,
}

/// How far a job has got.
pub(super) struct Progress {
    pub(super) submitted: Duration,
    pub(super) attempt: u32,
    pub(super) deliveries: u32,
    /// The end of the lease, or of the delay; `None` if the job is waiting or has ended.
    pub(super) due: Option<Duration>,
    pub(super) is_leased: bool,
}

impl State {
    /// Hands waiting jobs to workers that wait for some, first come, first served.
    pub(super) fn deliver(&mut self, now: Duration) {
        while !self.waiting.is_empty() {
            let Some((limit, taker)) = self.takers.pop_front() else {
                return;
            };
            // A worker that crashed waits for nothing.
            if !taker.is_canceled() {
                let batch = self.lease(limit, now);
                _ = taker.send(batch);
            }
        }
    }

    /// Leases the first jobs that are waiting.
    fn lease(&mut self, limit: usize, now: Duration) -> Vec<Delivery> {
        let count = limit.min(self.waiting.len());
        let mut batch = Vec::with_capacity(count);
        for id in self.waiting.drain(..count) {
            let job = &mut self.jobs[id as usize];
            job.attempt += 1;
            job.deliveries += 1;
            job.is_leased = true;
            job.due = Some(now + LEASE);
            self.redelivered += u32::from(job.deliveries > 1);
            self.timers.insert((now + LEASE, id, job.deliveries));
            batch.push(Delivery {
                job: Job {
                    id: id.into(),
                    work: String::new(),
                },
                attempt: job.attempt,
                receipt: job.deliveries.to_string(),
            });
        }
        batch
    }

    /// Makes jobs wait again whose leases have ended, or whose delays are over.
    pub(super) fn sweep(&mut self, now: Duration) {
        while let Some(&(due, id, _)) = self.timers.first()
            && due <= now
        {
            self.timers.pop_first();
            let job = &mut self.jobs[id as usize];
            job.due = None;
            job.is_leased = false;
            self.waiting.push_back(id);
        }
        self.deliver(now);
    }

    /// Notes that a job has ended. The simulation ends with the last one.
    pub(super) fn end(&mut self) {
        let has_ended = self.latencies.len() + self.dead as usize == self.jobs.len();
        if has_ended
            && self.submitted.is_some()
            && let Some(drained) = self.drained.take()
        {
            _ = drained.send(());
        }
    }

    /// Starts a lease anew, or a delay.
    pub(super) fn set_due(&mut self, id: u32, due: Duration, is_leased: bool) {
        let job = &mut self.jobs[id as usize];
        job.due = Some(due);
        job.is_leased = is_leased;
        self.timers.insert((due, id, job.deliveries));
    }
}
