//! A run whose outcomes are consumed while its tasks go on.
//!
//! The result of a task goes straight to the consumer, if that is idle and nothing comes before it. Otherwise it is
//! held in the sink, as it is for a stream:
//!
//! ```text
//!              the consumer is idle, and this is next: finish
//!  task ends -------------------------------------------------> consumer -> done with
//!       |                                                        ^    |
//!       '-- sink: held while the consumer runs, or something ----'    '-- pending: polled when it was woken, by
//!           is to come before it: consume_held                            ConsumingRun::poll
//! ```
//!
//! What is held and what the consumer has in hand count as running for the limit.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::consumer::{Consumer, Consumption};
use super::observer::Observer;
use super::sink::Buffer;
use super::source::IndexedSource;
use super::tasks::Tasks;
use crate::engine::{PollBudget, TaskSet, Window};

/// What has been consumed when a run ended.
///
/// It displays as `3/10`, or as `3` when the total is unknown.
///
/// ```
/// # smol::block_on(async {
/// let tasks = (0..10).map(|n| async move { if n < 3 { Ok(n) } else { Err("no") } });
/// let consumed = abreast::parallel(tasks)
///     .concurrency(1)
///     .fail_fast(true)
///     .for_each(async |index, result| println!("{index}: {result:?}"))
///     .await;
/// assert_eq!(consumed.to_string(), "4/10");
/// assert_eq!((consumed.count, consumed.total), (4, Some(10)));
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Consumed {
    /// The number of results that the consumer has done with.
    pub count: usize,
    /// The number of all tasks, known when the size hint of the source is exact.
    pub total: Option<usize>,
}

impl fmt::Display for Consumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            Some(total) => write!(f, "{}/{total}", self.count),
            None => write!(f, "{}", self.count),
        }
    }
}

pin_project! {
    /// The tasks of a run, and the consumer of their outcomes.
    struct Consuming<S, K, O, F, C, X> {
        #[pin]
        tasks: Tasks<S, K, O>,
        #[pin]
        consumer: Consumer<F, C, X>,
    }
}

impl<S, Fut, K, O, F, C, X> Consuming<S, K, O, F, C, X>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    F: FnMut(usize, Result<K::Value, K::Error>) -> C,
    C: Future<Output: Consumption<Error = X>>,
{
    /// Polls the consumer if it was woken, and hands it what is held for as long as it does not wait.
    fn consume(mut self: Pin<&mut Self>, has_ended: bool, budget: &mut PollBudget) {
        if self.consumer.is_running() {
            if !self.consumer.is_woken() {
                return;
            }
            budget.spend();
            if self.as_mut().project().consumer.poll().is_pending() {
                return;
            }
        }
        if self.tasks.has_held(has_ended) {
            self.consume_held(has_ended, budget);
        }
    }

    /// Hands the consumer what is held for as long as it does not wait.
    #[inline(never)]
    fn consume_held(mut self: Pin<&mut Self>, has_ended: bool, budget: &mut PollBudget) {
        while self.can_begin() && !budget.is_spent() {
            let this = self.as_mut().project();
            let Some((index, result)) = this.tasks.sink().pop(has_ended) else {
                return;
            };
            budget.spend();
            let _ = this.consumer.begin(index, result);
        }
    }

    /// Returns whether the consumer is idle, and may be handed an outcome.
    #[inline(always)]
    fn can_begin(&self) -> bool {
        !self.consumer.is_running() && !self.consumer.has_failed()
    }

    /// Returns whether the consumer could do something now.
    fn can_consume(&self, has_ended: bool) -> bool {
        if self.consumer.is_running() {
            self.consumer.is_woken()
        } else {
            self.tasks.has_held(has_ended)
        }
    }

    /// Counts what has ended, tasks and calls of the consumer.
    fn completed(&self) -> usize {
        self.tasks.state.progress().completed + self.consumer.consumed
    }
}

impl<S, Fut, K, O, F, C, X> TaskSet for Consuming<S, K, O, F, C, X>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    O: Observer<K::Value, K::Error>,
    F: FnMut(usize, Result<K::Value, K::Error>) -> C,
    C: Future<Output: Consumption<Error = X>>,
{
    type Task = Fut;

    fn has_capacity(&self, in_flight: usize) -> bool {
        // What the consumer has in hand takes a place, as what is held does.
        let in_hand = usize::from(self.consumer.is_running());
        !self.consumer.has_failed() && self.tasks.has_capacity(in_flight + in_hand)
    }

    fn expected_in_flight(&self) -> Option<usize> {
        self.tasks.expected_in_flight()
    }

    #[inline(always)]
    fn poll_task(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Fut),
    ) -> Poll<bool> {
        self.project().tasks.poll_task(cx, start)
    }

    #[inline(always)]
    fn has_start_hook(&self) -> bool {
        self.tasks.has_start_hook()
    }

    fn on_start(self: Pin<&mut Self>, index: usize) {
        self.project().tasks.on_start(index);
    }

    // Most results are not held: what holds them is not to be in the way of the others.
    #[inline(never)]
    fn record(self: Pin<&mut Self>, index: usize, output: Option<Fut::Output>) {
        self.project().tasks.record(index, output);
    }

    #[inline(always)]
    fn notify(self: Pin<&mut Self>, index: usize) {
        self.project().tasks.notify(index);
    }

    #[inline(always)]
    fn finish(
        mut self: Pin<&mut Self>,
        index: usize,
        output: Fut::Output,
        drop_task: impl FnOnce(),
        budget: &mut PollBudget,
    ) {
        if !self.can_begin() || !self.tasks.sink.is_next(index) {
            // Held until the running call has ended, or what it comes after has gone.
            self.as_mut().record(index, Some(output));
            drop_task();
            self.notify(index);
            return;
        }
        // It goes to the consumer from here, and what it has held up goes after it.
        let this = self.as_mut().project();
        if let Some(result) = this.tasks.pass(index, output, drop_task) {
            let _ = this.consumer.begin(index, result);
        }
        if self.tasks.sink.has_let_pass() {
            self.consume_held(false, budget);
        }
    }

    #[inline(always)]
    fn index_of(&self, started: usize) -> usize {
        self.tasks.index_of(started)
    }

    #[inline(always)]
    fn retry_source(&self) -> bool {
        self.tasks.retry_source()
    }

    fn should_stop(&self) -> bool {
        self.consumer.has_failed() || self.tasks.should_stop()
    }
}

pin_project! {
    /// Tasks, the window that they run in, and the consumer of their outcomes.
    pub(crate) struct ConsumingRun<S, Fut, K, O, F, C, X> {
        window: Window<Fut>,
        #[pin]
        set: Consuming<S, K, O, F, C, X>,
        // Whether all was consumed, or the consumer has failed.
        done: bool,
    }
}

impl<S, Fut, K, O, F, C, X> ConsumingRun<S, Fut, K, O, F, C, X> {
    pub(super) const fn new(window: Window<Fut>, tasks: Tasks<S, K, O>, handler: F) -> Self {
        Self {
            window,
            set: Consuming {
                tasks,
                consumer: Consumer::new(handler),
            },
            done: false,
        }
    }

    /// Puts outcomes elsewhere before they are consumed.
    pub(crate) fn with_sink<L>(self, sink: L) -> ConsumingRun<S, Fut, L, O, F, C, X> {
        ConsumingRun {
            window: self.window,
            set: Consuming {
                tasks: self.set.tasks.with_sink(sink),
                consumer: self.set.consumer,
            },
            done: self.done,
        }
    }

    /// Returns whether it has resolved.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }
}

impl<S, Fut, K, O, F, C, X> ConsumingRun<S, Fut, K, O, F, C, X>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    O: Observer<K::Value, K::Error>,
    F: FnMut(usize, Result<K::Value, K::Error>) -> C,
    C: Future<Output: Consumption<Error = X>>,
{
    /// Runs all tasks, and hands each outcome to the consumer, until all is done or the consumer has failed.
    ///
    /// # Panics
    /// If it has resolved before.
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Consumed, X>> {
        let mut this = self.project();
        assert!(!*this.done, "this run was polled after it had resolved");
        this.set.as_mut().project().tasks.begin(false);
        // One budget for the window and the consumer.
        let mut budget = PollBudget::begin();
        loop {
            // The consumer comes first: what it has done with makes room for tasks.
            let completed_before = this.set.completed();
            let has_ended = this.window.is_finished();
            this.set.as_mut().consume(has_ended, &mut budget);
            // Then the tasks go on, whether or not the consumer waits. If it has failed, they are dropped.
            let has_ended = this.window.poll(cx, this.set.as_mut()).is_ready();
            let mut set = this.set.as_mut().project();
            set.tasks.as_mut().leave_if_stopped();
            if set.consumer.has_failed()
                || (has_ended && !set.consumer.is_running() && set.tasks.sink.held() == 0)
            {
                break;
            }
            // The window is armed. So is the consumer, unless a task has woken it meanwhile.
            if !this.set.can_consume(has_ended) && this.set.consumer.arm(cx.waker()) {
                return Poll::Pending;
            }
            // What wakes itself again and again must not keep others from their turn.
            if budget.is_spent() || this.set.completed() == completed_before {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        *this.done = true;
        let set = this.set.project();
        let progress = set.tasks.state.progress();
        let count = set.consumer.consumed;
        match set.consumer.take_error() {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Ready(Ok(Consumed {
                count,
                total: progress.total,
            })),
        }
    }
}

impl<S, Fut, K, O, F, C> ConsumingRun<S, Fut, K, O, F, C, Infallible>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    O: Observer<K::Value, K::Error>,
    F: FnMut(usize, Result<K::Value, K::Error>) -> C,
    C: Future<Output = ()>,
{
    /// Polls with a consumer that never fails.
    pub(crate) fn poll_all(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Consumed> {
        self.poll(cx).map(|result| match result {
            Ok(consumed) => consumed,
            Err(never) => match never {},
        })
    }
}

impl_debug!(
    ConsumingRun<S, Fut, K, O, F, C, X> |self| {
        window: self.window,
        state: self.set.tasks.state,
        consumed: self.set.consumer.consumed,
    }
);
