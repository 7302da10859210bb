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
use crate::engine::TaskSet;

/// A future in the window of a group.
pub(super) enum Member<Fut, Task> {
    Body(Pin<Box<Fut>>),
    Task(Task),
}

/// The output of a [`Member`].
pub(super) enum Ended<T, E> {
    Body(Result<T, E>),
    Task(Result<(), E>),
}

/// The body is in a box, as tasks are.
impl<Fut, Task> Unpin for Member<Fut, Task> {}

impl<Fut, Task, T, E> Future for Member<Fut, Task>
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
    type Task = Member<Fut, Task>;

    fn has_capacity(&self, _: usize) -> bool {
        !self.has_failed() && (self.body.is_some() || self.running < self.limit)
    }

    fn poll_task(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Self::Task),
    ) -> Poll<bool> {
        // The body comes first, and is not counted.
        if let Some(body) = self.body.take() {
            start(Member::Body(body));
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
                start(Member::Task(task));
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
        let is_idle = !self.body_runs && self.running == 0 && self.waiting.is_empty();
        self.has_failed() || (is_idle && self.queue.is_empty())
    }
}
