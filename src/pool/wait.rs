//! The futures that wait for a pool: to be idle, or to have room.

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use event_listener::EventListener;

use super::error::PoolError;
use super::handle::JobHandle;
use super::inner::{Inner, wake, wake_accepted, wake_all};
use super::job::{JobOneshot, Task};
use super::kind::{Job, Kind, Local, Sendable};
use super::pool::{LocalPool, Pool};
use super::span::JobSpan;
use super::state::Refusal;

impl<K: Kind> Pool<K> {
    /// Accepts no more, and resolves when nothing is queued or running.
    ///
    /// It begins at the call. When it resolves or is dropped, and there is no other drain, the pool accepts again. If
    /// the driver is dropped, it resolves.
    ///
    /// A job that waits for a drain of its own pool waits for itself.
    ///
    /// ```
    /// use abreast::{PoolError, pool};
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = pool(4);
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// let drain = pool.drain();
    /// assert_eq!(pool.execute(async { Ok::<_, ()>(7) }).unwrap_err(), PoolError::Draining);
    ///
    /// driver.run_until(drain).await;
    /// assert!(six.is_finished());
    /// assert!(pool.execute(async { Ok::<_, ()>(7) }).is_ok());
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    pub fn drain(&self) -> Drain<K> {
        Drain::new(self.inner().clone())
    }

    /// Accepts no more for good, and resolves when everything that was accepted has ended. The driver then resolves
    /// too.
    ///
    /// The pool is closed at the call; the future only waits. It may be called many times, from many tasks, and each
    /// future resolves. If the driver is dropped, they resolve. To wait no longer than some time, and then drop what is
    /// left, see [`Shutdown::within`].
    ///
    /// ```
    /// use abreast::{PoolError, pool};
    ///
    /// # smol::block_on(async {
    /// let (pool, driver) = pool(4);
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// let shutdown = pool.shutdown();
    /// assert_eq!(pool.execute(async { Ok::<_, ()>(7) }).unwrap_err(), PoolError::Closed);
    ///
    /// futures::join!(driver, shutdown);
    /// assert_eq!(six.await, Ok(6));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    pub fn shutdown(&self) -> Shutdown<K> {
        Shutdown::new(self.inner().clone())
    }
}

impl Pool {
    /// Accepts a job when the queue has room for it.
    ///
    /// ```
    /// use abreast::Pool;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = Pool::builder().queue_capacity(1).build();
    /// let mut handles = Vec::new();
    /// driver.run_until(async {
    ///     for n in 0..100 {
    ///         handles.push(pool.execute_when_room(async move { Ok::<_, ()>(n) }).await?);
    ///     }
    ///     Ok::<_, abreast::PoolError>(())
    /// })
    /// .await
    /// # })?;
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    ///
    /// # Errors
    /// As for [`execute`](Self::execute), but never [`Full`](PoolError::Full). What becomes the case while it waits is
    /// an error too.
    ///
    /// # Order
    /// Whoever waits is served in order, and keeps its place when [`execute`](Self::execute) takes the room first. A
    /// future that is next but is neither polled nor dropped holds up those behind it.
    ///
    /// # Cancel safety
    /// The job is accepted when the future resolves, not before. Dropping it until then drops the task.
    pub fn execute_when_room<Fut, T, E>(&self, task: Fut) -> ExecuteWhenRoom<T, E>
    where
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.execute_when_room_in(task, JobSpan::submitted())
    }

    /// Accepts a job when there is room, whose span is this.
    #[inline(always)]
    pub(crate) fn execute_when_room_in<Fut, T, E>(
        &self,
        task: Fut,
        span: JobSpan,
    ) -> ExecuteWhenRoom<T, E>
    where
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let (result, job) = Task::with_handle(task, span);
        ExecuteWhenRoom::new(self.clone(), result, job)
    }
}

impl LocalPool {
    /// Accepts a job when the queue has room for it: the same as [`Pool::execute_when_room`], but the task need not
    /// be `Send`.
    ///
    /// # Errors
    /// As for [`Pool::execute_when_room`].
    pub fn execute_when_room<Fut, T, E>(&self, task: Fut) -> ExecuteWhenRoom<T, E, Local>
    where
        Fut: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: 'static,
    {
        let (result, job) = Task::with_handle(task, JobSpan::submitted());
        ExecuteWhenRoom::new(self.clone(), result, job)
    }
}

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

    pub(super) const fn inner(&self) -> &Arc<Inner<K>> {
        &self.until.inner
    }

    /// Lets the pool accept again, unless the drain is over already.
    pub(super) fn end(&mut self) {
        if !self.until.done {
            self.until.done = true;
            wake_all(self.until.inner.state.end_drain());
        }
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
        self.end();
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
        let (accepted, _own) = inner.state.accept_in_turn(
            inner.queued(job),
            this.pool.priority(),
            &mut this.ticket,
            &mut waker,
        );
        match accepted {
            Ok(accepted) => {
                let id = wake_accepted(accepted);
                Poll::Ready(Ok(JobHandle::new(this.result.clone(), inner.clone(), id)))
            }
            // It is in line now, with its ticket.
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
