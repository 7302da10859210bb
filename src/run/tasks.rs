//! The tasks of a run: their source, limit, sink and observer, as the window wants to know of them.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use super::observer::{Observer, Progress};
use super::sink::{Outcomes, Sink};
use crate::engine::TaskSet;
use crate::outcome::{Outcome, ParallelResult};
use crate::time::Stopwatch;

/// Limits how many tasks run, and says when they start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// At most this many at any time.
    Rolling(usize),
    /// This many at once, and as many again when all of those have ended.
    Batches(usize),
}

pin_project! {
    /// Where tasks come from, and what becomes of their outcomes.
    pub(super) struct Tasks<S, K, O> {
        #[pin]
        pub(super) source: S,
        sink: K,
        observer: O,
        pub(super) state: State,
    }
}

/// Settings and counts.
#[derive(Debug)]
pub(super) struct State {
    limit: Limit,
    pub(super) fail_fast: bool,
    /// Whether a failure has put an end to the run.
    is_stopped: bool,
    /// Whether the run was polled.
    begun: bool,
    /// Whether the source has ended.
    exhausted: bool,
    /// Another task may start while this is more than the running tasks and the outcomes that are not handed over: the
    /// limit where that rolls. Within a batch there is no end of it, and after it room for one that begins the next, when
    /// nothing runs any more. 0 once the run was stopped.
    room: usize,
    /// The tasks that have come from the source, and those of them that have ended.
    pulled: usize,
    completed: usize,
    /// The number of tasks in all, if the size hint said so when the run began.
    total: Option<usize>,
    stopwatch: Stopwatch,
}

impl State {
    /// Limits the tasks that run. Not to be called once the run has begun.
    pub(super) fn set_limit(&mut self, limit: Limit) {
        self.limit = limit;
        self.room = match limit {
            Limit::Rolling(limit) => limit,
            Limit::Batches(_) => 1,
        };
    }

    /// Counts a task that is about to start.
    #[inline(always)]
    fn count_pulled(&mut self) {
        self.pulled += 1;
        if let Limit::Batches(size) = self.limit {
            self.room = if self.pulled % size == 0 {
                1
            } else {
                usize::MAX
            };
        }
    }

    /// Counts a task that has ended, and stops the run if that was one failure too many.
    #[inline(always)]
    fn count_completed(&mut self, has_failed: bool) {
        self.completed += 1;
        if has_failed && self.fail_fast {
            self.is_stopped = true;
            self.room = 0;
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            completed: self.completed,
            total: self.total,
        }
    }

    /// Returns whether the end of the last task is to be told of as progress.
    fn is_milestone(&self) -> bool {
        match self.limit {
            Limit::Rolling(_) => true,
            Limit::Batches(size) => {
                self.completed == self.pulled && (self.pulled % size == 0 || self.exhausted)
            }
        }
    }

    /// Returns whether the end of the source has ended a batch, after all of its tasks.
    fn ended_batch(&self) -> bool {
        match self.limit {
            Limit::Rolling(_) => false,
            Limit::Batches(size) => self.completed == self.pulled && self.pulled % size != 0,
        }
    }
}

impl<S, K> Tasks<S, K, ()> {
    pub(super) fn new(source: S, limit: Limit, sink: K) -> Self {
        let mut tasks = Self {
            source,
            sink,
            observer: (),
            state: State {
                limit,
                fail_fast: false,
                is_stopped: false,
                begun: false,
                exhausted: false,
                room: 0,
                pulled: 0,
                completed: 0,
                total: None,
                stopwatch: Stopwatch::default(),
            },
        };
        tasks.state.set_limit(limit);
        tasks
    }
}

impl<S, K, O> Tasks<S, K, O> {
    /// Adds an observer behind those that are there.
    pub(super) fn observe<P>(self, observer: P) -> Tasks<S, K, (O, P)> {
        Tasks {
            source: self.source,
            sink: self.sink,
            observer: (self.observer, observer),
            state: self.state,
        }
    }

    /// Takes tasks from elsewhere.
    pub(super) fn map_source<R>(self, map: impl FnOnce(S) -> R) -> Tasks<R, K, O> {
        Tasks {
            source: map(self.source),
            sink: self.sink,
            observer: self.observer,
            state: self.state,
        }
    }

    /// Puts outcomes elsewhere.
    pub(super) fn with_sink<L>(self, sink: L) -> Tasks<S, L, O> {
        Tasks {
            source: self.source,
            sink,
            observer: self.observer,
            state: self.state,
        }
    }

    pub(super) fn sink(self: Pin<&mut Self>) -> &mut K {
        self.project().sink
    }
}

impl<S: Stream, K: Sink, O> Tasks<S, K, O> {
    /// Begins the run, if it has not begun yet. Looks at the clock only if it is timed.
    #[inline(always)]
    pub(super) fn begin(self: Pin<&mut Self>, is_timed: bool) {
        if !self.state.begun {
            self.begin_now(is_timed);
        }
    }

    #[cold]
    fn begin_now(self: Pin<&mut Self>, is_timed: bool) {
        let this = self.project();
        this.state.begun = true;
        if is_timed {
            this.state.stopwatch.start();
        }
        let (least, most) = this.source.size_hint();
        this.state.total = most.filter(|&most| most == least);
        this.sink.reserve(this.state.total);
    }

    /// Returns the bounds on how many outcomes there are yet to hand over.
    pub(super) fn size_hint(&self, in_flight: usize) -> (usize, Option<usize>) {
        // After a failure that stops the run, only what has ended by then.
        let held = self.sink.held();
        if self.state.is_stopped {
            return (held, Some(held));
        }

        // Otherwise what has started, and what is yet to come from the source.
        let started = held + in_flight;
        let (least, most) = if self.state.exhausted {
            (0, Some(0))
        } else {
            self.source.size_hint()
        };
        let most = most.and_then(|most| most.checked_add(started));
        if self.state.fail_fast {
            // Any task that is not held may be the one that stops the run, and its error is an outcome.
            (held, most)
        } else {
            (least.saturating_add(started), most)
        }
    }
}

impl<S, T, E, O> Tasks<S, Outcomes<T, E>, O> {
    /// Takes what became of every task.
    pub(super) fn take_result(self: Pin<&mut Self>) -> ParallelResult<T, E> {
        let this = self.project();
        let state = this.state;
        let never_started = match state.total {
            Some(total) if state.is_stopped => total.saturating_sub(state.pulled),
            _ => 0,
        };
        ParallelResult::new(this.sink.take(), never_started, &state.stopwatch)
    }
}

impl<S, Fut, K, O> TaskSet for Tasks<S, K, O>
where
    S: Stream<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Sink,
    O: Observer<K::Value, K::Error>,
{
    type Task = Fut;

    fn has_capacity(&self, in_flight: usize) -> bool {
        in_flight + self.sink.held() < self.state.room
    }

    fn expected_in_flight(&self) -> Option<usize> {
        let (Limit::Rolling(limit) | Limit::Batches(limit)) = self.state.limit;
        // As it was when the run began: the size hint is foreign code, and may panic.
        Some(self.state.total.map_or(limit, |total| total.min(limit)))
    }

    fn uses_slots_once(&self) -> bool {
        let (Limit::Rolling(limit) | Limit::Batches(limit)) = self.state.limit;
        limit == usize::MAX || self.state.total.is_some_and(|total| total <= limit)
    }

    #[inline(always)]
    fn poll_task(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Fut),
    ) -> Poll<bool> {
        let this = self.project();
        // A hook may have panicked when it was told so.
        if this.state.exhausted {
            return Poll::Ready(false);
        }
        match ready!(this.source.poll_next(cx)) {
            Some(task) => {
                // Its outcome has a place before it starts, as it may end at once.
                this.state.count_pulled();
                this.sink.push_pending();
                start(task);
                Poll::Ready(true)
            }
            None => {
                // A batch that the end has cut short is told of now, unless one of its tasks still runs.
                this.state.exhausted = true;
                if this.state.ended_batch() {
                    this.observer.on_progress(this.state.progress());
                }
                Poll::Ready(false)
            }
        }
    }

    #[inline(always)]
    fn record(self: Pin<&mut Self>, index: usize, output: Option<Fut::Output>) {
        let this = self.project();
        let outcome = output.map_or(Outcome::Cancelled, Outcome::from);
        this.state.count_completed(outcome.is_failed());
        this.sink.put(index, outcome);
    }

    #[inline(always)]
    fn notify(self: Pin<&mut Self>, index: usize) {
        let this = self.project();
        match this.sink.last_put(index) {
            Some(Outcome::Succeeded(value)) => this.observer.on_complete(value, index),
            Some(Outcome::Failed(error)) => this.observer.on_error(error, index),
            Some(Outcome::Cancelled) | None => {}
        }
        if this.state.is_milestone() {
            this.observer.on_progress(this.state.progress());
        }
    }

    fn should_stop(&self) -> bool {
        self.state.is_stopped
    }

    fn should_yield(&self) -> bool {
        self.sink.is_ready()
    }
}
