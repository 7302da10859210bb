//! The verb of a task group, and the queue through which tasks come to it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::error::{Origin, TaskGroupError};
use crate::engine::TaskSet;
use crate::sync::Lock;

/// Tasks that were spawned and that the group has not seen yet.
pub(super) struct Queue<Task>(Lock<Arrivals<Task>>);

struct Arrivals<Task> {
    tasks: VecDeque<Task>,
    /// Who is to be woken when a task is spawned.
    group: Option<Waker>,
    is_closed: bool,
}

impl<Task> Queue<Task> {
    pub(super) fn new() -> Self {
        Self(Lock::new(Arrivals {
            tasks: VecDeque::new(),
            group: None,
            is_closed: false,
        }))
    }

    /// Has the group start the task. Drops it if the group has ended.
    pub(super) fn push(&self, task: Task) {
        let mut task = Some(task);
        let group = self.0.with(|arrivals| {
            if !arrivals.is_closed {
                arrivals.tasks.extend(task.take());
            }
            arrivals.group.take()
        });
        if let Some(group) = group {
            group.wake();
        }
    }

    /// Swaps all tasks for `empty`. If there are none, the next wakes `waker`.
    fn swap(&self, empty: &mut VecDeque<Task>, waker: &Waker) {
        let mut waker = Some(waker.clone());
        self.0.with(|arrivals| {
            mem::swap(&mut arrivals.tasks, empty);
            if empty.is_empty() {
                mem::swap(&mut arrivals.group, &mut waker);
            }
        });
    }

    fn is_empty(&self) -> bool {
        self.0.with(|arrivals| arrivals.tasks.is_empty())
    }

    /// Has all tasks dropped that come from now on.
    pub(super) fn close(&self) {
        let group = self.0.with(|arrivals| {
            arrivals.is_closed = true;
            arrivals.group.take()
        });
        drop(group);
    }

    pub(super) fn clear(&self) {
        let tasks = self.0.with(|arrivals| mem::take(&mut arrivals.tasks));
        drop(tasks);
    }
}

impl<Task> fmt::Debug for Queue<Task> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, is_closed) = self
            .0
            .with(|arrivals| (arrivals.tasks.len(), arrivals.is_closed));
        f.debug_struct("Queue")
            .field("len", &len)
            .field("is_closed", &is_closed)
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
    /// Tasks that have left the queue and wait to start.
    waiting: VecDeque<Task>,
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
            waiting: VecDeque::new(),
            limit: usize::MAX,
            running: 0,
            failures: Vec::new(),
            panicked: false,
        }
    }

    fn has_failed(&self) -> bool {
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

    fn poll_task(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Task>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Member::Body(body)));
        }
        let this = &mut *self;
        if this.waiting.is_empty() {
            this.queue.swap(&mut this.waiting, cx.waker());
        }
        match this.waiting.pop_front() {
            Some(task) => {
                this.running += 1;
                Poll::Ready(Some(Member::Task(task)))
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

    /// Satisfied rather than decided, so that a pass is finished: whoever fails in the same one is known too.
    fn should_yield(&self) -> bool {
        let is_idle = !self.body_runs && self.running == 0 && self.waiting.is_empty();
        self.has_failed() || (is_idle && self.queue.is_empty())
    }
}
