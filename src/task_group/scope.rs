//! The verb of a task group, and the queue through which tasks come to it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use concurrent_queue::ConcurrentQueue;
use futures::task::AtomicWaker;

use super::error::{Origin, TaskGroupError};
use crate::engine::Verb;

/// Tasks that were spawned and have not started yet.
pub(super) struct Queue<Task> {
    tasks: ConcurrentQueue<Task>,
    /// Woken when a task is spawned.
    group: AtomicWaker,
}

impl<Task> Queue<Task> {
    pub(super) fn new() -> Self {
        Self {
            tasks: ConcurrentQueue::unbounded(),
            group: AtomicWaker::new(),
        }
    }

    /// Has the group start the task. Drops it if the group has ended.
    pub(super) fn push(&self, task: Task) {
        if self.tasks.push(task).is_ok() {
            self.group.wake();
        }
    }

    fn poll_pop(&self, cx: &mut Context<'_>) -> Poll<Task> {
        if let Ok(task) = self.tasks.pop() {
            return Poll::Ready(task);
        }
        self.group.register(cx.waker());
        // One may have come before there was anyone to wake.
        self.tasks.pop().map_or(Poll::Pending, Poll::Ready)
    }

    /// Has all tasks dropped that come from now on.
    pub(super) fn close(&self) {
        self.tasks.close();
    }

    pub(super) fn clear(&self) {
        drop(self.group.take());
        // All of them at once, so that a destructor that panics does not keep the others.
        drop(self.tasks.try_iter().collect::<Vec<_>>());
    }
}

impl<Task> fmt::Debug for Queue<Task> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.tasks.len())
            .field("closed", &self.tasks.is_closed())
            .finish_non_exhaustive()
    }
}

/// What runs in the window of a group.
pub(super) enum Member<Fut, Task> {
    Body(Pin<Box<Fut>>),
    Task(Task),
}

/// What it returns.
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

/// The verb: the body first, and then tasks as they are spawned.
pub(super) struct Scope<Fut, Task, T, E> {
    /// Until it starts.
    body: Option<Pin<Box<Fut>>>,
    body_runs: bool,
    /// What the body returned.
    value: Option<T>,
    pub(super) queue: Arc<Queue<Task>>,
    pub(super) limit: usize,
    /// How many tasks are running.
    running: usize,
    failures: Vec<(Origin, E)>,
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
            limit: usize::MAX,
            running: 0,
            failures: Vec::new(),
            panicked: false,
        }
    }

    fn has_failed(&self) -> bool {
        self.panicked || !self.failures.is_empty()
    }

    /// Drops a body that was never started.
    pub(super) fn drop_body(&mut self) {
        self.body = None;
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

impl<Fut, Task, T, E> Verb for Scope<Fut, Task, T, E>
where
    Fut: Future<Output = Result<T, E>>,
    Task: Future<Output = Result<(), E>> + Unpin,
{
    type Task = Member<Fut, Task>;

    fn admits(&self, _: usize) -> bool {
        !self.has_failed() && (self.body.is_some() || self.running < self.limit)
    }

    fn poll_task(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Task>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Member::Body(body)));
        }
        self.queue.poll_pop(cx).map(|task| {
            self.running += 1;
            Some(Member::Task(task))
        })
    }

    fn record(mut self: Pin<&mut Self>, index: usize, output: Option<Ended<T, E>>) {
        let this = &mut *self;
        // The body is the first to start, and tasks count from there.
        match index.checked_sub(1) {
            None => this.body_runs = false,
            Some(_) => this.running -= 1,
        }
        match output {
            None => this.panicked = true,
            Some(Ended::Task(result)) => this.fail(Origin::Task(index.saturating_sub(1)), result),
            Some(Ended::Body(result)) => {
                let result = result.map(|value| this.value = Some(value));
                this.fail(Origin::Body, result);
            }
        }
    }

    fn announce(self: Pin<&mut Self>, _: usize) {}

    /// Satisfied rather than decided, so that a pass is finished: whoever fails in the same one is known too.
    fn is_satisfied(&self) -> bool {
        let is_done = !self.body_runs && self.running == 0 && self.queue.tasks.is_empty();
        is_done || self.has_failed()
    }
}
