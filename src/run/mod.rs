//! From a source through the window to a sink, with an observer looking on: what `parallel`, `sequential` and `batched`
//! have in common.
//!
//! ```text
//!  source: a stream of tasks  ->  Window: polls them  ->  sink: all outcomes by index, or a buffer to hand over from
//!     ^                                                     |
//!     +-- limit, fail-fast: may another one start? <- State +-> observer: the hooks
//! ```

mod observer;
pub(crate) mod sink;
mod tasks;

use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use crate::engine::Window;
use crate::outcome::{ParallelResult, TaskError};

pub use observer::{Observer, OnComplete, OnError, OnProgress, Progress};
use sink::{Buffer, HandedOver, Outcomes};
pub(crate) use tasks::Limit;
use tasks::Tasks;

pin_project! {
    /// Tasks and the window that they run in: all of a verb but its name.
    pub(crate) struct Run<S, Fut, K, O> {
        window: Window<Fut>,
        #[pin]
        tasks: Tasks<S, K, O>,
        // How many more outcomes of a stream may be handed over before running tasks get their turn.
        before_pass: usize,
        // Whether all was handed over.
        done: bool,
    }
}

impl<S, Fut, T, E> Run<S, Fut, Outcomes<T, E>, ()> {
    /// Creates a run that keeps all outcomes, and that no failure stops.
    pub(crate) fn new(source: S, limit: Limit) -> Self {
        Self::from_parts(Window::new(), Tasks::new(source, limit, Outcomes::new()))
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
    pub(crate) fn set_limit(&mut self, limit: Limit) {
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

    /// Puts outcomes elsewhere.
    pub(crate) fn with_sink<L>(self, sink: L) -> Run<S, Fut, L, O> {
        Run::from_parts(self.window, self.tasks.with_sink(sink))
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
    S: Stream<Item = Fut>,
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
        *this.done = true;
        Poll::Ready(this.tasks.take_result())
    }
}

impl<S, Fut, K, O> Run<S, Fut, K, O>
where
    S: Stream<Item = Fut>,
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
            return Poll::Ready(this.tasks.sink().pop(false));
        }
        if *this.done {
            return Poll::Ready(None);
        }

        // Nothing is left, or running tasks have waited long enough.
        this.tasks.as_mut().begin(false);
        ready!(this.window.poll(cx, this.tasks.as_mut()));
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
