//! A machine of the fleet: a worker, a processor, and crashes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{self, Either, select};

use super::figures::WARM_UP;
use super::load::exponential;
use super::{LEASE, RESTART, Simulation};
use crate::queue::Job;
use crate::worker::{self, Settings};

impl Simulation {
    /// Runs a worker again and again, until it crashes and after it is back.
    pub(super) async fn machine(&self, number: u64) {
        let mut rng = self.rng(u64::MAX - number);
        let settings = Settings {
            slots: self.model.slots,
            lease: LEASE,
            attempts: 5,
            backoff: Duration::from_secs(1),
            grace: Duration::ZERO,
        };
        let timer = self.clock.timer();
        loop {
            let processor = Arc::new(Mutex::new(Duration::ZERO));
            let handler = |job: Job| self.perform(job.id, Arc::clone(&processor));
            let running = worker::run(self, &timer, &settings, future::pending(), handler);
            let crash = async {
                match self.model.crashes {
                    None => future::pending().await,
                    Some(mean) => self.clock.sleep(mean.mul_f64(exponential(&mut rng))).await,
                }
            };
            // A crash drops the worker with all that it does. The queue hears nothing of it.
            let (running, crash) = (std::pin::pin!(running), std::pin::pin!(crash));
            if let Either::Right(_) = select(running, crash).await {
                self.state().crashes += 1;
            }
            self.clock.sleep(RESTART).await;
        }
    }

    /// Does a job on a machine whose processor is taken until the time in `processor`.
    async fn perform(&self, id: u64, processor: Arc<Mutex<Duration>>) -> Result<(), &'static str> {
        let (wait, work) = self.needs(id);
        self.clock.sleep(wait).await;

        // The processor serves jobs in the order in which they ask for it.
        let now = self.clock.now();
        let end = {
            let mut taken_until = processor.lock().unwrap_or_else(PoisonError::into_inner);
            *taken_until = now.max(*taken_until) + work;
            *taken_until
        };
        self.clock.sleep(end - now).await;

        let attempt = {
            let mut state = self.state();
            // The first jobs find all processors idle, and the last ones leave them so.
            if end > WARM_UP && state.submitted.is_none() {
                state.busy += work;
            }
            state.jobs[id as usize].attempt
        };
        if self.fails(id, attempt) {
            Err("it failed")
        } else {
            Ok(())
        }
    }
}
