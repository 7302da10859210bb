//! The futures that wait for a pool: to be idle, or to have room.

use alloc::sync::Arc;
use core::future::Future;

use core::pin::Pin;
use core::task::{Context, Poll, ready};

use event_listener::{Event, EventListener};

use super::Pool;
use super::error::PoolError;
use super::handle::JobHandle;
use super::inner::{Inner, wake, wake_accepted, wake_all};
use super::job::JobOneshot;
use super::kind::{Job, Kind, Sendable};
use super::state::Refusal;

/// Makes an `attempt` now and each time that `event` is notified, until it gives something.
fn poll_until<T>(
    listener: &mut Option<EventListener>,
    event: &Event,
    cx: &mut Context<'_>,
    mut attempt: impl FnMut() -> Option<T>,
) -> Poll<T> {
    loop {
        // A notification is used up before the attempt that it is for, or it would be passed on.
        if let Some(listening) = listener {
            ready!(Pin::new(listening).poll(cx));
            *listener = None;
        }
        if let Some(value) = attempt() {
            return Poll::Ready(value);
        }
        // Another attempt comes after this, so what it waits for cannot be missed.
        let listening = event.listen();
        if let Some(value) = attempt() {
            return Poll::Ready(value);
        }
        *listener = Some(listening);
    }
}

/// The future of [`Pool::drain`]. While it is there, the pool accepts nothing.
#[must_use = "dropping a drain ends it"]
pub struct Drain<K: Kind = Sendable> {
    inner: Arc<Inner<K>>,
    listener: Option<EventListener>,
    done: bool,
}

impl<K: Kind> Drain<K> {
    pub(super) fn new(inner: Arc<Inner<K>>) -> Self {
        wake_all(inner.state.begin_drain());
        Self {
            inner,
            listener: None,
            done: false,
        }
    }
}

impl<K: Kind> Future for Drain<K> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(());
        }
        let inner = &*this.inner;
        let ended = poll_until(&mut this.listener, &inner.idle, cx, || {
            inner.state.try_end_drain()
        });
        let woken = ready!(ended);
        this.done = true;
        wake_all(woken);
        Poll::Ready(())
    }
}

impl<K: Kind> Drop for Drain<K> {
    fn drop(&mut self) {
        if !self.done {
            wake_all(self.inner.state.end_drain());
        }
    }
}

/// The future of [`Pool::shutdown`]. The pool stays closed without it.
#[must_use = "the pool is closed now, but what was accepted may be running still"]
pub struct Shutdown<K: Kind = Sendable> {
    inner: Arc<Inner<K>>,
    listener: Option<EventListener>,
    done: bool,
}

impl<K: Kind> Shutdown<K> {
    pub(super) fn new(inner: Arc<Inner<K>>) -> Self {
        inner.close();
        Self {
            inner,
            listener: None,
            done: false,
        }
    }
}

impl<K: Kind> Future for Shutdown<K> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.done {
            return Poll::Ready(());
        }
        let inner = &*this.inner;
        let ended = poll_until(&mut this.listener, &inner.idle, cx, || {
            inner.state.is_idle().then_some(())
        });
        this.done = ended.is_ready();
        ended
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

impl_fused!(FusedFuture for Drain<K: Kind> |self| self.done);
impl_fused!(FusedFuture for Shutdown<K: Kind> |self| self.done);
impl_fused!(FusedFuture for ExecuteWhenRoom<T, E, K: Kind> |self| self.job.is_none());

impl_debug!(Drain<K: Kind> { done });
impl_debug!(Shutdown<K: Kind> { done });
impl_debug!(ExecuteWhenRoom<T, E, K: Kind> { ticket });
