//! The handle of a job.

use alloc::sync::Arc;
use core::future::Future;
use core::ops::Deref;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use super::error::JobError;
use super::inner::Inner;
use super::job::JobOneshot;
use super::kind::{Kind, Local, Sendable};
use crate::sync::Oneshot;

/// A future of what a job of a [`Pool`](crate::Pool) returns.
///
/// It may be awaited anywhere, or not at all: dropping it lets the job run on, and drops what it returns.
///
/// | the job | the handle resolves with |
/// |---|---|
/// | returns `Ok(value)` | `Ok(value)` |
/// | returns `Err(error)` | [`Failed(error)`](JobError::Failed) |
/// | panics, or a destructor of it does | [`Panicked`](JobError::Panicked), with the message |
/// | is cancelled before it is started | [`Cancelled`](JobError::Cancelled), at once |
/// | is cancelled while it runs | [`Cancelled`](JobError::Cancelled), once its worker has dropped it |
/// | is cancelled when it has ended | as if it were not |
/// | is queued or running when the pool is shut down, or all clones of it are dropped | as if that were not |
/// | is running when the driver or its worker is dropped | [`Abandoned`](JobError::Abandoned) |
/// | is queued when the driver or the last worker is dropped | [`Abandoned`](JobError::Abandoned) |
/// | is never accepted | there is none: `execute` returns a [`PoolError`](crate::PoolError) |
///
/// When it resolves without a value, the future of the job has been dropped.
///
/// ```
/// use abreast::{JobError, pool};
///
/// # smol::block_on(async {
/// let (pool, mut driver) = pool(4);
/// let six = pool.execute(async { Ok::<_, ()>(6) })?;
/// let never = pool.execute(std::future::pending::<Result<(), ()>>())?;
/// never.cancel();
/// driver.run_until(async {
///     assert_eq!(six.await, Ok(6));
///     assert_eq!(never.await, Err(JobError::Cancelled));
/// })
/// .await;
/// # Ok::<_, abreast::PoolError>(())
/// # }).unwrap();
/// ```
///
/// # Cancel safety
/// Dropping it stops nothing. To stop the job, [`cancel`](Self::cancel) it, or have it cancelled
/// [on drop](Self::cancel_on_drop).
///
/// # Panics
/// If it is polled after it has resolved.
#[must_use = "dropping a handle lets the job run on, but what it returns is lost"]
pub struct JobHandle<T, E, K: Kind = Sendable> {
    /// `None` when it has resolved.
    result: Option<JobOneshot<T, E>>,
    inner: Arc<Inner<K>>,
    id: u64,
}

/// The handle of a job of a [`LocalPool`](crate::LocalPool).
pub type LocalJobHandle<T, E> = JobHandle<T, E, Local>;

impl<T, E, K: Kind> JobHandle<T, E, K> {
    pub(super) fn new(result: JobOneshot<T, E>, inner: Arc<Inner<K>>, id: u64) -> Self {
        Self {
            result: Some(result),
            inner,
            id,
        }
    }

    /// Cancels the job, unless it has ended.
    ///
    /// If it is queued, it leaves the queue and is dropped at once, by the caller. If it is running, its worker is
    /// woken to drop it: what it returns before that counts. A job may cancel itself or others.
    ///
    /// ```
    /// # use abreast::{JobError, pool};
    /// # smol::block_on(async {
    /// let (pool, driver) = pool(4);
    /// let never = pool.execute(std::future::pending::<Result<(), ()>>())?;
    /// never.cancel();
    /// assert_eq!(never.await, Err(JobError::Cancelled));
    /// assert_eq!((pool.queue_length(), pool.stats().total_cancelled), (0, 1));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    pub fn cancel(&self) {
        let Some(result) = &self.result else {
            return;
        };
        if !self.inner.cancel_queued(self.id) {
            result.cancel();
        }
    }

    /// Gives the job another [priority](crate::Pool::with_priority), if it is still in the queue; its age stays.
    ///
    /// Returns whether it was. A job that has been started, or has ended, is left as it is.
    ///
    /// ```
    /// use abreast::pool;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = pool(1);
    /// let slow = pool.execute(std::future::pending::<Result<(), ()>>())?;
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    ///
    /// // Now somebody waits for it.
    /// assert!(six.set_priority(5));
    /// assert_eq!(driver.run_until(six).await, Ok(6));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    pub fn set_priority(&self, priority: i32) -> bool {
        self.inner.state.set_priority(self.id, priority)
    }

    /// Makes the job depend on its handle: when what this returns is dropped, the job is cancelled.
    ///
    /// ```
    /// use abreast::pool;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = pool(4);
    /// let never = pool.execute(std::future::pending::<Result<(), ()>>())?.cancel_on_drop();
    /// drop(never);
    /// driver.run_until(pool.drain()).await;
    /// assert_eq!(pool.stats().total_cancelled, 1);
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    pub const fn cancel_on_drop(self) -> CancelOnDrop<T, E, K> {
        CancelOnDrop { handle: Some(self) }
    }

    /// Returns whether the job has ended.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let (pool, mut driver) = abreast::pool(4);
    /// let handle = pool.execute(async { Ok::<_, ()>(6) })?;
    /// assert!(!handle.is_finished());
    /// driver.run_until(pool.drain()).await;
    /// assert!(handle.is_finished());
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.result.as_ref().is_none_or(|result| result.is_ended())
    }

    /// Returns the number of the job in its pool (0-based, in the order in which jobs were accepted).
    ///
    /// ```
    /// let (pool, _driver) = abreast::pool(4);
    /// assert_eq!(pool.execute(async { Ok::<_, ()>(6) })?.id(), 0);
    /// assert_eq!(pool.execute(async { Ok::<_, ()>(7) })?.id(), 1);
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }
}

impl<T, E, K: Kind> Future for JobHandle<T, E, K> {
    type Output = Result<T, JobError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = self.result.as_ref();
        let shared = shared.expect("`JobHandle` was polled after it had resolved");
        // Often the job is gone by now. What it has left is then the handle's alone, and needs no lock.
        let result = if Arc::strong_count(shared) == 1 {
            let own = self.result.take().and_then(Arc::into_inner);
            own.and_then(Oneshot::into_value)
        } else {
            ready!(shared.poll(cx))
        };
        self.result = None;
        // Without `std`, the panic of a destructor may keep it from saying what has become of it.
        Poll::Ready(result.unwrap_or(Err(JobError::Abandoned)))
    }
}

impl_fused!(FusedFuture for JobHandle<T, E, K: Kind> |self| self.result.is_none());

impl_debug!(JobHandle<T, E, K: Kind> |self| { id: self.id, finished: self.is_finished() });

/// The handle of a job that is cancelled when this is dropped: see [`JobHandle::cancel_on_drop`].
///
/// It resolves as a [`JobHandle`] does, and has its methods. So a job ends with what has asked for it: with the future
/// that awaits it, say, when that loses a race or runs out of time.
///
/// ```
/// use abreast::{pool, timeout};
/// use std::time::Duration;
///
/// # smol::block_on(async {
/// let (pool, mut driver) = pool(4);
/// let never = pool.execute(std::future::pending::<Result<(), ()>>())?.cancel_on_drop();
/// let result = driver.run_until(timeout(Duration::from_millis(1), smol::Timer::after, never)).await;
/// assert!(result.is_err());
/// driver.run_until(pool.drain()).await;
/// assert_eq!(pool.stats().total_cancelled, 1);
/// # Ok::<_, abreast::PoolError>(())
/// # }).unwrap();
/// ```
///
/// # Cancel safety
/// Dropping it cancels the job, as [`JobHandle::cancel`] does, unless that has ended. To let go of it and let the job
/// run on, [`detach`](Self::detach) it.
///
/// # Panics
/// If it is polled after it has resolved. What a hook panics with that learns of the cancellation passes through to
/// whoever drops this.
#[must_use = "the job is cancelled when this is dropped"]
pub struct CancelOnDrop<T, E, K: Kind = Sendable> {
    /// `None` once it was detached.
    handle: Option<JobHandle<T, E, K>>,
}

impl<T, E, K: Kind> CancelOnDrop<T, E, K> {
    /// Lets the job run on when its handle is dropped, as it would without [`JobHandle::cancel_on_drop`].
    ///
    /// ```
    /// # smol::block_on(async {
    /// let (pool, mut driver) = abreast::pool(4);
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?.cancel_on_drop();
    /// drop(six.detach());
    /// driver.run_until(pool.drain()).await;
    /// assert_eq!(pool.stats().total_succeeded, 1);
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    pub fn detach(mut self) -> JobHandle<T, E, K> {
        self.handle.take().expect(THERE)
    }
}

const THERE: &str = "the handle is there until it is detached";

impl<T, E, K: Kind> Deref for CancelOnDrop<T, E, K> {
    type Target = JobHandle<T, E, K>;

    fn deref(&self) -> &JobHandle<T, E, K> {
        self.handle.as_ref().expect(THERE)
    }
}

impl<T, E, K: Kind> Drop for CancelOnDrop<T, E, K> {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.cancel();
        }
    }
}

impl<T, E, K: Kind> Future for CancelOnDrop<T, E, K> {
    type Output = Result<T, JobError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(self.handle.as_mut().expect(THERE)).poll(cx)
    }
}

impl_fused!(FusedFuture for CancelOnDrop<T, E, K: Kind> |self| self.result.is_none());

impl_debug!(CancelOnDrop<T, E, K: Kind> { handle });
