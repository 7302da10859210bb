//! A job as its worker sees it: without the types of its task.
//!
//! ```text
//!             returned, cancelled, panicked                publish
//!   Running -------------------------------> Ended ---------------------> Published
//!      |         the future is dropped         |    the handle has it         |
//!      |                                       |                              |
//!      '------------------ dropped ------------'                           dropped
//!            the handle learns that it was abandoned              the handle is woken
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::error::JobError;
use super::span::JobSpan;
use super::stats::JobOutcome;
use crate::sync::Oneshot;
use crate::sync::oneshot::Wakers;
use crate::sync::panic::catch;

/// What the handle of a job resolves to.
pub(super) type JobResult<T, E> = Result<T, JobError<E>>;

/// What a job and its handle share.
pub(super) type JobOneshot<T, E> = Arc<Oneshot<JobResult<T, E>>>;

/// A task of any type, and what it returned once it has.
///
/// Dropped after its result was published, it wakes its handle. Dropped before that, it tells its handle that it was
/// abandoned.
pub trait Work {
    /// Notes the id of the job for its span, which is opened at the first poll. Runs no foreign code.
    #[cfg(feature = "tracing")]
    fn set_id(self: Pin<&mut Self>, id: u64);

    /// Runs the task. When it is ready, its future has been dropped, and its result can be published.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JobOutcome>;

    /// Drops the task.
    fn cancel(self: Pin<&mut Self>) -> JobOutcome;

    /// Hands the result to the handle. Runs no foreign code: the handle is woken when this is dropped.
    fn publish(self: Pin<&mut Self>);
}

pin_project! {
    #[project = StateProjection]
    enum State<Fut, R> {
        Running {
            #[pin]
            future: Fut,
        },
        // The future has been dropped. The result is here until it is published.
        Ended {
            result: Option<R>,
        },
        // The handle has the result. These were its wakers.
        Published {
            wakers: Wakers,
        },
    }
}

pin_project! {
    #[project = TaskProjection]
    pub(super) struct Task<Fut, T, E> {
        #[pin]
        state: State<Fut, JobResult<T, E>>,
        // `None` if the result goes nowhere.
        handle: Option<JobOneshot<T, E>>,
        // Whether the handle knows which waker to wake when it is cancelled.
        watched: bool,
        polling: Polling,
    }

    impl<Fut, T, E> PinnedDrop for Task<Fut, T, E> {
        fn drop(mut this: Pin<&mut Self>) {
            let wakers = match this.as_mut().project().state.project() {
                StateProjection::Published { wakers } => mem::take(wakers),
                _ => this.project().abandon(),
            };
            if let Some(handle) = wakers.handle {
                let _ = catch(|| handle.wake());
            }
        }
    }
}

/// What concerns the polls of a job. One field of it, as each costs some instructions in every call.
struct Polling {
    /// Whether a poll has begun and not returned: it may have panicked.
    is_polled: bool,
    span: JobSpan,
}

impl<Fut, T, E> Task<Fut, T, E> {
    /// Creates a job, and what its handle reads.
    #[inline]
    pub(super) fn with_handle(future: Fut, span: JobSpan) -> (JobOneshot<T, E>, Pin<Box<Self>>) {
        let handle = Arc::new(Oneshot::new());
        (handle.clone(), Self::new(future, Some(handle), span))
    }

    /// Creates a job whose result goes nowhere.
    pub(super) fn detached(future: Fut) -> Pin<Box<Self>> {
        Self::new(future, None, JobSpan::submitted())
    }

    #[inline]
    fn new(future: Fut, handle: Option<JobOneshot<T, E>>, span: JobSpan) -> Pin<Box<Self>> {
        Box::pin(Self {
            state: State::Running { future },
            handle,
            watched: false,
            polling: Polling {
                is_polled: false,
                span,
            },
        })
    }
}

impl<Fut, T, E> TaskProjection<'_, Fut, T, E> {
    fn is_cancelled(&self) -> bool {
        self.handle
            .as_ref()
            .is_some_and(|handle| handle.is_cancelled())
    }

    /// Drops the future, and keeps the result. A panic of the destructor outweighs anything but a panic before it.
    #[cold]
    fn end(&mut self, result: JobResult<T, E>) -> JobOutcome {
        let dropped = catch(|| self.state.set(State::Ended { result: None }));
        match dropped {
            Err(panic) if !matches!(result, Err(JobError::Panicked { .. })) => {
                let _ = catch(|| drop(result));
                self.keep(Err(panic.into()))
            }
            _ => self.keep(result),
        }
    }

    /// Keeps the result, in place of the future that has been dropped.
    #[inline]
    fn keep(&mut self, kept: JobResult<T, E>) -> JobOutcome {
        let outcome = match &kept {
            Ok(_) => JobOutcome::Succeeded,
            Err(JobError::Failed(_)) => JobOutcome::Failed,
            Err(JobError::Panicked { .. }) => JobOutcome::Panicked,
            Err(JobError::Cancelled | JobError::Abandoned) => JobOutcome::Cancelled,
        };
        self.polling.span.end(Some(outcome));
        // Without a handle nobody will take it, and its destructor is foreign code.
        match (self.state.as_mut().project(), &self.handle) {
            (StateProjection::Ended { result }, Some(_)) => *result = Some(kept),
            _ => drop(catch(|| drop(kept))),
        }
        outcome
    }

    /// Drops the future, and tells the handle that the job is gone.
    #[cold]
    fn abandon(&mut self) -> Wakers {
        // In this order, so that whoever reads it can rely on it.
        let _ = catch(|| self.state.set(State::Ended { result: None }));
        let error = self.error_of_dropped();
        let _ = catch(|| self.polling.span.end(None));
        match &self.handle {
            Some(handle) => handle.send(Err(error)),
            None => Wakers::default(),
        }
    }

    /// Returns the error of a job that is dropped before it has a result.
    fn error_of_dropped(&self) -> JobError<E> {
        #[cfg(not(feature = "std"))]
        if self.polling.is_polled {
            return crate::sync::panic::uncaught().into();
        }
        JobError::Abandoned
    }
}

impl<Fut, T, E> Work for Task<Fut, T, E>
where
    Fut: Future<Output = Result<T, E>>,
{
    #[cfg(feature = "tracing")]
    fn set_id(self: Pin<&mut Self>, id: u64) {
        self.project().polling.span.set_id(id);
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JobOutcome> {
        let mut this = self.project();
        // Cancelled since the last poll: it is not polled again.
        if this.is_cancelled() {
            return Poll::Ready(this.end(Err(JobError::Cancelled)));
        }
        // The future is dropped at once when it is ready, under the same guard against panics.
        let mut returned = None;
        this.polling.is_polled = true;
        let caught = catch(|| {
            this.polling.span.in_scope(|| {
                if let StateProjection::Running { future } = this.state.as_mut().project() {
                    if let Poll::Ready(result) = future.poll(cx) {
                        returned = Some(result);
                        this.state.set(State::Ended { result: None });
                    }
                }
            });
        });
        this.polling.is_polled = false;
        let result = match (caught, returned) {
            (Ok(()), Some(result)) => {
                return Poll::Ready(this.keep(result.map_err(JobError::Failed)));
            }
            (Err(panic), returned) => {
                // If it had returned, its destructor has panicked: that outweighs what it returned.
                let _ = catch(|| drop(returned));
                Err(panic.into())
            }
            (Ok(()), None) => {
                // A cancellation before this look is seen by it, and one after it wakes the worker.
                if let (Some(handle), false) = (&this.handle, *this.watched) {
                    *this.watched = true;
                    handle.watch(cx.waker());
                }
                if !this.is_cancelled() {
                    return Poll::Pending;
                }
                Err(JobError::Cancelled)
            }
        };
        Poll::Ready(this.end(result))
    }

    fn cancel(self: Pin<&mut Self>) -> JobOutcome {
        self.project().end(Err(JobError::Cancelled))
    }

    fn publish(self: Pin<&mut Self>) {
        let mut this = self.project();
        let result = match this.state.as_mut().project() {
            StateProjection::Ended { result } => result.take(),
            _ => None,
        };
        let wakers = match (&this.handle, result) {
            (Some(handle), Some(result)) => handle.send(result),
            _ => Wakers::default(),
        };
        this.state.set(State::Published { wakers });
    }
}
