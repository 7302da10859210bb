//! What the window needs to know of the tasks that it runs.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::budget::PollBudget;

/// What sets one verb apart from another: the source, the limit and the sink of the tasks in a
/// [`Window`](super::Window).
///
/// The window calls it in this order for every task: `poll_task`, `on_start`, `finish`, which is `record` and `notify`.
/// All but `record` may run foreign code: it is also called while a panic of the task or of its destructor unwinds, so
/// that what the task returned is not lost.
pub(crate) trait TaskSet {
    type Task: Future;

    /// Returns whether another task may start beside the `in_flight` running ones. Asked again after each task that
    /// ended. Not once the outcome is [settled](Self::should_stop).
    fn has_capacity(&self, in_flight: usize) -> bool;

    /// Returns how many tasks run side by side at most, as far as is known at the first poll. The ready set takes its
    /// shape from it, which makes a wrong answer slow but no more.
    fn expected_in_flight(&self) -> Option<usize> {
        None
    }

    /// Returns whether the source may ever be pending, as far as is known at the first poll. If not, it is polled with
    /// a waker that does nothing, which spares a small set two atomic operations.
    fn may_wait(&self) -> bool {
        true
    }

    /// Hands the next task to `start`, as its last step, and returns whether there was one.
    ///
    /// `false` is final: it is not called again. After it was pending, it is called again when its waker was woken, or
    /// when [`retry_source`](Self::retry_source) says so. `start` puts the task where it stays, so that it is moved
    /// only once.
    fn poll_task(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Self::Task),
    ) -> Poll<bool>;

    /// Returns whether there may be a hook of starts, so that there is code to call it.
    #[inline(always)]
    fn has_start_hook(&self) -> bool {
        false
    }

    /// Tells the hooks that the task with this [index](Self::index_of) is about to be polled for the first time. If
    /// they panic, it is polled for the first time by the next poll of the window.
    fn on_start(self: Pin<&mut Self>, index: usize) {
        let _ = index;
    }

    /// Returns the index that `record` and `notify` know the task by that has just started, which was the `started`th
    /// to start.
    #[inline(always)]
    fn index_of(&self, started: usize) -> usize {
        started
    }

    /// Keeps the output of the task with this [index](Self::index_of); `None` if the task has panicked.
    fn record(self: Pin<&mut Self>, index: usize, output: Option<<Self::Task as Future>::Output>);

    /// Tells the hooks of what was just recorded.
    fn notify(self: Pin<&mut Self>, index: usize);

    /// Keeps the output of a task, has the task dropped, and tells the hooks. What else it does takes from the budget.
    #[inline(always)]
    fn finish(
        mut self: Pin<&mut Self>,
        index: usize,
        output: <Self::Task as Future>::Output,
        drop_task: impl FnOnce(),
        budget: &mut PollBudget,
    ) {
        let _ = budget;
        // Recorded first, so that it is not lost if the destructor panics.
        self.as_mut().record(index, Some(output));
        drop_task();
        self.notify(index);
    }

    /// Returns whether the end of a task lets another start although the source said that it had to wait. To be false
    /// again once `poll_task` was called.
    fn retry_source(&self) -> bool {
        false
    }

    /// Returns whether the outcome is settled, so that what is in flight is to be dropped.
    fn should_stop(&self) -> bool {
        false
    }

    /// Returns whether there is something to hand over between two passes.
    fn should_yield(&self) -> bool {
        false
    }
}
