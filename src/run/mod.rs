//! From a source through the window to a sink, with an observer looking on: what `parallel`, `sequential` and `batched`
//! have in common.

mod observer;
pub(crate) mod sink;

use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use crate::engine::{TaskSet, Window};
use crate::outcome::{Outcome, ParallelResult, TaskError};
use crate::time::Stopwatch;

pub use observer::{Observer, OnComplete, OnError, OnProgress, Progress};
use sink::{Outcomes, Sink};

/// How many tasks may run, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// At most so many at any time.
    Rolling(usize),
    /// So many, and the next so many when all of those have ended.
    Batches(usize),
}

pin_project! {
    /// The verb that runs all tasks and keeps all outcomes.
    #[derive(Debug)]
    pub(crate) struct Run<S, K, O> {
        #[pin]
        source: S,
        sink: K,
        observer: O,
        pub(crate) state: State,
    }
}

/// Settings and counts.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) limit: Limit,
    pub(crate) fail_fast: bool,
    failed: bool,
    begun: bool,
    exhausted: bool,
    pulled: usize,
    completed: usize,
    total: Option<usize>,
    stopwatch: Stopwatch,
}

impl State {
    /// Whether a failure has put an end to the run.
    fn is_stopped(&self) -> bool {
        self.failed && self.fail_fast
    }

    fn progress(&self) -> Progress {
        Progress {
            completed: self.completed,
            total: self.total,
        }
    }

    /// Whether progress is to be told of after a task has ended.
    fn is_milestone(&self) -> bool {
        match self.limit {
            Limit::Rolling(_) => true,
            Limit::Batches(size) => {
                self.completed == self.pulled && (self.pulled % size == 0 || self.exhausted)
            }
        }
    }

    /// Whether the end of the source has ended a batch, after all of its tasks.
    fn ended_batch(&self) -> bool {
        match self.limit {
            Limit::Rolling(_) => false,
            Limit::Batches(size) => self.completed == self.pulled && self.pulled % size != 0,
        }
    }
}

impl<S, K> Run<S, K, ()> {
    pub(crate) fn new(source: S, limit: Limit, sink: K) -> Self {
        Self {
            source,
            sink,
            observer: (),
            state: State {
                limit,
                fail_fast: false,
                failed: false,
                begun: false,
                exhausted: false,
                pulled: 0,
                completed: 0,
                total: None,
                stopwatch: Stopwatch::default(),
            },
        }
    }
}

impl<S, K, O> Run<S, K, O> {
    /// Adds an observer behind those that are there.
    pub(crate) fn observe<P>(self, observer: P) -> Run<S, K, (O, P)> {
        Run {
            source: self.source,
            sink: self.sink,
            observer: (self.observer, observer),
            state: self.state,
        }
    }

    /// Takes tasks from elsewhere.
    pub(crate) fn map_source<R>(self, map: impl FnOnce(S) -> R) -> Run<R, K, O> {
        Run {
            source: map(self.source),
            sink: self.sink,
            observer: self.observer,
            state: self.state,
        }
    }

    /// Puts outcomes elsewhere.
    pub(crate) fn with_sink<L>(self, sink: L) -> Run<S, L, O> {
        Run {
            source: self.source,
            sink,
            observer: self.observer,
            state: self.state,
        }
    }

    pub(crate) fn sink(self: Pin<&mut Self>) -> &mut K {
        self.project().sink
    }
}

impl<S: Stream, K: Sink, O> Run<S, K, O> {
    /// Begins the run, if it has not begun yet.
    #[inline]
    pub(crate) fn begin(self: Pin<&mut Self>) {
        if !self.state.begun {
            self.begin_now();
        }
    }

    #[cold]
    fn begin_now(self: Pin<&mut Self>) {
        let this = self.project();
        this.state.begun = true;
        let (least, most) = this.source.size_hint();
        this.state.total = most.filter(|&most| most == least);
        this.sink.reserve(this.state.total);
    }

    /// The bounds on how many outcomes there are yet to hand over.
    pub(crate) fn size_hint(&self, in_flight: usize) -> (usize, Option<usize>) {
        let held = self.sink.held();
        if self.state.is_stopped() {
            return (held, Some(held));
        }
        let started = held + in_flight;
        let (least, most) = match self.state.exhausted {
            true => (0, Some(0)),
            false => self.source.size_hint(),
        };
        let most = most.and_then(|most| most.checked_add(started));
        match self.state.fail_fast {
            true => (held, most),
            false => (least.saturating_add(started), most),
        }
    }
}

impl<S, T, E, O> Run<S, Outcomes<T, E>, O> {
    #[inline]
    fn start_stopwatch(self: Pin<&mut Self>) {
        self.project().state.stopwatch.start();
    }

    /// What became of every task.
    pub(crate) fn take_result(self: Pin<&mut Self>) -> ParallelResult<T, E> {
        let this = self.project();
        let state = this.state;
        let never_started = match state.total {
            Some(total) if state.is_stopped() => total.saturating_sub(state.pulled),
            _ => 0,
        };
        ParallelResult::new(this.sink.take(), never_started, &state.stopwatch)
    }
}

impl<S, Fut, K, O> TaskSet for Run<S, K, O>
where
    S: Stream<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Sink,
    O: Observer<K::Value, K::Error>,
{
    type Task = Fut;

    fn has_capacity(&self, in_flight: usize) -> bool {
        match self.state.limit {
            Limit::Rolling(limit) => in_flight + self.sink.held() < limit,
            Limit::Batches(size) => in_flight == 0 || self.state.pulled % size != 0,
        }
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
        if this.state.exhausted {
            // A hook has panicked when it was told so.
            return Poll::Ready(false);
        }
        match ready!(this.source.poll_next(cx)) {
            Some(task) => {
                this.state.pulled += 1;
                this.sink.push_pending();
                start(task);
                Poll::Ready(true)
            }
            None => {
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
        this.state.failed |= outcome.is_failed();
        this.state.completed += 1;
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
        self.state.is_stopped()
    }

    fn should_yield(&self) -> bool {
        self.sink.is_ready()
    }
}

pin_project! {
    /// A run and the window that it runs in: all of a verb but its name.
    pub(crate) struct Runner<S, Fut, K, O> {
        window: Window<Fut>,
        #[pin]
        run: Run<S, K, O>,
        done: bool,
    }
}

impl<S, Fut, T, E> Runner<S, Fut, Outcomes<T, E>, ()> {
    pub(crate) fn new(source: S, limit: Limit) -> Self {
        Self {
            window: Window::new(),
            run: Run::new(source, limit, Outcomes::new()),
            done: false,
        }
    }
}

impl<S, Fut, K, O> Runner<S, Fut, K, O> {
    pub(crate) fn set_limit(&mut self, limit: Limit) {
        self.run.state.limit = limit;
    }

    pub(crate) fn set_fail_fast(&mut self, fail_fast: bool) {
        self.run.state.fail_fast = fail_fast;
    }

    /// Adds an observer behind those that are there.
    pub(crate) fn observe<P>(self, observer: P) -> Runner<S, Fut, K, (O, P)> {
        Runner {
            window: self.window,
            run: self.run.observe(observer),
            done: self.done,
        }
    }

    pub(crate) fn source(&self) -> &S {
        &self.run.source
    }

    pub(crate) fn source_mut(&mut self) -> &mut S {
        &mut self.run.source
    }

    /// Takes tasks from elsewhere.
    pub(crate) fn map_source<R>(self, map: impl FnOnce(S) -> R) -> Runner<R, Fut, K, O> {
        Runner {
            window: self.window,
            run: self.run.map_source(map),
            done: self.done,
        }
    }

    pub(crate) fn into_parts(self) -> (Window<Fut>, Run<S, K, O>) {
        (self.window, self.run)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }
}

impl<S, Fut, T, E, O> Runner<S, Fut, Outcomes<T, E>, O>
where
    S: Stream<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    /// Resolves to all outcomes, and the time that they took.
    pub(crate) fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<ParallelResult<T, E>> {
        self.as_mut().project().run.start_stopwatch();
        self.poll_untimed(cx)
    }

    /// Resolves to all values, or to the first error in input order. Never looks at the clock.
    pub(crate) fn poll_values(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Vec<T>, TaskError<E>>> {
        self.poll_untimed(cx).map(ParallelResult::into_result)
    }

    fn poll_untimed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ParallelResult<T, E>> {
        let mut this = self.project();
        assert!(!*this.done, "this run was polled after it had resolved");
        this.run.as_mut().begin();
        ready!(this.window.poll(cx, this.run.as_mut()));
        *this.done = true;
        Poll::Ready(this.run.take_result())
    }
}

impl<S, Fut, K, O> fmt::Debug for Runner<S, Fut, K, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("window", &self.window)
            .field("state", &self.run.state)
            .finish_non_exhaustive()
    }
}
