//! An operation as its worker sees it, without its types.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::error::OperationError;
use super::panic::catch;
use super::slot::{Outcome, Slot, Waiting};
use super::stats::Ending;

/// A task of any type, with what it returned once it has.
///
/// Dropped before its outcome was published, it tells its handle that it was abandoned.
pub trait Work {
    /// Runs the task. When it is ready, its future has been dropped, and its outcome can be published.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ending>;

    /// Drops the task.
    fn cancel(self: Pin<&mut Self>) -> Ending;

    /// Hands the outcome to the handle. Runs no foreign code.
    fn publish(self: Pin<&mut Self>) -> Waiting;
}

pin_project! {
    #[project = TaskProjection]
    pub struct Task<Fut, T, E> {
        #[pin]
        future: Option<Fut>,
        outcome: Option<Outcome<T, E>>,
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
            let _ = catch(|| this.future.set(None));
            let waiting = this.slot.publish(Err(this.lost()));
            let _ = catch(|| waiting.notify());
        }
    }
}

impl<Fut, T, E> Task<Fut, T, E> {
    pub(super) fn new(future: Fut, slot: Arc<Slot<T, E>>) -> Self {
        Self {
            future: Some(future),
            outcome: None,
            published: false,
            watched: false,
            polling: false,
            slot,
        }
    }
}

impl<Fut, T, E> TaskProjection<'_, Fut, T, E> {
    /// Drops the future and keeps the outcome. A panic of the destructor outweighs anything but a panic before it.
    fn end(&mut self, outcome: Outcome<T, E>) -> Ending {
        let dropped = catch(|| self.future.set(None));
        let outcome = match (dropped, outcome) {
            (Ok(()), outcome) | (Err(_), outcome @ Err(OperationError::Panicked { .. })) => outcome,
            (Err(panic), outcome) => {
                let _ = catch(|| drop(outcome));
                Err(panic.into())
            }
        };
        let ending = match &outcome {
            Ok(_) => Ending::Succeeded,
            Err(OperationError::Failed(_)) => Ending::Failed,
            Err(OperationError::Panicked { .. }) => Ending::Panicked,
            Err(OperationError::Cancelled | OperationError::Abandoned) => Ending::Cancelled,
        };
        *self.outcome = Some(outcome);
        ending
    }

    /// What becomes of the handle if the outcome was never published.
    fn lost(&self) -> OperationError<E> {
        #[cfg(not(feature = "std"))]
        if *self.polling {
            return super::panic::uncaught().into();
        }
        OperationError::Abandoned
    }
}

impl<Fut, T, E> Work for Task<Fut, T, E>
where
    Fut: Future<Output = Result<T, E>>,
{
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ending> {
        let mut this = self.project();
        if this.slot.is_cancelled() {
            return Poll::Ready(this.end(Err(OperationError::Cancelled)));
        }
        *this.polling = true;
        let polled = catch(|| {
            let future = this.future.as_mut().as_pin_mut();
            future.expect("it has not ended").poll(cx)
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
                Err(OperationError::Cancelled)
            }
            Ok(Poll::Ready(result)) => result.map_err(OperationError::Failed),
            Err(panic) => Err(panic.into()),
        };
        Poll::Ready(this.end(outcome))
    }

    fn cancel(self: Pin<&mut Self>) -> Ending {
        self.project().end(Err(OperationError::Cancelled))
    }

    fn publish(self: Pin<&mut Self>) -> Waiting {
        let this = self.project();
        match this.outcome.take() {
            Some(outcome) => {
                *this.published = true;
                this.slot.publish(outcome)
            }
            None => Waiting::default(),
        }
    }
}

impl Waiting {
    /// Wakes whoever waits for the outcome. Foreign code.
    pub(super) fn notify(self) {
        if let Some(reader) = self.reader {
            reader.wake();
        }
    }
}

impl<Fut, T, E> Task<Fut, T, E> {
    pub(super) fn boxed(self) -> Pin<Box<Self>> {
        Box::pin(self)
    }
}
