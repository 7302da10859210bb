//! A stream of jobs that goes into a pool as workers become free.

use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use super::Pool;
use super::error::PoolError;
use super::inner::{Inner, wake, wake_accepted, wake_all};
use super::kind::{Job, Kind, Sendable};
use super::state::Reservation;

/// A stream that always has a job, and workers on other threads that are always free, do not keep a poll from its end: after
/// this many jobs it yields to the executor.
const JOBS_PER_POLL: usize = 64;

pin_project! {
    /// The future of [`Pool::feed`]. Dropping it drops the stream; what it has started runs on.
    #[must_use = "futures do nothing unless polled"]
    pub struct Feed<S: Stream, K: Kind = Sendable> {
        #[pin]
        stream: S,
        // Forgets the type of a task.
        erase: fn(S::Item) -> Job<K>,
        // `None` once it has resolved: it keeps the pool open no longer.
        pool: Option<Pool<K>>,
        // Its place in the line for a worker, while it waits.
        ticket: Option<u64>,
    }

    impl<S: Stream, K: Kind> PinnedDrop for Feed<S, K> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // Whoever waits behind it may be next now.
            if let (Some(pool), Some(_)) = (this.pool, &this.ticket) {
                let (next, _own) = pool.inner().state.leave_sources(this.ticket);
                wake(next);
            }
        }
    }
}

impl<S: Stream, K: Kind> Feed<S, K> {
    pub(super) fn new(stream: S, erase: fn(S::Item) -> Job<K>, pool: Pool<K>) -> Self {
        Self {
            stream,
            erase,
            pool: Some(pool),
            ticket: None,
        }
    }
}

impl<S: Stream, K: Kind> Future for Feed<S, K> {
    type Output = Result<(), PoolError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let pool = this.pool.as_ref();
        let inner = pool
            .expect("`Feed` was polled after it had resolved")
            .inner();
        for _ in 0..JOBS_PER_POLL {
            // Without a free worker, the stream is not asked.
            let mut waker = Some(cx.waker().clone());
            let (reservation, _own) = inner.state.reserve(this.ticket, &mut waker);
            let reserved = match reservation {
                Reservation::Granted => Reserved(inner),
                Reservation::Wait => return Poll::Pending,
                Reservation::Refused(refusal) => {
                    *this.pool = None;
                    return Poll::Ready(Err(refusal.into()));
                }
            };
            // The stream is foreign code, so no lock is held here. The worker stays reserved until the stream has answered, or has panicked.
            match ready!(this.stream.as_mut().poll_next(cx)) {
                Some(task) => reserved.accept((this.erase)(task)),
                None => {
                    drop(reserved);
                    *this.pool = None;
                    return Poll::Ready(Ok(()));
                }
            }
        }
        // It has had its turn, and there may be more.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A worker that is reserved. Dropped, it is free again.
struct Reserved<'a, K: Kind>(&'a Inner<K>);

impl<K: Kind> Reserved<'_, K> {
    fn accept(self, job: Job<K>) {
        match self.0.state.accept_reserved(self.0.queued(job)) {
            Ok((accepted, leaving)) => {
                // It is a job now.
                mem::forget(self);
                wake_accepted(accepted);
                wake_all(leaving);
            }
            // All workers have left while the stream was asked. The reservation ends after the job.
            Err(job) => drop(job),
        }
    }
}

impl<K: Kind> Drop for Reserved<'_, K> {
    fn drop(&mut self) {
        let released = self.0.state.release();
        wake(released.source);
        wake_all(released.leaving);
        if released.is_idle {
            self.0.notify_idle();
        }
    }
}

impl_debug!(Feed<S: Stream, K: Kind> { ticket });
impl_fused!(FusedFuture for Feed<S: Stream, K: Kind> |self| self.pool.is_none());
