//! The part that runs jobs: a window whose source is the queue of the pool.

use alloc::sync::Arc;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;

use super::gate::Gate;
use super::inner::{AbandonGuard, Inner, wake, wake_all};
use super::job::Work;
use super::kind::{Job, Kind};
use super::state::{Ended, Next};
use super::stats::JobOutcome;
use crate::engine::{TaskSet, Window};
use crate::sync::panic::catch;
use crate::time::Moment;

/// A job that was taken out of the queue.
struct Active<K: Kind> {
    id: u64,
    job: Job<K>,
    started: Moment,
    /// The poll in which it was started.
    poll: u64,
}

/// A job in the window. It leaves the window when its task has ended.
struct Running<K: Kind>(Option<Active<K>>);

impl<K: Kind> Future for Running<K> {
    type Output = (Active<K>, JobOutcome);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(active) = &mut self.0 else {
            return Poll::Pending;
        };
        let outcome = ready!(active.job.as_mut().poll(cx));
        match self.0.take() {
            Some(active) => Poll::Ready((active, outcome)),
            None => Poll::Pending,
        }
    }
}

/// What is left to do for a job that was counted and published: all of it foreign code.
struct PostCompletion<K: Kind> {
    /// `None` if the job panicked, and the panic was not caught.
    job: Option<(u64, Job<K>)>,
    outcome: JobOutcome,
    duration: Duration,
    ended: Ended<Waker>,
}

/// Measures how long jobs take. Reading the clock takes longer than some jobs, so a reading is used for as long as a
/// poll of the driver or worker lasts: jobs that start and end in one poll are timed as one, as they have waited for
/// nothing.
struct Timing {
    /// Counts the polls of the driver or worker.
    poll: u64,
    /// The last reading of this poll.
    reading: Option<Moment>,
    /// When the first of those jobs started that have ended in this poll and are not timed yet.
    untimed: Option<Moment>,
}

impl Timing {
    /// Returns when a job starts that is started now, as exactly as the last reading is.
    #[inline]
    fn start(&mut self) -> Moment {
        *self.reading.get_or_insert_with(Moment::now)
    }

    /// Returns how long a job took that ends now; or leaves it to the end of the poll.
    #[inline]
    fn end<K: Kind>(&mut self, active: &Active<K>) -> Duration {
        if active.poll == self.poll {
            let first = *self.untimed.get_or_insert(active.started);
            self.untimed = Some(first.min(active.started));
            return Duration::ZERO;
        }
        let now = Moment::now();
        self.reading = Some(now);
        now.since(active.started)
    }

    fn begin_poll(&mut self) {
        self.poll += 1;
        self.reading = None;
    }

    /// Returns how long those jobs took together that were left to the end of the poll.
    fn end_poll(&mut self) -> Option<Duration> {
        let first = self.untimed.take()?;
        Some(Moment::now().since(first))
    }
}

/// The task set: the queue is the source, the handles are the sink.
struct QueueSource<K: Kind> {
    inner: Arc<Inner<K>>,
    /// Which of the workers of the pool this is.
    number: usize,
    /// The number of jobs that it may run at once.
    limit: usize,
    /// The number of jobs in the window.
    running: usize,
    timing: Timing,
    /// What holds starts back, if the pool has a limit or a rate.
    gate: Option<Gate<K>>,
    /// A job whose start made the hook panic. It is the next to run.
    next: Option<Active<K>>,
    /// Whether the pool knows its waker.
    is_known: bool,
    /// Whether it has left the pool.
    has_left: bool,
    /// Set by `record`, and done by `notify`; or later, if a panic keeps the window from calling that.
    post_completion: Option<PostCompletion<K>>,
}

impl<K: Kind> QueueSource<K> {
    /// Returns the number of jobs that it has, running or about to.
    fn occupied(&self) -> usize {
        self.running + usize::from(self.next.is_some())
    }

    /// Gives back the permit of a job that has ended, and calls the hook with that. Apart, so that pools without either
    /// pay for no more than the question.
    #[cold]
    #[inline(never)]
    fn complete_watched(&mut self, id: Option<u64>, outcome: JobOutcome, duration: Duration) {
        if let Some(gate) = &mut self.gate {
            gate.give_back();
        }
        if let Some(id) = id {
            self.inner.call_ended(id, outcome, duration);
        }
    }

    #[inline]
    fn complete(&mut self) {
        let Some(post) = self.post_completion.take() else {
            return;
        };
        self.inner.notify_ended(post.ended);
        let id = post.job.map(|(id, job)| {
            // Wakes its handle. If that is gone, so is now what it returned.
            let _ = catch(|| drop(job));
            id
        });
        if self.inner.is_watched() {
            self.complete_watched(id, post.outcome, post.duration);
        }
    }
}

impl<K: Kind> TaskSet for QueueSource<K> {
    type Task = Running<K>;

    fn has_capacity(&self, in_flight: usize) -> bool {
        // What has a place already does not wait for one, though the limit may have been lowered since.
        in_flight < self.limit || self.next.is_some()
    }

    fn expected_in_flight(&self) -> Option<usize> {
        Some(self.limit)
    }

    #[inline]
    fn poll_task(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Running<K>),
    ) -> Poll<bool> {
        let this = &mut *self;
        // A job whose start a panic has interrupted was notified already.
        if let Some(next) = this.next.take() {
            this.running += 1;
            start(Running(Some(next)));
            return Poll::Ready(true);
        }
        // It is not asleep before the pool can wake it to drop what it runs.
        if !mem::replace(&mut this.is_known, true) {
            this.inner.state.enter(this.number, cx.waker());
        }
        // From here on the job counts as running, and is this worker's alone.
        let next = match &mut this.gate {
            None => this.inner.state.next(this.number, cx.waker()),
            Some(gate) => ready!(gate.poll_next(&this.inner, this.number, cx)),
        };
        let (id, queued) = match next {
            Next::Run { id, job, room } => {
                wake(room);
                (id, job)
            }
            Next::Wait => return Poll::Pending,
            Next::Leave => return Poll::Ready(false),
        };
        // The lock is free again: the clock is read outside of it, and only if that is asked for.
        let queue_time = queued.queue_time(&this.inner);
        if let Some(queue_time) = queue_time {
            this.inner.add_queue_time(queue_time);
        }
        let times_each = this.inner.times_each();
        let mut active: Active<K> = Active {
            id,
            job: queued.job,
            started: this.timing.start(),
            poll: this.timing.poll,
        };
        #[cfg(feature = "tracing")]
        active.job.as_mut().set_id(id);
        if times_each {
            // A hook wants to know of each job, and so does a distribution.
            active.started = this.inner.now();
            // If the hook panics, the job is not lost.
            this.next = Some(active);
            this.inner.call_started(id, queue_time.unwrap_or_default());
            this.running += 1;
            start(Running(this.next.take()));
        } else {
            this.running += 1;
            start(Running(Some(active)));
        }
        Poll::Ready(true)
    }

    fn record(mut self: Pin<&mut Self>, _: usize, output: Option<(Active<K>, JobOutcome)>) {
        let this = &mut *self;
        // The slot is empty, so this worker could run another in its place.
        this.running -= 1;
        let (mut active, outcome) = match output {
            Some((active, outcome)) => (Some(active), outcome),
            None => (None, JobOutcome::Panicked),
        };
        // A hook wants to know of each job, and so does a distribution.
        let duration = match &active {
            Some(active) if this.inner.times_each() => this.inner.end_timed(active.started),
            Some(active) => this.timing.end(active),
            None => Duration::ZERO,
        };
        // Counted and published at once; foreign code may panic, so it is left to `notify`.
        let is_free = this.occupied() < this.limit;
        let state = &this.inner.state;
        let ended = state.finish(outcome, duration, is_free, || {
            if let Some(active) = &mut active {
                active.job.as_mut().publish();
            }
        });
        this.post_completion = Some(PostCompletion {
            job: active.map(|active| (active.id, active.job)),
            outcome,
            duration,
            ended,
        });
    }

    fn notify(mut self: Pin<&mut Self>, _: usize) {
        self.complete();
    }
}

/// A window and the queue that fills it: a driver, or one of its workers.
pub(super) struct JobRunner<K: Kind> {
    window: Window<Running<K>>,
    source: QueueSource<K>,
    done: bool,
}

impl<K: Kind> JobRunner<K> {
    pub(super) fn new(inner: Arc<Inner<K>>, number: usize, limit: usize) -> Self {
        Self {
            window: Window::new(),
            source: QueueSource {
                gate: Gate::new(&inner.gates),
                inner,
                number,
                limit,
                running: 0,
                timing: Timing {
                    poll: 0,
                    reading: None,
                    untimed: None,
                },
                next: None,
                // The pool learns of it, and of its waker, on the first poll.
                is_known: false,
                has_left: false,
                post_completion: None,
            },
            done: false,
        }
    }

    pub(super) fn inner(&self) -> &Arc<Inner<K>> {
        &self.source.inner
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Makes this the first of `workers` that run one job each. What runs goes on here.
    pub(super) fn split(&mut self, workers: usize) {
        self.source.limit = 1;
        let woken = self
            .source
            .inner
            .state
            .set_workers(workers, self.source.occupied());
        wake_all(woken);
        // It may have no room for another job now, so it must not be granted what starts one. If it has, it comes
        // again.
        let source = &mut self.source;
        if source.gate.as_mut().is_some_and(Gate::stop_waiting) {
            wake_all(source.inner.state.known_workers());
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.done {
            return Poll::Ready(());
        }
        // Whatever a panic has left to do comes first.
        self.source.complete();
        if self.source.inner.is_aborted() {
            self.leave();
            self.done = true;
            return Poll::Ready(());
        }
        self.source.timing.begin_poll();
        let polled = self.window.poll(cx, Pin::new(&mut self.source));
        if let Some(duration) = self.source.timing.end_poll() {
            self.source.inner.state.add_time(duration);
        }
        self.done = polled.is_ready();
        polled
    }

    /// Abandons its jobs; and the queue, if it was the last worker.
    #[cold]
    fn leave(&mut self) {
        let source = &mut self.source;
        if mem::replace(&mut source.has_left, true) {
            return;
        }
        // What has just ended counts as that.
        let _ = catch(|| source.complete());
        let running = source.occupied();
        let free = source.limit.saturating_sub(running);
        let left = source.inner.state.leave(source.number, running, free);
        // From here on, jobs are counted as abandoned. Whoever waits for that is notified when all of them have been
        // dropped.
        let _abandon = AbandonGuard {
            inner: &source.inner,
            count: left.abandoning,
            waiting: left.waiting,
        };
        // Another worker takes what this one was woken for.
        wake(left.worker);
        // Jobs are foreign code, so they are dropped outside of the lock, and before their permits are given back.
        drop(source.next.take());
        self.window.clear();
        if let Some(gate) = &mut source.gate {
            gate.stop_waiting();
            gate.give_back_all();
        }
        drop(left.jobs);
    }
}

impl<K: Kind> Drop for JobRunner<K> {
    fn drop(&mut self) {
        self.leave();
    }
}
