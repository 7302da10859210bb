//! What all parts of a pool share: its state, and the foreign code that follows from changes of it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::task::Waker;
use core::time::Duration;

use event_listener::Event;

use super::event::PoolEvent;
use super::job::Work;
use super::kind::{Job, Kind};
use super::options::PoolOptions;
use super::state::{Accepted, Ended, PoolState, Refusal};
use super::stats::JobOutcome;
use crate::sync::panic::catch;
use crate::time::Moment;

pub(super) struct Inner<K: Kind> {
    pub(super) state: PoolState<QueuedJob<K>, Waker>,
    /// Notified when the pool becomes idle while somebody waits for that.
    pub(super) idle: Event,
    hook: Option<Box<K::Hook>>,
    /// Whether the clock is read when a job is accepted.
    times_queue: bool,
}

/// A job in the queue.
pub(super) struct QueuedJob<K: Kind> {
    pub(super) job: Job<K>,
    /// When it was accepted, if that is measured.
    accepted: Option<Moment>,
}

impl<K: Kind> QueuedJob<K> {
    /// Returns how long it has been queued, if that is measured.
    #[inline]
    pub(super) fn queue_time(&self) -> Option<Duration> {
        let accepted = self.accepted?;
        Some(Moment::now().since(accepted))
    }
}

impl<K: Kind> Inner<K> {
    pub(super) fn new(options: PoolOptions, hook: Option<Box<K::Hook>>) -> Arc<Self> {
        let capacity = options.queue_capacity.unwrap_or(usize::MAX);
        #[cfg(feature = "std")]
        let times_queue = options.measure_queue_time || hook.is_some();
        #[cfg(not(feature = "std"))]
        let times_queue = false;
        Arc::new(Self {
            state: PoolState::new(options.worker_count, capacity),
            idle: Event::new(),
            hook,
            times_queue,
        })
    }

    /// Makes a job ready to be queued now.
    #[inline]
    pub(super) fn queued(&self, job: Job<K>) -> QueuedJob<K> {
        let accepted = self.times_queue.then(Moment::now);
        QueuedJob { job, accepted }
    }

    /// Queues a job, unless there is a reason not to, and gives its id.
    #[inline]
    pub(super) fn submit(&self, job: Job<K>) -> Result<u64, (Refusal, QueuedJob<K>)> {
        self.state.accept(self.queued(job)).map(wake_accepted)
    }

    pub(super) fn close(&self) {
        wake_all(self.state.close());
        if self.state.is_idle() {
            self.notify_idle();
        }
    }

    pub(super) fn notify_idle(&self) {
        let _ = catch(|| self.idle.notify(usize::MAX));
    }

    /// Wakes all that the end of a job concerns, but for its handle.
    #[inline]
    pub(super) fn notify_ended(&self, ended: Ended<Waker>) {
        wake(ended.room);
        wake(ended.source);
        if ended.is_idle {
            self.notify_idle();
        }
    }

    pub(super) fn has_hook(&self) -> bool {
        self.hook.is_some()
    }

    pub(super) fn call_started(&self, id: u64, queue_time: Duration) {
        if let Some(hook) = &self.hook {
            #[cfg(not(feature = "std"))]
            let _ = queue_time;
            hook(&PoolEvent::Started {
                id,
                #[cfg(feature = "std")]
                queue_time,
            });
        }
    }

    #[inline]
    pub(super) fn call_ended(&self, id: u64, outcome: JobOutcome, duration: Duration) {
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

    /// Drops a job that is still in the queue. False if it is not.
    pub(super) fn cancel_queued(&self, id: u64) -> bool {
        let Some(QueuedJob { mut job, .. }) = self.state.remove(id) else {
            return false;
        };
        // The task goes first, so that whoever reads that it was cancelled can rely on that.
        let outcome = job.as_mut().cancel();
        let ended = self.state.removed(outcome, || job.as_mut().publish());
        self.notify_ended(ended);
        // Wakes its handle.
        let _ = catch(|| drop(job));
        self.call_ended(id, outcome, Duration::ZERO);
        true
    }
}

/// Wakes a worker for an accepted job, and gives its id.
#[inline]
pub(super) fn wake_accepted(accepted: Accepted<Waker>) -> u64 {
    wake(accepted.worker);
    accepted.id
}

/// Wakes, and keeps a panic of the waker from whoever has more to do.
#[inline]
pub(super) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        let _ = catch(|| waker.wake());
    }
}

pub(super) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        wake(Some(waker));
    }
}

impl_debug!(Inner<K: Kind> |self| { stats: self.state.stats() });
