//! What all parts of a pool share, and the foreign code that follows from changes of its ledger.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::task::Waker;
use core::time::Duration;

use event_listener::Event;

use super::PoolEvent;
use super::job::Work;
use super::kind::{Job, Kind};
use super::state::{Ledger, Refusal};
use super::stats::JobOutcome;
use crate::sync::panic::catch;

pub(super) struct Hub<K: Kind> {
    pub(super) ledger: Ledger<Job<K>, Waker>,
    /// Whether the queue has a capacity, so that somebody may wait for room.
    bounded: bool,
    /// Nothing is queued or running while somebody wants to know.
    pub(super) quiet: Event,
    /// There is room in the queue, or there is no use in waiting for it.
    pub(super) room: Event,
    hook: Option<Box<K::Hook>>,
}

impl<K: Kind> Hub<K> {
    pub(super) fn new(
        workers: usize,
        capacity: Option<usize>,
        hook: Option<Box<K::Hook>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            ledger: Ledger::new(workers, capacity.unwrap_or(usize::MAX)),
            bounded: capacity.is_some(),
            quiet: Event::new(),
            room: Event::new(),
            hook,
        })
    }

    pub(super) fn submit(&self, job: Job<K>) -> Result<u64, (Refusal, Job<K>)> {
        let accepted = self.ledger.accept(job)?;
        if let Some(idle) = accepted.idle {
            idle.wake();
        }
        Ok(accepted.ticket)
    }

    pub(super) fn close(&self) {
        for (_, idle) in self.ledger.close() {
            let _ = catch(|| idle.wake());
        }
        self.refuse_waiting();
        if self.ledger.is_quiet() {
            self.tell_quiet();
        }
    }

    /// Tells those who wait for room that there is no use in it.
    pub(super) fn refuse_waiting(&self) {
        if self.bounded {
            let _ = catch(|| self.room.notify(usize::MAX));
        }
    }

    pub(super) fn tell_room(&self) {
        if self.bounded {
            let _ = catch(|| self.room.notify_additional(1));
        }
    }

    pub(super) fn tell_quiet(&self) {
        let _ = catch(|| self.quiet.notify(usize::MAX));
    }

    pub(super) fn has_hook(&self) -> bool {
        self.hook.is_some()
    }

    pub(super) fn tell_started(&self, id: u64) {
        if let Some(hook) = &self.hook {
            hook(&PoolEvent::Started { id });
        }
    }

    pub(super) fn tell_ended(&self, id: u64, outcome: JobOutcome, duration: Duration) {
        if let Some(hook) = &self.hook {
            #[cfg(not(feature = "std"))]
            let _ = duration;
            hook(&PoolEvent::Ended {
                id,
                outcome,
                #[cfg(feature = "std")]
                duration,
            });
        }
    }

    /// Drops an operation if it is in the queue yet.
    pub(super) fn withdraw(&self, ticket: u64) -> bool {
        let Some(mut job) = self.ledger.withdraw(ticket) else {
            return false;
        };
        let outcome = job.as_mut().cancel();
        let (waiting, quiet) = self.ledger.withdrawn(outcome, || job.as_mut().publish());
        waiting.notify_caught();
        self.tell_room();
        if quiet {
            self.tell_quiet();
        }
        let _ = catch(|| drop(job));
        self.tell_ended(ticket, outcome, Duration::ZERO);
        true
    }
}

impl<K: Kind> fmt::Debug for Hub<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("stats", &self.ledger.stats())
            .finish_non_exhaustive()
    }
}
