//! The handles of tasks, and the tasks that hand their values to them.

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::queue::End;
use crate::sync::Oneshot;

/// A future of the value of a task that was spawned into a [`task_group`](crate::task_group()).
///
/// Dropping it leaves the task alone. If the task fails, its group fails and drops whoever waits in it, so a handle has
/// no error to tell of: inside of its group, it resolves to the value or is dropped.
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
/// If it is taken out of its group, and that ends before the task has a value: because the group fails, is dropped, or
/// had ended already when the task was spawned. Also if it is polled after it has resolved.
pub struct TaskHandle<T> {
    /// `None` when it has resolved.
    value: Option<Arc<Oneshot<T>>>,
    /// The end of the group, for a handle outside of it.
    end: Arc<End>,
}

impl<T> Future for TaskHandle<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let value = self.value.as_ref();
        let value = value.expect("`TaskHandle` was polled after it had resolved");
        let Some(value) = ready!(value.poll(cx)) else {
            // The task is gone. Whoever asks from inside of the group is going to be dropped with it.
            assert!(
                !self.end.has_ended(),
                "the task of this `TaskHandle` has no value: its group has ended without it"
            );
            self.end.wake_at_end(cx.waker().clone());
            return Poll::Pending;
        };
        self.value = None;
        Poll::Ready(value)
    }
}

pin_project! {
    /// A task that hands its value to a handle.
    pub(super) struct Spawned<Fut, T> {
        #[pin]
        task: Fut,
        // `None` when there is a value.
        value: Option<Arc<Oneshot<T>>>,
        end: Arc<End>,
    }

    impl<Fut, T> PinnedDrop for Spawned<Fut, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(value) = this.value.take() {
                // Inside of the group there is nothing to wake for. Whoever waits outside learns of the end of the
                // group.
                if let Some(waker) = value.close().handle {
                    this.end.wake_at_end(waker);
                }
            }
        }
    }
}

impl<Fut, T> Spawned<Fut, T> {
    pub(super) fn new(task: Fut, end: &Arc<End>) -> (Self, TaskHandle<T>) {
        // Both hold the end of the group, as either may outlive it.
        let value = Arc::new(Oneshot::new());
        let handle = TaskHandle {
            value: Some(value.clone()),
            end: end.clone(),
        };
        let task = Self {
            task,
            value: Some(value),
            end: end.clone(),
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
        // An error goes to the group, which ends by it; only a value goes to the handle.
        let value = ready!(this.task.poll(cx))?;
        if let Some(handle) = this.value.take() {
            if let Some(waker) = handle.send(value).handle {
                waker.wake();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl_debug!(TaskHandle<T> |self| { resolved: self.value.is_none() });
impl_fused!(FusedFuture for TaskHandle<T> |self| self.value.as_ref().is_none_or(|value| value.is_closed()));
