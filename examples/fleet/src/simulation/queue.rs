//! The queue, as workers see it: each call takes the way there and back.

use std::time::Duration;

use futures::channel::oneshot;

use super::leases::State;
use super::{LEASE, Simulation};
use crate::queue::{Delivery, Error, GiveBack, Queue};

/// The time from a worker to the queue, or back.
const DISTANCE: Duration = Duration::from_micros(500);

/// How often the queue looks for leases that have ended, and delays that are over.
const SWEEP: Duration = Duration::from_millis(50);

impl Simulation {
    /// Lets workers take what is due again.
    pub(super) async fn sweep(&self) {
        loop {
            self.clock.sleep(SWEEP).await;
            self.state().sweep(self.clock.now());
        }
    }

    /// Ends a lease, if it still is that of this delivery, and lets `then` say what follows.
    async fn settle(
        &self,
        delivery: &Delivery,
        then: impl FnOnce(&mut State, u32, Duration),
    ) -> Result<bool, Error> {
        self.clock.sleep(DISTANCE).await;
        let is_leased = {
            let mut state = self.state();
            let id = delivery.job.id as u32;
            let job = &mut state.jobs[id as usize];
            let number = job.deliveries;
            let is_leased = job.is_leased && delivery.receipt == number.to_string();
            if is_leased {
                job.is_leased = false;
                let due = job.due.take().expect("a lease has an end");
                state.timers.remove(&(due, id, number));
                then(&mut state, id, self.clock.now());
            }
            is_leased
        };
        self.clock.sleep(DISTANCE).await;
        Ok(is_leased)
    }
}

impl Queue for Simulation {
    async fn take(&self, limit: usize) -> Result<Vec<Delivery>, Error> {
        self.clock.sleep(DISTANCE).await;
        let (taker, taken) = oneshot::channel();
        {
            let mut state = self.state();
            state.takers.push_back((limit, taker));
            state.deliver(self.clock.now());
        }
        let batch = taken.await.unwrap_or_default();
        self.clock.sleep(DISTANCE).await;
        Ok(batch)
    }

    async fn acknowledge(&self, delivery: &Delivery) -> Result<bool, Error> {
        let done = |state: &mut State, id: u32, now: Duration| {
            let submitted = state.jobs[id as usize].submitted;
            state.latencies.push(now - submitted);
            state.end();
        };
        self.settle(delivery, done).await
    }

    async fn give_back(&self, delivery: &Delivery, reason: &GiveBack) -> Result<bool, Error> {
        let give_back = |state: &mut State, id: u32, now: Duration| match reason {
            GiveBack::Unfinished => {
                state.jobs[id as usize].attempt -= 1;
                state.set_due(id, now, false);
            }
            GiveBack::Retry { after, .. } => state.set_due(id, now + *after, false),
            GiveBack::Dead { .. } => {
                state.dead += 1;
                state.end();
            }
        };
        self.settle(delivery, give_back).await
    }

    async fn extend(&self, delivery: &Delivery) -> Result<bool, Error> {
        let extend = |state: &mut State, id: u32, now: Duration| {
            state.set_due(id, now + LEASE, true);
        };
        self.settle(delivery, extend).await
    }
}
