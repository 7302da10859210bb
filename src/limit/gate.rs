//! A limit in front of the source of a run.

use core::task::{Context, Poll, ready};

use alloc::sync::Arc;

use super::acquire::{Acquisition, Permit};
use super::{Limit, Shared};
use crate::run::{Gate, Observer};

/// Lets a task of a run start when there is a permit for it: see [`Parallel::limit`](crate::Parallel::limit).
pub struct LimitGate {
    shared: Arc<Shared>,
    acquisition: Acquisition,
}

/// Takes a run that has stopped out of the line of its limit, so that no permit goes to it: see
/// [`Parallel::limit`](crate::Parallel::limit).
pub struct LeaveLimit {
    shared: Arc<Shared>,
    run: u64,
}

impl Limit {
    /// Creates both ends of a run that has a place in the line.
    pub(crate) fn gate(&self) -> (LimitGate, LeaveLimit) {
        let run = self.shared.state.with(super::State::next_ticket);
        let gate = LimitGate {
            shared: self.shared.clone(),
            acquisition: Acquisition::new(Some(run), 1),
        };
        let leave = LeaveLimit {
            shared: self.shared.clone(),
            run,
        };
        (gate, leave)
    }
}

impl LimitGate {
    /// Sets the weight of the next task; 1 at first. To be called while none waits.
    pub(crate) fn set_weight(&mut self, weight: usize) {
        self.acquisition.weight = weight;
    }
}

impl Gate for LimitGate {
    type Pass = Permit;

    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<Permit> {
        ready!(self.acquisition.poll(&self.shared, cx));
        Poll::Ready(Permit::new(self.shared.clone(), self.acquisition.weight))
    }
}

impl Drop for LimitGate {
    fn drop(&mut self) {
        self.acquisition.leave(&self.shared);
    }
}

impl<T, E> Observer<T, E> for LeaveLimit {
    #[inline]
    fn has_start_hook(&self) -> bool {
        false
    }

    fn reads_progress(&self) -> bool {
        false
    }

    fn on_stop(&mut self) {
        let waker = self.shared.change(|state| state.leave_run(self.run));
        drop(waker);
    }
}

impl_debug! { LimitGate { acquisition } }
impl_debug! { LeaveLimit { run } }
