//! What runs operations: a window whose source is the queue.

use alloc::sync::Arc;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::engine::{TaskSet, Window};
use crate::time::Moment;

use super::inner::Hub;
use super::job::Waiting;
use super::job::Work;
use super::kind::{Job, Kind};
use super::state::Next;
use super::stats::JobOutcome;
use crate::sync::panic::catch;

/// What is left to do for an operation that was counted and published: all of it foreign code.
struct Aftermath<K: Kind> {
    /// `None` if it panicked, and the panic was not caught.
    ended: Option<(Claim<K>, JobOutcome, Duration)>,
    waiting: Waiting,
    quiet: bool,
    room: bool,
}

/// The verb: the queue is the source, the handles are the sink.
struct Feed<K: Kind> {
    hub: Arc<Hub<K>>,
    /// Which of the workers of the pool this is.
    number: usize,
    /// How many operations it may run at once.
    limit: usize,
    running: usize,
    /// Whether the queue was empty at the last look, so that the next one is made when there is something in it.
    idle: bool,
    /// An operation that was taken out of the queue already.
    next: Option<Claim<K>>,
    aftermath: Option<Aftermath<K>>,
}

impl<K: Kind> Feed<K> {
    /// Counts the time up to now, before something else than operations takes its own.
    fn stop_clock(&mut self) {
        if let Some(claim) = &mut self.next {
            let started = claim.started.take();
            self.count_time(started);
        }
    }

    fn count_time(&self, started: Option<Moment>) {
        if let Some(started) = started {
            self.hub.ledger.add_time(Moment::now().since(started));
        }
    }

    fn settle(&mut self) {
        let Some(aftermath) = self.aftermath.take() else {
            return;
        };
        let hub = &*self.hub;
        aftermath.waiting.notify_caught();
        if aftermath.room {
            hub.tell_room();
        }
        if aftermath.quiet {
            hub.tell_quiet();
        }
        if let Some((claim, outcome, duration)) = aftermath.ended {
            // If its handle is gone, so is now what it returned.
            let _ = catch(|| drop(claim.job));
            hub.tell_ended(claim.id, outcome, duration);
        }
    }
}

impl<K: Kind> TaskSet for Feed<K> {
    type Task = Running<K>;

    fn has_capacity(&self, in_flight: usize) -> bool {
        in_flight < self.limit
    }

    fn poll_task(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Running<K>>> {
        let this = &mut *self;
        if this.next.is_none() {
            match this.hub.ledger.next(this.number, cx.waker()) {
                Next::Run(id, job) => {
                    this.next = Some(Claim::new(id, job, None));
                    this.hub.tell_room();
                }
                Next::Wait => {
                    this.idle = true;
                    return Poll::Pending;
                }
                Next::Leave => return Poll::Ready(None),
            }
        }
        this.idle = false;
        // The claim is kept until the hook has returned, for it may panic.
        if let Some(claim) = &mut this.next {
            claim.started.get_or_insert_with(Moment::now);
            if !mem::replace(&mut claim.told, true) {
                this.hub.tell_started(claim.id);
            }
        }
        this.running += 1;
        Poll::Ready(Some(Running(this.next.take())))
    }

    fn record(mut self: Pin<&mut Self>, _: usize, output: Option<(Claim<K>, JobOutcome)>) {
        let this = &mut *self;
        this.running -= 1;
        // While it is idle it looks into the queue only when it is woken, so nothing may be kept for it.
        let more = !this.idle && this.running < this.limit && this.next.is_none();
        // Reading the clock takes longer than some operations. Those that end on their first poll, one right after another,
        // are timed as one, unless somebody wants to know of each.
        let (outcome, now) = match &output {
            Some((claim, outcome)) if more && !claim.waited && !this.hub.has_hook() => {
                (*outcome, None)
            }
            Some((_, outcome)) => (*outcome, Some(Moment::now())),
            None => (JobOutcome::Panicked, Some(Moment::now())),
        };
        let mut ended = output.map(|(claim, outcome)| {
            let duration = now.map_or(Duration::ZERO, |now| claim.duration(now));
            (claim, outcome, duration)
        });
        let duration = ended.as_ref().map_or(Duration::ZERO, |ended| ended.2);
        let finished = this
            .hub
            .ledger
            .finish(outcome, duration, more, || match &mut ended {
                Some((claim, ..)) => claim.job.as_mut().publish(),
                None => Waiting::default(),
            });
        let untimed = match (&ended, now) {
            (Some((claim, ..)), None) => claim.started,
            _ => None,
        };
        let room = finished.next.is_some();
        match finished.next {
            Some((id, job)) => this.next = Some(Claim::new(id, job, now.or(untimed))),
            None => this.count_time(untimed),
        }
        this.aftermath = Some(Aftermath {
            ended,
            waiting: finished.published,
            quiet: finished.quiet,
            room,
        });
    }

    fn notify(mut self: Pin<&mut Self>, _: usize) {
        self.settle();
    }
}

/// A window and its feed.
pub(super) struct Team<K: Kind> {
    window: Window<Running<K>>,
    feed: Feed<K>,
    done: bool,
}

impl<K: Kind> Team<K> {
    pub(super) fn new(hub: Arc<Hub<K>>, number: usize, limit: usize) -> Self {
        Self {
            window: Window::new(),
            feed: Feed {
                hub,
                number,
                limit,
                running: 0,
                idle: false,
                next: None,
                aftermath: None,
            },
            done: false,
        }
    }

    pub(super) fn hub(&self) -> &Arc<Hub<K>> {
        &self.feed.hub
    }

    /// What runs goes on; no more is started while it is more than `limit`.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.feed.limit = limit;
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.done {
            return Poll::Ready(());
        }
        self.feed.settle();
        let polled = self.window.poll(cx, Pin::new(&mut self.feed));
        self.feed.stop_clock();
        self.done = polled.is_ready();
        polled
    }
}

/// Whatever it had is abandoned. If it was the last, so is the queue.
impl<K: Kind> Drop for Team<K> {
    fn drop(&mut self) {
        let feed = &mut self.feed;
        feed.settle();
        let in_flight = feed.running + usize::from(feed.next.is_some());
        let left = feed.hub.ledger.leave(feed.number, in_flight);
        let _departure = Departure {
            hub: &feed.hub,
            count: left.departing,
        };
        if let Some(idle) = left.idle {
            let _ = catch(|| idle.wake());
        }
        drop(feed.next.take());
        self.window.clear();
        drop(left.jobs);
    }
}

/// Says that operations are gone, even if the destructor of one of them panics.
struct Departure<'a, K: Kind> {
    hub: &'a Hub<K>,
    count: usize,
}

impl<K: Kind> Drop for Departure<'_, K> {
    fn drop(&mut self) {
        let quiet = self.hub.ledger.departed(self.count);
        self.hub.refuse_waiting();
        if quiet {
            self.hub.tell_quiet();
        }
    }
}

/// An operation that was taken out of the queue.
pub(super) struct Claim<K: Kind> {
    pub(super) id: u64,
    pub(super) job: Job<K>,
    /// When it was started; or when the first of those was that ended on their first poll just before it.
    pub(super) started: Option<Moment>,
    /// Whether it did not end on its first poll.
    pub(super) waited: bool,
    /// Whether the hook knows.
    pub(super) told: bool,
}

impl<K: Kind> Claim<K> {
    pub(super) fn new(id: u64, job: Job<K>, started: Option<Moment>) -> Self {
        Self {
            id,
            job,
            started,
            waited: false,
            told: false,
        }
    }

    /// The time that it stands for, up to `now`.
    pub(super) fn duration(&self, now: Moment) -> Duration {
        self.started
            .map_or(Duration::ZERO, |started| now.since(started))
    }
}

/// A claim in the window. It leaves the window when the task has ended.
pub(super) struct Running<K: Kind>(pub(super) Option<Claim<K>>);

impl<K: Kind> Future for Running<K> {
    type Output = (Claim<K>, JobOutcome);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(claim) = &mut self.0 else {
            return Poll::Pending;
        };
        let Poll::Ready(outcome) = claim.job.as_mut().poll(cx) else {
            claim.waited = true;
            return Poll::Pending;
        };
        match self.0.take() {
            Some(claim) => Poll::Ready((claim, outcome)),
            None => Poll::Pending,
        }
    }
}
