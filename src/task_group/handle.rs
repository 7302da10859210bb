//! What becomes of the value of a task.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::channel::oneshot;
use futures::future::FusedFuture;
use pin_project_lite::pin_project;

/// The value of a task that was spawned into a [`task_group`](crate::task_group()), once there is one.
///
/// Dropping it leaves the task alone. If the task fails, its group fails and drops whoever waits in it, so a handle has no
/// error to tell of: it resolves to the value, or is dropped with the group. Taken out of a group that has failed, it is
/// pending for ever.
///
/// ```
/// # smol::block_on(async {
/// let sum = abreast::task_group(async |group| {
///     let handles = [1, 2, 3].map(|n| group.spawn(async move { Ok::<_, ()>(n) }));
///     Ok(abreast::join_all(handles).await.iter().sum::<i32>())
/// });
/// assert_eq!(sum.await, Ok(6));
/// # });
/// ```
///
/// # Cancel safety
/// Dropping it loses the value, and nothing else.
///
/// # Panics
/// If it is polled after it has resolved.
pub struct TaskHandle<T> {
    state: State<T>,
}

enum State<T> {
    Waiting(oneshot::Receiver<T>),
    /// The task was dropped without a value.
    Forever,
    Resolved,
}

impl<T> Future for TaskHandle<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let value = match &mut self.state {
            State::Waiting(value) => ready!(Pin::new(value).poll(cx)),
            State::Forever => return Poll::Pending,
            State::Resolved => panic!("`TaskHandle` was polled after it had resolved"),
        };
        if let Ok(value) = value {
            self.state = State::Resolved;
            Poll::Ready(value)
        } else {
            self.state = State::Forever;
            Poll::Pending
        }
    }
}

impl<T> FusedFuture for TaskHandle<T> {
    fn is_terminated(&self) -> bool {
        !matches!(self.state, State::Waiting(_))
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").finish_non_exhaustive()
    }
}

pin_project! {
    /// A task that hands its value to a handle.
    pub(super) struct Spawned<Fut, T> {
        #[pin]
        task: Fut,
        handle: Option<oneshot::Sender<T>>,
    }
}

impl<Fut, T> Spawned<Fut, T> {
    pub(super) fn new(task: Fut) -> (Self, TaskHandle<T>) {
        let (sender, receiver) = oneshot::channel();
        let handle = TaskHandle {
            state: State::Waiting(receiver),
        };
        let task = Self {
            task,
            handle: Some(sender),
        };
        (task, handle)
    }
}

impl<Fut, T, E> Future for Spawned<Fut, T>
where
    Fut: Future<Output = Result<T, E>>,
{
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        let this = self.project();
        let value = ready!(this.task.poll(cx))?;
        if let Some(handle) = this.handle.take() {
            // Nobody may be waiting for the value.
            drop(handle.send(value));
        }
        Poll::Ready(Ok(()))
    }
}
