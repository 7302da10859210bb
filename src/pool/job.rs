//! An operation: as its worker sees it, without its types, and what it shares with its handle.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::error::JobError;
use super::stats::JobOutcome;
use crate::sync::Lock;
use crate::sync::panic::catch;

/// A task of any type, with what it returned once it has.
///
/// Dropped before its outcome was published, it tells its handle that it was abandoned.
pub trait Work {
    /// Runs the task. When it is ready, its future has been dropped, and its outcome can be published.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JobOutcome>;

    /// Drops the task.
    fn cancel(self: Pin<&mut Self>) -> JobOutcome;

    /// Hands the outcome to the handle. Runs no foreign code.
    fn publish(self: Pin<&mut Self>) -> Waiting;
}

pin_project! {
    #[project = StateProjection]
    enum State<Fut, O> {
        Running {
            #[pin]
            future: Fut,
        },
        Ended {
            outcome: Option<O>,
        },
    }
}

pin_project! {
    #[project = TaskProjection]
    pub struct Task<Fut, T, E> {
        #[pin]
        state: State<Fut, Outcome<T, E>>,
        published: bool,
        // Whether the slot knows whom to wake if the operation is cancelled.
        watched: bool,
        polling: bool,
        slot: Arc<Slot<T, E>>,
    }

    impl<Fut, T, E> PinnedDrop for Task<Fut, T, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if *this.published {
                return;
            }
            // First the future, then the handle: whoever reads that the operation is gone can rely on it.
            let _ = catch(|| this.state.set(State::Ended { outcome: None }));
            let waiting = this.slot.publish(Err(this.lost()));
            waiting.notify_caught();
        }
    }
}

impl<Fut, T, E> Task<Fut, T, E> {
    /// Puts a task where a worker can run it, with the slot for its handle.
    pub(super) fn boxed(future: Fut) -> (Arc<Slot<T, E>>, Pin<Box<Self>>) {
        let slot = Arc::new(Slot::new());
        let task = Self {
            state: State::Running { future },
            published: false,
            watched: false,
            polling: false,
            slot: slot.clone(),
        };
        (slot, Box::pin(task))
    }
}

impl<Fut, T, E> TaskProjection<'_, Fut, T, E> {
    /// Drops the future and keeps the outcome. A panic of the destructor outweighs anything but a panic before it.
    fn end(&mut self, result: Outcome<T, E>) -> JobOutcome {
        let outcome = match &result {
            Ok(_) => JobOutcome::Succeeded,
            Err(JobError::Failed(_)) => JobOutcome::Failed,
            Err(JobError::Panicked { .. }) => JobOutcome::Panicked,
            Err(JobError::Cancelled | JobError::Abandoned) => JobOutcome::Cancelled,
        };
        let mut result = Some(result);
        let dropped = catch(|| self.state.set(State::Ended { outcome: None }));
        if let (Err(panic), true) = (dropped, outcome != JobOutcome::Panicked) {
            let lost = result.replace(Err(panic.into()));
            let _ = catch(|| drop(lost));
            self.keep(result);
            return JobOutcome::Panicked;
        }
        self.keep(result);
        outcome
    }

    /// Keeps the outcome in place of the future that has been dropped.
    fn keep(&mut self, kept: Option<Outcome<T, E>>) {
        if let StateProjection::Ended { outcome } = self.state.as_mut().project() {
            *outcome = kept;
        }
    }

    /// What becomes of the handle if the outcome was never published.
    fn lost(&self) -> JobError<E> {
        #[cfg(not(feature = "std"))]
        if *self.polling {
            return crate::sync::panic::uncaught().into();
        }
        JobError::Abandoned
    }
}

impl<Fut, T, E> Work for Task<Fut, T, E>
where
    Fut: Future<Output = Result<T, E>>,
{
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JobOutcome> {
        let mut this = self.project();
        if this.slot.is_cancelled() {
            return Poll::Ready(this.end(Err(JobError::Cancelled)));
        }
        *this.polling = true;
        let polled = catch(|| match this.state.as_mut().project() {
            StateProjection::Running { future } => future.poll(cx),
            StateProjection::Ended { .. } => Poll::Pending,
        });
        *this.polling = false;
        let outcome = match polled {
            Ok(Poll::Pending) => {
                if !*this.watched {
                    *this.watched = true;
                    this.slot.watch(cx.waker());
                }
                if !this.slot.is_cancelled() {
                    return Poll::Pending;
                }
                Err(JobError::Cancelled)
            }
            Ok(Poll::Ready(result)) => result.map_err(JobError::Failed),
            Err(panic) => Err(panic.into()),
        };
        Poll::Ready(this.end(outcome))
    }

    fn cancel(self: Pin<&mut Self>) -> JobOutcome {
        self.project().end(Err(JobError::Cancelled))
    }

    fn publish(self: Pin<&mut Self>) -> Waiting {
        let this = self.project();
        if let StateProjection::Ended { outcome } = this.state.project() {
            if let Some(outcome) = outcome.take() {
                *this.published = true;
                return this.slot.publish(outcome);
            }
        }
        Waiting::default()
    }
}

/// What an operation ends with.
pub(super) type Outcome<T, E> = Result<T, JobError<E>>;

/// Those who are to be told of an outcome. Dropping a waker is foreign code, so both leave the lock.
#[derive(Debug, Default)]
pub struct Waiting {
    reader: Option<Waker>,
    worker: Option<Waker>,
}

impl Waiting {
    /// Wakes whoever waits for the outcome, and keeps panics of wakers.
    pub(super) fn notify_caught(self) {
        if self.reader.is_some() || self.worker.is_some() {
            let _ = catch(|| {
                if let Some(reader) = self.reader {
                    reader.wake();
                }
            });
        }
    }
}

#[derive(Debug)]
enum Cell<T, E> {
    Open(Waiting),
    Ended(Outcome<T, E>),
    Taken,
}

#[derive(Debug)]
pub(super) struct Slot<T, E> {
    cancelled: AtomicBool,
    cell: Lock<Cell<T, E>>,
}

impl<T, E> Slot<T, E> {
    pub(super) fn new() -> Self {
        Self {
            cancelled: AtomicBool::new(false),
            cell: Lock::new(Cell::Open(Waiting::default())),
        }
    }

    /// Keeps the outcome for the handle.
    pub(super) fn publish(&self, outcome: Outcome<T, E>) -> Waiting {
        self.cell.with(|cell| {
            match mem::replace(cell, Cell::Ended(outcome)) {
                Cell::Open(waiting) => waiting,
                // Not so: there is one outcome. But if it were, nothing foreign may be dropped here.
                other => {
                    mem::forget(other);
                    Waiting::default()
                }
            }
        })
    }

    /// Takes the outcome, or has `cx` be woken when there is one.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Outcome<T, E>> {
        enum Look<T> {
            Ended(T),
            Known,
            Unknown,
        }
        let look = self.cell.with(|cell| match cell {
            Cell::Open(waiting) => match &waiting.reader {
                Some(reader) if reader.will_wake(cx.waker()) => Look::Known,
                _ => Look::Unknown,
            },
            _ => Look::Ended(mem::replace(cell, Cell::Taken)),
        });
        let ended = match look {
            Look::Ended(ended) => ended,
            Look::Known => return Poll::Pending,
            Look::Unknown => {
                // Cloning a waker is foreign code.
                let mut reader = Some(cx.waker().clone());
                let ended = self.cell.with(|cell| match cell {
                    Cell::Open(waiting) => {
                        mem::swap(&mut waiting.reader, &mut reader);
                        None
                    }
                    _ => Some(mem::replace(cell, Cell::Taken)),
                });
                match ended {
                    Some(ended) => ended,
                    None => return Poll::Pending,
                }
            }
        };
        match ended {
            Cell::Ended(outcome) => Poll::Ready(outcome),
            _ => panic!("an `JobHandle` was polled after it had resolved"),
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.cell.with(|cell| !matches!(cell, Cell::Open(_)))
    }

    pub(super) fn is_taken(&self) -> bool {
        self.cell.with(|cell| matches!(cell, Cell::Taken))
    }

    /// Has the worker that runs the operation drop it.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        let worker = self.cell.with(|cell| match cell {
            Cell::Open(waiting) => waiting.worker.take(),
            _ => None,
        });
        if let Some(worker) = worker {
            worker.wake();
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Has `waker` be woken when the operation is cancelled. To be followed by a look at
    /// [`is_cancelled`](Self::is_cancelled): a cancellation before this does not wake it.
    pub(super) fn watch(&self, waker: &Waker) {
        let mut worker = Some(waker.clone());
        self.cell.with(|cell| {
            if let Cell::Open(waiting) = cell {
                mem::swap(&mut waiting.worker, &mut worker);
            }
        });
    }
}
