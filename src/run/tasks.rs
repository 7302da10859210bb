//! The tasks of a run: their source, limit, sink and observer, as the window wants to know of them.

use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::observer::Observer;
use super::sink::{Buffer, Outcomes, Sink};
use super::source::IndexedSource;
use super::state::{Concurrency, State};
use crate::engine::TaskSet;
use crate::outcome::{EndReason, Outcome, ParallelResult};

pin_project! {
    /// Where tasks come from, and what becomes of their outcomes.
    pub(super) struct Tasks<S, K, O> {
        #[pin]
        pub(super) source: S,
        pub(super) sink: K,
        observer: O,
        pub(super) state: State,
    }
}

impl<S, K> Tasks<S, K, ()> {
    pub(super) fn new(source: S, limit: Concurrency, sink: K) -> Self {
        Self {
            source,
            sink,
            observer: (),
            state: State::new(limit),
        }
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
            state: State {
                may_wait: true,
                ..self.state
            },
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

impl<S, K: Buffer, O> Tasks<S, K, O> {
    /// Returns whether an outcome is held that can be handed over now; `ended` if no more will be put.
    #[inline(always)]
    pub(super) fn has_held(&self, ended: bool) -> bool {
        self.sink.is_ready() || (ended && self.sink.held() > 0)
    }
}

impl<S, Fut, K, O> Tasks<S, K, O>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    O: Observer<K::Value, K::Error>,
{
    /// Does the same as [`finish`](TaskSet::finish), but returns the result, which is the
    /// [next](Buffer::is_next) to hand over. It comes into the sink only if foreign code panics before that.
    #[inline(always)]
    pub(super) fn pass(
        self: Pin<&mut Self>,
        index: usize,
        result: Fut::Output,
        drop_task: impl FnOnce(),
    ) -> Option<Fut::Output> {
        let this = self.project();
        this.state.count_completed(result.is_err());
        this.source.end(index);
        let mut kept = KeepResult {
            sink: this.sink,
            index,
            result: Some(result),
        };
        drop_task();
        let result = kept.result.as_ref().map(Result::as_ref);
        this.state.notify(this.observer, index, result);
        kept.sink.pass();
        let result = kept.result.take();
        mem::forget(kept);
        result
    }
}

/// A result that is about to be handed over. If it is dropped before, the result is put into the sink.
struct KeepResult<'a, K: Sink> {
    sink: &'a mut K,
    index: usize,
    result: Option<Result<K::Value, K::Error>>,
}

impl<K: Sink> Drop for KeepResult<'_, K> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(result) = self.result.take() {
            self.sink.put(self.index, result.into());
        }
    }
}

impl<S: IndexedSource, K: Sink, O> Tasks<S, K, O> {
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
            self.source.item_bounds()
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

impl<S, K, O> Tasks<S, K, O>
where
    S: IndexedSource,
    K: Sink,
    O: Observer<K::Value, K::Error>,
{
    /// Begins the run, if it has not begun yet. Looks at the clock only if it is timed, or a hook may ask for the rate.
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
        if is_timed || this.observer.reads_progress() {
            this.state.stopwatch.start();
        }
        let (least, most) = this.source.item_bounds();
        this.state.total = most.filter(|&most| most == least);
        this.sink.reserve(this.state.total);
        this.observer.on_begin();
    }

    /// Makes the gates of a run that was stopped give up what they wait for: its source is not polled again.
    #[inline(always)]
    pub(super) fn leave_if_stopped(self: Pin<&mut Self>) {
        let this = self.project();
        if this.state.is_stopped {
            this.observer.on_stop();
        }
    }
}

impl<S, K, O> Tasks<S, K, O> {
    /// Returns whether a failure or a signal has put an end to the run.
    pub(super) const fn is_stopped(&self) -> bool {
        self.state.is_stopped
    }

    /// Starts no task from now on.
    pub(super) fn start_no_more(self: Pin<&mut Self>) {
        self.project().state.room = 0;
    }

    /// Stops the run, unless a failure has: what still runs is dropped by the next poll of the window.
    pub(super) fn stop(self: Pin<&mut Self>, reason: EndReason) {
        let state = self.project().state;
        if state.is_stopped {
            return;
        }
        state.is_stopped = true;
        // The last of all tasks may have ended just now.
        let has_ended = state.exhausted || state.total == Some(state.pulled);
        if !(has_ended && state.completed == state.pulled) {
            state.end_reason = reason;
        }
    }
}

impl<S: IndexedSource, T, E, O> Tasks<S, Outcomes<T, E>, O> {
    /// Takes what became of every task.
    pub(super) fn take_result(self: Pin<&mut Self>) -> ParallelResult<T, E> {
        let this = self.project();
        let state = this.state;
        // What was pulled and has not started has a place, too.
        push_places(this.sink, this.source.take_places(false));
        let outcomes = this.sink.take();
        let never_started = match state.total {
            Some(total) if state.is_stopped && !state.exhausted => {
                total.saturating_sub(outcomes.len())
            }
            _ => 0,
        };
        ParallelResult::new(outcomes, never_started, state.end_reason, &state.stopwatch)
    }
}

/// Makes places for the outcomes of items that were pulled.
#[inline(always)]
fn push_places<K: Sink>(sink: &mut K, places: usize) {
    for _ in 0..places {
        sink.push_pending();
    }
}

impl<S, Fut, K, O> TaskSet for Tasks<S, K, O>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Sink,
    O: Observer<K::Value, K::Error>,
{
    type Task = Fut;

    fn has_capacity(&self, in_flight: usize) -> bool {
        in_flight + self.sink.held() < self.state.room
    }

    fn expected_in_flight(&self) -> Option<usize> {
        let (Concurrency::Rolling(limit) | Concurrency::Batches(limit)) = self.state.limit;
        // As it was when the run began: the size hint is foreign code, and may panic.
        Some(self.state.total.map_or(limit, |total| total.min(limit)))
    }

    fn may_wait(&self) -> bool {
        self.state.may_wait
    }

    #[inline(always)]
    fn poll_task(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Fut),
    ) -> Poll<bool> {
        let mut this = self.project();
        // A hook may have panicked when it was notified.
        if this.state.exhausted {
            return Poll::Ready(false);
        }
        // What has panicked before it was a task has a place all the same, in which nothing will be.
        if let Some(index) = this.source.as_mut().take_lost() {
            push_places(this.sink, this.source.as_mut().take_places(false));
            this.sink.put(index, Outcome::Cancelled);
        }
        match ready!(this.source.as_mut().poll_item(cx)) {
            Some(task) => {
                // Its outcome has a place before it starts, as it may end at once.
                this.state.count_pulled();
                push_places(this.sink, this.source.take_places(true));
                start(task);
                Poll::Ready(true)
            }
            None => {
                // A batch that the end has cut short is notified now, unless one of its tasks still runs.
                this.state.exhausted = true;
                if this.state.ended_batch() {
                    this.observer.on_progress(this.state.progress());
                }
                Poll::Ready(false)
            }
        }
    }

    #[inline(always)]
    fn has_start_hook(&self) -> bool {
        self.observer.has_start_hook()
    }

    fn on_start(self: Pin<&mut Self>, index: usize) {
        self.project().observer.on_start(index);
    }

    #[inline(always)]
    fn record(self: Pin<&mut Self>, index: usize, output: Option<Fut::Output>) {
        let this = self.project();
        let outcome = output.map_or(Outcome::Cancelled, Outcome::from);
        this.state.count_completed(outcome.is_failed());
        this.sink.put(index, outcome);
        this.source.end(index);
    }

    #[inline(always)]
    fn notify(self: Pin<&mut Self>, index: usize) {
        let this = self.project();
        let result = match this.sink.last_put(index) {
            Some(Outcome::Succeeded(value)) => Some(Ok(value)),
            Some(Outcome::Failed(error)) => Some(Err(error)),
            Some(Outcome::Cancelled) | None => None,
        };
        this.state.notify(this.observer, index, result);
    }

    #[inline(always)]
    fn index_of(&self, started: usize) -> usize {
        self.source.index_of(started)
    }

    #[inline(always)]
    fn retry_source(&self) -> bool {
        self.source.retry()
    }

    fn should_stop(&self) -> bool {
        self.state.is_stopped
    }

    fn should_yield(&self) -> bool {
        self.sink.is_ready()
    }
}
