//! The handle of a job.

use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::error::JobError;
use super::inner::Inner;
use super::job::JobOneshot;
use super::kind::{Kind, Local, Sendable};

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
/// Dropping it stops nothing. To stop the job, [`cancel`](Self::cancel) it.
///
/// # Panics
/// If it is polled after it has resolved.
#[must_use = "dropping a handle lets the job run on, but nobody learns what it returns"]
pub struct JobHandle<T, E, K: Kind = Sendable> {
    result: JobOneshot<T, E>,
    inner: Arc<Inner<K>>,
    id: u64,
}

/// The handle of a job of a [`LocalPool`](crate::LocalPool).
pub type LocalJobHandle<T, E> = JobHandle<T, E, Local>;

impl<T, E, K: Kind> JobHandle<T, E, K> {
    pub(super) fn new(result: JobOneshot<T, E>, inner: Arc<Inner<K>>, id: u64) -> Self {
        Self { result, inner, id }
    }

    /// Cancels the job, unless it has ended.
    ///
    /// If it is queued, it leaves the queue and is dropped at once, by the caller. If it is running, its worker is woken
    /// to drop it: what it returns before that counts. A job may cancel itself or others.
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
        if !self.inner.cancel_queued(self.id) {
            self.result.cancel();
        }
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
        self.result.is_ended()
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

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.result
            .poll(cx)
            .map(|result| result.expect("`JobHandle` was polled after it had resolved"))
    }
}

impl_fused!(FusedFuture for JobHandle<T, E, K: Kind> |self| self.result.is_closed());

impl_debug!(JobHandle<T, E, K: Kind> |self| { id: self.id, finished: self.is_finished() });
