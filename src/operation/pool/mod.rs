//! A pool of operations with settings in common.

mod builder;
mod shared;

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;

pub use builder::{OperationPoolBuilder, create_pool};
use shared::{Or, Settings, Settled};

use super::Operation;
use super::hooks::Hooks;
use super::outcome::{OperationFailure, State};
use super::source::Sources;
use super::telemetry::{AggregatedTelemetry, Telemetry};
use super::waits::{Unset, Waits};
use crate::pool::{Drain, ExecuteWhenRoom, JobHandle, Pool, PoolError, PoolStats, Shutdown};
use crate::sync::Lock;

/// A [`Pool`] of operations with settings in common. Clones are the same pool.
///
/// Each setting that an operation has made itself wins over that of the pool: its retries, its timeouts, its timer, its
/// guardrails, its context, and its handler of events.
///
/// ```
/// use abreast::operation::{Operation, create_pool};
/// use futures::stream;
///
/// # smol::block_on(async {
/// let (pool, mut driver) = create_pool(3).build();
/// let ask = |task: &'static str| Operation::new(move || stream::iter([Ok::<_, String>(task)]));
/// let one = pool.execute(ask("Task 1"))?;
/// let two = pool.execute(ask("Task 2"))?;
/// driver.run_until(pool.drain()).await;
///
/// assert_eq!(one.await.unwrap().content, "Task 1");
/// assert_eq!(two.await.unwrap().content, "Task 2");
/// assert_eq!(pool.telemetry().total_tokens, 2);
/// # Ok::<_, abreast::PoolError>(())
/// # }).unwrap();
/// ```
///
/// In a field of yours, the type names what the pool shares:
///
/// ```
/// use abreast::operation::{By, OperationPool, Retry, Timeout, create_pool};
/// use std::time::{Duration, Instant};
///
/// struct App {
///     pool: OperationPool<Retry, Timeout, By<fn(Duration) -> smol::Timer>>,
/// }
///
/// let (pool, driver) = create_pool(3)
///     .shared_retry(Retry::recommended())
///     .shared_timeout(Timeout::inter_token(Duration::from_secs(30)))
///     .timer(smol::Timer::after as fn(Duration) -> smol::Timer)
///     .build();
/// let app = App { pool };
/// ```
pub struct OperationPool<R = Unset, T = Unset, M = Unset> {
    pool: Pool,
    settings: Arc<Settings<R, T, M>>,
    telemetry: Arc<Lock<AggregatedTelemetry>>,
}

/// The handle of an operation on streams that fail with `E`.
type Handle<E> = JobHandle<State, OperationFailure<E>>;

impl<R2, T2, M2> OperationPool<R2, T2, M2> {
    fn new(pool: Pool, settings: Settings<R2, T2, M2>) -> Self {
        Self {
            pool,
            settings: Arc::new(settings),
            telemetry: Arc::new(Lock::new(AggregatedTelemetry::default())),
        }
    }

    /// Accepts an operation at once, to be started when a worker is free.
    ///
    /// For an example, see [`create_pool`].
    ///
    /// # Errors
    /// As for [`Pool::execute`].
    pub fn execute<S, C, R, T, M, O>(
        &self,
        operation: Operation<S, C, R, T, M, O>,
    ) -> Result<Handle<S::Error>, PoolError>
    where
        S: Sources<Error: Send + 'static>,
        R: Or<Arc<R2>>,
        T: Or<T2>,
        M: Waits + Or<Arc<M2>, Setting: Waits>,
        O: Hooks,
        Settled<S, C, R, T, M, O, R2, T2, M2>:
            Future<Output = Result<State, OperationFailure<S::Error>>> + Send + 'static,
    {
        let operation = self.settings.settle(operation);
        self.pool
            .execute(counted(operation, self.telemetry.clone()))
    }

    /// Accepts an operation when the queue has room for it.
    ///
    /// ```
    /// use abreast::operation::{Operation, create_pool};
    /// use futures::stream;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = create_pool(3).queue_capacity(1).build();
    /// let operation = Operation::new(|| stream::iter([Ok::<_, String>("Hello")]));
    /// let handle = driver.run_until(pool.execute_when_room(operation)).await?;
    /// assert_eq!(driver.run_until(handle).await.unwrap().content, "Hello");
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As for [`Pool::execute_when_room`].
    pub fn execute_when_room<S, C, R, T, M, O>(
        &self,
        operation: Operation<S, C, R, T, M, O>,
    ) -> ExecuteWhenRoom<State, OperationFailure<S::Error>>
    where
        S: Sources<Error: Send + 'static>,
        R: Or<Arc<R2>>,
        T: Or<T2>,
        M: Waits + Or<Arc<M2>, Setting: Waits>,
        O: Hooks,
        Settled<S, C, R, T, M, O, R2, T2, M2>:
            Future<Output = Result<State, OperationFailure<S::Error>>> + Send + 'static,
    {
        let operation = self.settings.settle(operation);
        self.pool
            .execute_when_room(counted(operation, self.telemetry.clone()))
    }

    /// Figures over all operations that have ended by themselves, whether they succeeded or failed.
    ///
    /// For an example, see [`OperationPool`].
    #[must_use]
    pub fn telemetry(&self) -> AggregatedTelemetry {
        self.telemetry.with(|telemetry| *telemetry)
    }

    /// Accepts no more, and resolves when nothing is queued or running: see [`Pool::drain`].
    pub fn drain(&self) -> Drain {
        self.pool.drain()
    }

    /// Accepts no more for good, and resolves when everything that was accepted has ended: see [`Pool::shutdown`].
    pub fn shutdown(&self) -> Shutdown {
        self.pool.shutdown()
    }

    /// How many operations are waiting for a worker.
    #[must_use]
    pub fn queue_length(&self) -> usize {
        self.pool.queue_length()
    }

    /// How many workers are executing an operation.
    #[must_use]
    pub fn active_workers(&self) -> usize {
        self.pool.active_workers()
    }

    /// How many workers the pool was made with.
    #[must_use]
    pub fn worker_count(&self) -> usize {
        self.pool.worker_count()
    }

    /// The figures of the pool at this moment: see [`Pool::stats`].
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.pool.stats()
    }

    /// The pool beneath, which runs tasks of any kind.
    ///
    /// ```
    /// let (pool, _driver) = abreast::operation::create_pool(3).build();
    /// assert!(!pool.as_pool().is_closed());
    /// ```
    #[must_use]
    pub const fn as_pool(&self) -> &Pool {
        &self.pool
    }
}

/// Adds what an operation has come to before anybody learns of it.
async fn counted<F: Future<Output: Telemetry>>(
    operation: F,
    telemetry: Arc<Lock<AggregatedTelemetry>>,
) -> F::Output {
    let result = operation.await;
    telemetry.with(|telemetry| telemetry.add(&result));
    result
}

impl<R, T, M> Clone for OperationPool<R, T, M> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            settings: self.settings.clone(),
            telemetry: self.telemetry.clone(),
        }
    }
}

impl<R, T, M> fmt::Debug for OperationPool<R, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationPool")
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
