//! What all parts of a pool share: its state, and the foreign code that follows from changes of it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use core::time::Duration;

use event_listener::Event;

use super::event::PoolEvent;
use super::gates::Gates;
use super::job::Work;
use super::kind::{Job, Kind};
use super::options::PoolOptions;
use super::state::{Accepted, Ended, PoolState, Refusal};
use super::stats::{JobOutcome, PoolStats, ShutdownReport};
#[cfg(feature = "std")]
use super::times::{Meter, PoolTimes};
use crate::limit::Limit;
use crate::outcome::EndReason;
use crate::sync::panic::catch;
use crate::time::Moment;

/// The number of jobs in a row after which more are expected. For few, it costs more to open the entrance than it spares.
const ROW: usize = 16;

pub(super) struct Inner<K: Kind> {
    pub(super) state: PoolState<QueuedJob<K>, Waker>,
    /// Notified when the pool becomes idle while somebody waits for that.
    pub(super) idle: Event,
    hook: Option<Box<K::Hook>>,
    /// Whether workers are to leave at once, and to drop what they run. Only ever set.
    aborted: AtomicBool,
    /// Whether the clock is read when a job is accepted.
    times_queue: bool,
    /// Whether each job is timed on its own: for the hook, or the meter.
    times_each: bool,
    /// Whether there is something to be done at the end of each job: a hook to be called, or a permit to be given back.
    is_watched: bool,
    /// What times jobs for their distribution, if that is asked for.
    #[cfg(feature = "std")]
    meter: Option<Meter>,
    /// What jobs wait for before they start.
    pub(super) gates: Gates<K>,
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
    pub(super) fn queue_time(&self, inner: &Inner<K>) -> Option<Duration> {
        let accepted = self.accepted?;
        Some(inner.now().since(accepted))
    }
}

impl<K: Kind> Inner<K> {
    pub(super) fn new(
        options: PoolOptions,
        hook: Option<Box<K::Hook>>,
        gates: Gates<K>,
        #[cfg(feature = "std")] meter: Option<Meter>,
    ) -> Arc<Self> {
        let capacity = options.queue_capacity.unwrap_or(usize::MAX);
        // The clock is read only for those who learn of it: a hook or histograms, or the statistics on request.
        #[cfg(feature = "std")]
        let times_each = hook.is_some() || meter.is_some();
        #[cfg(not(feature = "std"))]
        let times_each = hook.is_some();
        #[cfg(feature = "std")]
        let times_queue = options.measure_queue_time || times_each;
        #[cfg(not(feature = "std"))]
        let times_queue = false;
        // One flag for the worker to look at, instead of one for each thing that may be set.
        let is_watched = hook.is_some() || gates.limit.is_some();
        Arc::new(Self {
            state: PoolState::new(options.worker_count, capacity, options.aging, ROW),
            idle: Event::new(),
            hook,
            aborted: AtomicBool::new(false),
            times_queue,
            times_each,
            is_watched,
            #[cfg(feature = "std")]
            meter,
            gates,
        })
    }

    /// Returns the figures of the pool, with what the limit allows.
    pub(super) fn stats(&self) -> PoolStats {
        PoolStats {
            limit: self.gates.limit.as_ref().map(Limit::get),
            ..self.state.stats()
        }
    }

    /// Makes a job ready to be queued now.
    #[inline]
    pub(super) fn queued(&self, job: Job<K>) -> QueuedJob<K> {
        let accepted = self.times_queue.then(|| self.now());
        QueuedJob { job, accepted }
    }

    /// Queues a job, unless there is a reason not to, and gives its id.
    #[inline]
    pub(super) fn submit(
        &self,
        job: Job<K>,
        priority: i32,
    ) -> Result<u64, (Refusal, QueuedJob<K>)> {
        if priority == 0 && self.state.may_arrive() {
            return self.submit_in_a_row(job);
        }
        let queued = self.queued(job);
        self.state.accept(queued, priority).map(wake_accepted)
    }

    #[inline(never)]
    fn submit_in_a_row(&self, job: Job<K>) -> Result<u64, (Refusal, QueuedJob<K>)> {
        let queued = self.queued(job);
        self.state.accept_in_a_row(queued).map(wake_accepted)
    }

    pub(super) fn close(&self) {
        wake_all(self.state.close());
        if self.state.is_idle() {
            self.notify_idle();
        }
    }

    /// Drops what is queued, and wakes the workers to drop what they run. Reports what has become of all jobs since the
    /// figures were those of `before`.
    pub(super) fn abort(&self, before: &PoolStats, reason: EndReason) -> ShutdownReport {
        // A worker that leaves its waker too late for this sees it.
        self.aborted.store(true, Ordering::Release);
        let aborted = self.state.abort();
        let _abandon = AbandonGuard {
            inner: self,
            count: aborted.jobs.len(),
            waiting: aborted.workers,
        };
        let mut report = ShutdownReport::since(before, &aborted.stats);
        report.never_started = aborted.jobs.len() as u64;
        report.end_reason = reason;
        report.dropped += aborted.stats.active_workers as u64;
        drop(aborted.jobs);
        report
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }

    #[cold]
    #[inline(never)]
    pub(super) fn notify_idle(&self) {
        let _ = catch(|| self.idle.notify(usize::MAX));
        // If the pool is closed, workers that wait for a limit or rate are to leave.
        self.wake_gated();
    }

    /// Wakes the workers that may be in the line of a limit or rate for jobs that are gone by now.
    fn wake_gated(&self) {
        if !self.gates.is_none() {
            wake_all(self.state.known_workers());
        }
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

    #[inline]
    pub(super) fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Returns whether each job is timed on its own.
    #[inline]
    pub(super) fn times_each(&self) -> bool {
        self.times_each
    }

    /// Reads the clock that jobs are timed by which are timed on their own.
    pub(super) fn now(&self) -> Moment {
        #[cfg(feature = "std")]
        if let Some(meter) = &self.meter {
            return meter.now();
        }
        Moment::now()
    }

    /// Counts the time that a job was queued which starts now.
    pub(super) fn add_queue_time(&self, queue_time: Duration) {
        self.state.add_queue_time(queue_time);
        #[cfg(feature = "std")]
        if let Some(meter) = &self.meter {
            meter.record_queue_time(queue_time);
        }
    }

    /// Returns how long a job took that was timed on its own, after adding that to the distribution.
    pub(super) fn end_timed(&self, started: Moment) -> Duration {
        let duration = self.now().since(started);
        #[cfg(feature = "std")]
        if let Some(meter) = &self.meter {
            meter.record_run_time(duration);
        }
        duration
    }

    #[cfg(feature = "std")]
    pub(super) fn times(&self) -> PoolTimes {
        self.meter
            .as_ref()
            .map_or_else(PoolTimes::default, Meter::times)
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
        // Without a job, no worker is to wait for anything that others could have.
        if !self.gates.is_none() && self.state.stats().queue_length == 0 {
            self.wake_gated();
        }
        // Wakes its handle.
        let _ = catch(|| drop(job));
        self.call_ended(id, outcome, Duration::ZERO);
        true
    }
}

/// Says that jobs are gone which were counted as abandoned, even if the destructor of one of them panics.
pub(super) struct AbandonGuard<'a, K: Kind> {
    pub(super) inner: &'a Inner<K>,
    /// The number of these jobs.
    pub(super) count: usize,
    /// Those to be woken after that.
    pub(super) waiting: Vec<Waker>,
}

impl<K: Kind> Drop for AbandonGuard<'_, K> {
    fn drop(&mut self) {
        let is_idle = self.inner.state.abandoned(self.count);
        wake_all(mem::take(&mut self.waiting));
        if is_idle {
            self.inner.notify_idle();
        }
    }
}

/// Wakes a worker for an accepted job, and gives its id.
#[inline]
pub(super) fn wake_accepted(accepted: Accepted<Waker>) -> u64 {
    wake(accepted.worker);
    accepted.id
}

/// Wakes `waker`, and drops its panic if it panics, as the caller has more to do.
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
