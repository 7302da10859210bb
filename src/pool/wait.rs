//! The futures that wait for a pool: to be idle, or to have room.

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use event_listener::EventListener;

use super::Pool;
use super::error::PoolError;
use super::handle::JobHandle;
use super::inner::{Inner, wake, wake_accepted, wake_all};
use super::job::JobOneshot;
use super::kind::{Job, Kind, Sendable};
use super::state::Refusal;

/// Waits for a pool to be idle.
struct UntilIdle<K: Kind> {
    inner: Arc<Inner<K>>,
    /// There while it waits for the pool to become idle, since the last attempt.
    listener: Option<EventListener>,
    done: bool,
}

impl<K: Kind> UntilIdle<K> {
    fn new(inner: Arc<Inner<K>>) -> Self {
        Self {
            inner,
            listener: None,
            done: false,
        }
    }

    /// Makes an `attempt` now and each time that the pool becomes idle, until it gives something: then this is done.
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        attempt: impl Fn(&Inner<K>) -> Option<T>,
    ) -> Poll<T> {
        let value = loop {
            // A notification is used up before the attempt that it is for, or it would be passed on.
            if let Some(listening) = &mut self.listener {
                ready!(Pin::new(listening).poll(cx));
                self.listener = None;
            }
            if let Some(value) = attempt(&self.inner) {
                break value;
            }
            // Another attempt comes after this, so what it waits for cannot be missed.
            let listening = self.inner.idle.listen();
            if let Some(value) = attempt(&self.inner) {
                break value;
            }
            self.listener = Some(listening);
        };
        self.done = true;
        Poll::Ready(value)
    }
}

/// The future of [`Pool::drain`]. While it is there, the pool accepts nothing.
#[must_use = "dropping a drain ends it"]
pub struct Drain<K: Kind = Sendable> {
    until: UntilIdle<K>,
}

impl<K: Kind> Drain<K> {
    pub(super) fn new(inner: Arc<Inner<K>>) -> Self {
        wake_all(inner.state.begin_drain());
        let until = UntilIdle::new(inner);
        Self { until }
    }
}

impl<K: Kind> Future for Drain<K> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.until.done {
            let woken = self.until.poll(cx, |inner| inner.state.try_end_drain());
            wake_all(ready!(woken));
        }
        Poll::Ready(())
    }
}

impl<K: Kind> Drop for Drain<K> {
    fn drop(&mut self) {
        if !self.until.done {
            wake_all(self.until.inner.state.end_drain());
        }
    }
}

/// The future of [`Pool::shutdown`]. The pool stays closed without it.
#[must_use = "the pool is closed now, but what was accepted may be running still"]
pub struct Shutdown<K: Kind = Sendable> {
    until: UntilIdle<K>,
}

impl<K: Kind> Shutdown<K> {
    pub(super) fn new(inner: Arc<Inner<K>>) -> Self {
        inner.close();
        let until = UntilIdle::new(inner);
        Self { until }
    }

    pub(super) const fn inner(&self) -> &Arc<Inner<K>> {
        &self.until.inner
    }
}

impl<K: Kind> Future for Shutdown<K> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.until.done {
            Poll::Ready(())
        } else {
            self.until
                .poll(cx, |inner| inner.state.is_idle().then_some(()))
        }
    }
}

/// The future of [`Pool::execute_when_room`]. Dropping it drops the task, unless it has resolved.
#[must_use = "futures do nothing unless polled"]
pub struct ExecuteWhenRoom<T, E, K: Kind = Sendable> {
    pool: Pool<K>,
    result: JobOneshot<T, E>,
    /// `None` once it has resolved.
    job: Option<Job<K>>,
    /// Its place in the line, while it waits.
    ticket: Option<u64>,
}

impl<T, E, K: Kind> ExecuteWhenRoom<T, E, K> {
    pub(super) fn new(pool: Pool<K>, result: JobOneshot<T, E>, job: Job<K>) -> Self {
        Self {
            pool,
            result,
            job: Some(job),
            ticket: None,
        }
    }
}

impl<T, E, K: Kind> Future for ExecuteWhenRoom<T, E, K> {
    type Output = Result<JobHandle<T, E, K>, PoolError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let inner = this.pool.inner();
        let job = this.job.take();
        let job = job.expect("`ExecuteWhenRoom` was polled after it had resolved");
        // Cloned before the lock is taken, and what is left over dropped after it: both are foreign code.
        let mut waker = Some(cx.waker().clone());
        let (accepted, _own) =
            inner
                .state
                .accept_in_turn(inner.queued(job), &mut this.ticket, &mut waker);
        match accepted {
            Ok(accepted) => {
                let id = wake_accepted(accepted);
                Poll::Ready(Ok(JobHandle::new(this.result.clone(), inner.clone(), id)))
            }
            Err((Refusal::Full, queued)) => {
                this.job = Some(queued.job);
                Poll::Pending
            }
            Err((refusal, _)) => Poll::Ready(Err(refusal.into())),
        }
    }
}

/// Whoever waits behind it may be next now.
impl<T, E, K: Kind> Drop for ExecuteWhenRoom<T, E, K> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let state = &self.pool.inner().state;
            let (next, _own) = state.leave_room(&mut self.ticket);
            wake(next);
        }
    }
}

impl<T, E, K: Kind> Unpin for ExecuteWhenRoom<T, E, K> {}

impl_fused!(FusedFuture for Drain<K: Kind> |self| self.until.done);
impl_fused!(FusedFuture for Shutdown<K: Kind> |self| self.until.done);
impl_fused!(FusedFuture for ExecuteWhenRoom<T, E, K: Kind> |self| self.job.is_none());

impl_debug!(Drain<K: Kind> |self| { done: self.until.done });
impl_debug!(Shutdown<K: Kind> |self| { done: self.until.done });
impl_debug!(ExecuteWhenRoom<T, E, K: Kind> { ticket });
