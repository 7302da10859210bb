//! An operation as its worker sees it, without its types.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::error::JobError;
use super::slot::{Outcome, Slot, Waiting};
use super::stats::JobOutcome;
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
    pub(super) fn new(future: Fut, slot: Arc<Slot<T, E>>) -> Self {
        Self {
            state: State::Running { future },
            published: false,
            watched: false,
            polling: false,
            slot,
        }
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

impl<Fut, T, E> Task<Fut, T, E> {
    pub(super) fn boxed(self) -> Pin<Box<Self>> {
        Box::pin(self)
    }
}
