//! What becomes of the value of a task.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use futures::future::FusedFuture;
use pin_project_lite::pin_project;

use crate::sync::Lock;

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
    /// `None` when it has resolved.
    cell: Option<Arc<Cell<T>>>,
}

/// What a task and its handle share.
struct Cell<T>(Lock<State<T>>);

enum State<T> {
    /// There is no value yet, and this is who waits for it.
    Open(Option<Waker>),
    Value(T),
    /// There is no value any more, or will never be.
    Gone,
}

impl<T> Cell<T> {
    /// Keeps the value, and wakes whoever waits for it.
    fn put(&self, value: T) {
        let before = self
            .0
            .with(|state| mem::replace(state, State::Value(value)));
        if let State::Open(Some(waker)) = before {
            waker.wake();
        }
    }

    /// Lets go of whoever waits for a value that will never be.
    fn abandon(&self) {
        drop(self.0.with(|state| mem::replace(state, State::Gone)));
    }

    fn is_gone(&self) -> bool {
        self.0.with(|state| matches!(state, State::Gone))
    }

    /// Takes the value, or has `waker` be woken when there is one. Whatever is foreign happens outside of the lock.
    fn take(&self, waker: &Waker) -> Option<T> {
        let is_known = self.0.with(|state| match state {
            State::Open(Some(known)) => known.will_wake(waker),
            _ => false,
        });
        if is_known {
            return None;
        }
        let mut waiting = State::Open(Some(waker.clone()));
        self.0.with(|state| match state {
            State::Open(_) => mem::swap(state, &mut waiting),
            State::Value(_) | State::Gone => waiting = mem::replace(state, State::Gone),
        });
        match waiting {
            State::Value(value) => Some(value),
            State::Open(_) | State::Gone => None,
        }
    }
}

impl<T> Future for TaskHandle<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let cell = self.cell.as_ref();
        let cell = cell.expect("`TaskHandle` was polled after it had resolved");
        match cell.take(cx.waker()) {
            Some(value) => {
                self.cell = None;
                Poll::Ready(value)
            }
            None => Poll::Pending,
        }
    }
}

impl<T> FusedFuture for TaskHandle<T> {
    fn is_terminated(&self) -> bool {
        self.cell.as_ref().is_none_or(|cell| cell.is_gone())
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
        // Until there is a value.
        cell: Option<Arc<Cell<T>>>,
    }

    impl<Fut, T> PinnedDrop for Spawned<Fut, T> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(cell) = this.project().cell.take() {
                cell.abandon();
            }
        }
    }
}

impl<Fut, T> Spawned<Fut, T> {
    pub(super) fn new(task: Fut) -> (Self, TaskHandle<T>) {
        let cell = Arc::new(Cell(Lock::new(State::Open(None))));
        let handle = TaskHandle {
            cell: Some(cell.clone()),
        };
        let task = Self {
            task,
            cell: Some(cell),
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
        if let Some(cell) = this.cell.take() {
            cell.put(value);
        }
        Poll::Ready(Ok(()))
    }
}
