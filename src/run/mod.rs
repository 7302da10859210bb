//! From a source through the window to a sink, with an observer looking on: what `parallel`, `sequential` and `batched`
//! have in common.
//!
//! ```text
//!  source: a stream of tasks  ->  Window: polls them  ->  sink: all outcomes by index, or a buffer to hand over from
//!     ^                                                     |
//!     +-- limit, fail-fast: may another one start? <- State +-> observer: the hooks
//! ```

mod admit;
mod consume;
mod consumer;
mod observer;
mod progress;
pub(crate) mod sink;
mod source;
mod state;
mod stop;
mod sync;
mod tasks;
mod times;

use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream;
use pin_project_lite::pin_project;

use crate::engine::Window;
use crate::outcome::{EndReason, ParallelResult, TaskError};

pub(crate) use admit::Gate;
pub use admit::{Admitted, Gated};
pub use consume::Consumed;
pub(crate) use consume::ConsumingRun;
pub use observer::{Observer, OnComplete, OnError, OnProgress, OnStart};
pub use progress::Progress;
use sink::{Buffer, HandedOver, Outcomes};
pub(crate) use source::{IndexedSource, bounds_with};
pub(crate) use state::Concurrency;
pub(crate) use stop::Stoppable;
pub use stop::{Deadline, StopOn};
use tasks::Tasks;
pub use times::{TaskTime, TaskTimes};

pin_project! {
    /// Tasks and the window that they run in: all of a verb but its name.
    pub(crate) struct Run<S, Fut, K, O> {
        window: Window<Fut>,
        #[pin]
        tasks: Tasks<S, K, O>,
        // The outcomes of a stream that may still be handed over before running tasks are polled.
        before_pass: usize,
        // Whether all was handed over.
        done: bool,
    }
}

impl<S, Fut, T, E> Run<S, Fut, Outcomes<T, E>, ()> {
    /// Creates a run that keeps all outcomes, and that no failure stops.
    pub(crate) fn new(source: S, limit: Concurrency) -> Self {
        Self::from_parts(Window::new(), Tasks::new(source, limit, Outcomes::new()))
    }
}

impl<I, Fut, T, E> Run<stream::Iter<I>, Fut, Outcomes<T, E>, ()> {
    /// Creates a run of a set: the same, but all tasks run at once. An iterator is never waited for.
    pub(crate) fn all_at_once(source: stream::Iter<I>) -> Self {
        let mut tasks = Tasks::new(source, Concurrency::Rolling(usize::MAX), Outcomes::new());
        tasks.state.may_wait = false;
        Self::from_parts(Window::all_at_once(), tasks)
    }
}

impl<S, Fut, K, O> Run<S, Fut, K, O> {
    /// Puts together a run that has not begun.
    fn from_parts(window: Window<Fut>, tasks: Tasks<S, K, O>) -> Self {
        Self {
            window,
            tasks,
            before_pass: 0,
            done: false,
        }
    }

    /// Limits the tasks that run. Not to be called once the run has begun.
    pub(crate) fn set_limit(&mut self, limit: Concurrency) {
        // Slots are used again from now on.
        self.window = Window::new();
        self.tasks.state.set_limit(limit);
    }

    /// Sets whether the first failure ends the run.
    pub(crate) fn set_fail_fast(&mut self, fail_fast: bool) {
        self.tasks.state.fail_fast = fail_fast;
    }

    /// Adds an observer behind those that are there.
    pub(crate) fn observe<P>(self, observer: P) -> Run<S, Fut, K, (O, P)> {
        Run::from_parts(self.window, self.tasks.observe(observer))
    }

    /// Takes tasks from elsewhere.
    pub(crate) fn map_source<R>(self, map: impl FnOnce(S) -> R) -> Run<R, Fut, K, O> {
        Run::from_parts(self.window, self.tasks.map_source(map))
    }

    /// Takes tasks of another type from elsewhere. Not to be called once the run has begun.
    pub(crate) fn map_tasks<R, Task>(self, map: impl FnOnce(S) -> R) -> Run<R, Task, K, O> {
        Run::from_parts(Window::new(), self.tasks.map_source(map))
    }

    /// Puts outcomes elsewhere.
    pub(crate) fn with_sink<L>(self, sink: L) -> Run<S, Fut, L, O> {
        Run::from_parts(self.window, self.tasks.with_sink(sink))
    }

    /// Hands outcomes from `sink` to `handler`, one at a time, while tasks go on.
    pub(crate) fn consume<L, F, C, X>(
        self,
        sink: L,
        handler: F,
    ) -> ConsumingRun<S, Fut, L, O, F, C, X> {
        ConsumingRun::new(self.window, self.tasks.with_sink(sink), handler)
    }

    pub(crate) fn source(&self) -> &S {
        &self.tasks.source
    }

    pub(crate) fn source_mut(&mut self) -> &mut S {
        &mut self.tasks.source
    }

    /// Returns whether all was handed over.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }
}

impl<S, Fut, T, E, O> Run<S, Fut, Outcomes<T, E>, O>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    /// Runs all tasks, and resolves to what became of each, and the time that they took.
    ///
    /// # Panics
    /// If it has resolved before.
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ParallelResult<T, E>> {
        self.poll_all(cx, true)
    }

    /// Runs all tasks, and resolves to all values, or to the first error in input order. Never looks at the clock.
    ///
    /// # Panics
    /// If it has resolved before.
    pub(crate) fn poll_values(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Vec<T>, TaskError<E>>> {
        self.poll_all(cx, false).map(ParallelResult::into_result)
    }

    /// Polls what was woken once more, and starts nothing from now on. The next poll drops what is left, and is ready.
    ///
    /// If a task panics, it is to be called again.
    pub(crate) fn stop(self: Pin<&mut Self>, reason: EndReason) {
        let mut this = self.project();
        if *this.done || this.tasks.is_stopped() {
            return;
        }
        // Even of a run that has not begun, the result has as many outcomes as there are tasks.
        this.tasks.as_mut().begin(true);
        this.tasks.as_mut().start_no_more();
        this.window.poll_woken(this.tasks.as_mut());
        this.tasks.stop(reason);
    }

    #[inline(always)]
    fn poll_all(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        is_timed: bool,
    ) -> Poll<ParallelResult<T, E>> {
        let mut this = self.project();
        assert!(!*this.done, "this run was polled after it had resolved");
        this.tasks.as_mut().begin(is_timed);
        ready!(this.window.poll(cx, this.tasks.as_mut()));
        this.tasks.as_mut().leave_if_stopped();
        *this.done = true;
        Poll::Ready(this.tasks.take_result())
    }
}

impl<S, Fut, K, O> Run<S, Fut, K, O>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    O: Observer<K::Value, K::Error>,
{
    /// Runs tasks until there is an outcome to hand over.
    #[inline]
    pub(crate) fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<HandedOver<K>>> {
        let mut this = self.project();
        // What is there is handed over first, but a free slot is not left idle meanwhile.
        if *this.before_pass > 0 && this.tasks.as_mut().sink().is_ready() {
            *this.before_pass -= 1;
            this.window.top_up(this.tasks.as_mut());
            this.tasks.as_mut().leave_if_stopped();
            return Poll::Ready(this.tasks.sink().pop(false));
        }
        if *this.done {
            return Poll::Ready(None);
        }

        // Nothing is left, or running tasks have waited long enough.
        this.tasks.as_mut().begin(false);
        ready!(this.window.poll(cx, this.tasks.as_mut()));
        this.tasks.as_mut().leave_if_stopped();
        let sink = this.tasks.sink();
        let item = sink.pop(this.window.is_finished());
        *this.before_pass = sink.held();
        *this.done = item.is_none();
        Poll::Ready(item)
    }

    /// Returns the bounds on how many outcomes there are yet to hand over.
    pub(crate) fn size_hint(&self) -> (usize, Option<usize>) {
        self.tasks.size_hint(self.window.in_flight())
    }
}

impl_debug!(Run<S, Fut, K, O> |self| { window: self.window, state: self.tasks.state });
