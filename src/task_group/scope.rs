//! The task set of a group: the body, and the tasks that are spawned.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::error::{Origin, TaskGroupError};
use super::queue::Queue;
use super::result::TaskGroupResult;
use crate::engine::TaskSet;
use crate::outcome::EndReason;

/// A future in the window of a group.
pub(super) enum GroupFuture<Fut, Task> {
    Body(Pin<Box<Fut>>),
    Task(Task),
}

/// The output of a [`GroupFuture`].
pub(super) enum Ended<T, E> {
    Body(Result<T, E>),
    Task(Result<(), E>),
}

/// The body is in a box, as tasks are.
impl<Fut, Task> Unpin for GroupFuture<Fut, Task> {}

impl<Fut, Task, T, E> Future for GroupFuture<Fut, Task>
where
    Fut: Future<Output = Result<T, E>>,
    Task: Future<Output = Result<(), E>> + Unpin,
{
    type Output = Ended<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Body(body) => body.as_mut().poll(cx).map(Ended::Body),
            Self::Task(task) => Pin::new(task).poll(cx).map(Ended::Task),
        }
    }
}

/// The task set: the body first, and then tasks as they are spawned.
pub(super) struct Scope<Fut, Task, T, E> {
    /// The body, until it starts.
    body: Option<Pin<Box<Fut>>>,
    /// Whether the body has not ended yet.
    body_runs: bool,
    /// What the body returned.
    value: Option<T>,
    /// What the group shares with those who spawn.
    pub(super) queue: Arc<Queue<Task>>,
    /// Tasks that have left the queue and wait to start.
    waiting: VecDeque<Task>,
    /// The tasks that may run at any time.
    pub(super) limit: usize,
    /// Tasks that have started and not ended, without the body.
    running: usize,
    /// In the order in which they became known.
    failures: Vec<(Origin, E)>,
    /// Whether the body or a task has panicked.
    panicked: bool,
    /// Whether no more may start, as the group was stopped.
    is_closed: bool,
    /// Why the group was stopped; `Completed` if it was not, or if all had ended by then.
    end_reason: EndReason,
    /// The number of tasks that had not ended when the result was known, once they were counted.
    cancelled_count: Option<usize>,
}

impl<Fut, Task, T, E> Unpin for Scope<Fut, Task, T, E> {}

impl<Fut, Task, T, E> Scope<Fut, Task, T, E> {
    pub(super) const fn new(body: Pin<Box<Fut>>, queue: Arc<Queue<Task>>) -> Self {
        Self {
            body: Some(body),
            body_runs: true,
            value: None,
            queue,
            waiting: VecDeque::new(),
            limit: usize::MAX,
            running: 0,
            failures: Vec::new(),
            panicked: false,
            is_closed: false,
            end_reason: EndReason::Completed,
            cancelled_count: None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.panicked || !self.failures.is_empty()
    }

    /// Drops what was never started.
    pub(super) fn clear(&mut self) {
        let waiting = mem::take(&mut self.waiting);
        drop((self.body.take(), waiting));
    }

    pub(super) fn take_result(&mut self) -> Result<T, TaskGroupError<E>> {
        match self.value.take() {
            Some(value) if !self.has_failed() => Ok(value),
            _ => Err(TaskGroupError::new(mem::take(&mut self.failures))),
        }
    }

    /// Takes what has become of the group, whether it was stopped or not.
    pub(super) fn take_outcome(&mut self) -> TaskGroupResult<T, E> {
        let has_failed = self.has_failed();
        let end_reason = if has_failed {
            EndReason::Failed
        } else {
            self.end_reason
        };
        let failures = mem::take(&mut self.failures);
        TaskGroupResult {
            value: self.value.take(),
            error: has_failed.then(|| TaskGroupError::new(failures)),
            end_reason,
            cancelled_count: self.cancelled_count.unwrap_or(0),
        }
    }

    /// Counts the tasks that have not ended, if they were not counted before. To be called when the result is known.
    pub(super) fn count_cancelled(&mut self) {
        let (running, waiting) = (self.running, self.waiting.len());
        let queue = &self.queue;
        self.cancelled_count
            .get_or_insert_with(|| running + waiting + queue.len());
    }

    /// Starts nothing from now on.
    pub(super) fn start_no_more(&mut self) {
        self.is_closed = true;
    }

    /// Says why the group ends, unless all has ended.
    pub(super) fn stop(&mut self, reason: EndReason) {
        if !self.is_idle() {
            self.end_reason = reason;
        }
    }

    /// Returns whether the body and all tasks have ended.
    fn is_idle(&self) -> bool {
        let none_left = !self.body_runs && self.running == 0 && self.waiting.is_empty();
        none_left && self.queue.is_empty()
    }

    fn fail(&mut self, origin: Origin, result: Result<(), E>) {
        if let Err(error) = result {
            self.failures.push((origin, error));
        }
    }
}

impl<Fut, Task, T, E> TaskSet for Scope<Fut, Task, T, E>
where
    Fut: Future<Output = Result<T, E>>,
    Task: Future<Output = Result<(), E>> + Unpin,
{
    type Task = GroupFuture<Fut, Task>;

    fn has_capacity(&self, _: usize) -> bool {
        !self.is_closed && !self.has_failed() && (self.body.is_some() || self.running < self.limit)
    }

    fn poll_task(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Self::Task),
    ) -> Poll<bool> {
        // The body comes first, and is not counted.
        if let Some(body) = self.body.take() {
            start(GroupFuture::Body(body));
            return Poll::Ready(true);
        }
        // All that have come are taken at once, so that the lock is not taken for each.
        let this = &mut *self;
        if this.waiting.is_empty() {
            this.queue.swap(&mut this.waiting, cx.waker());
        }
        match this.waiting.pop_front() {
            Some(task) => {
                this.running += 1;
                start(GroupFuture::Task(task));
                Poll::Ready(true)
            }
            None => Poll::Pending,
        }
    }

    fn record(mut self: Pin<&mut Self>, index: usize, output: Option<Ended<T, E>>) {
        let this = &mut *self;
        // The body is the first to start, and tasks count from there.
        match index.checked_sub(1) {
            None => this.body_runs = false,
            Some(_) => this.running -= 1,
        }
        // The first failure ends the group, and those that are known by then are kept as well.
        match output {
            None => this.panicked = true,
            Some(Ended::Task(result)) => this.fail(Origin::Task(index.saturating_sub(1)), result),
            Some(Ended::Body(result)) => {
                let result = result.map(|value| this.value = Some(value));
                this.fail(Origin::Body, result);
            }
        }
    }

    fn notify(self: Pin<&mut Self>, _: usize) {}

    /// Returns whether the group is over.
    ///
    /// Not `should_stop`: the pass goes on to its end, so that those that fail in the same one are known, too.
    fn should_yield(&self) -> bool {
        self.has_failed() || self.is_idle()
    }
}
