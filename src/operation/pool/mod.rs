//! A pool of operations with settings in common.

mod builder;
mod shared;

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;

pub use builder::{OperationPoolBuilder, create_pool};
use shared::Shared;

use super::future::Operation;
use super::outcome::{OperationFailure, State};
use super::source::Source;
use super::telemetry::AggregatedTelemetry;
use super::timer::OptionalTimer;
use crate::pool::{
    Drain, ExecuteWhenRoom, JobHandle, JobSpan, Pool, PoolError, PoolStats, Shutdown,
};
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
/// It has no type parameters, whatever was set:
///
/// ```
/// use abreast::operation::{OperationPool, Retry, create_pool};
///
/// struct App {
///     pool: OperationPool,
/// }
///
/// let (pool, driver) = create_pool(3).timer(smol::Timer::after).shared_retry(Retry::recommended()).build();
/// let app = App { pool };
/// ```
///
/// # Tracing
/// With the feature `tracing`, the span of an operation is within the one that is current where it is submitted.
///
/// # Polls and allocations
/// Beside those of a [`Pool`]: each wait for a token or a retry allocates once, as the timer of the pool has no type.
#[derive(Clone)]
pub struct OperationPool {
    pool: Pool,
    shared: Arc<Shared>,
    /// What the operations that have ended add up to.
    telemetry: Arc<Lock<AggregatedTelemetry>>,
}

impl OperationPool {
    /// Returns the settings of a pool: three workers, and nothing to inherit.
    pub fn builder() -> OperationPoolBuilder {
        create_pool(3)
    }

    fn new(pool: Pool, shared: Shared) -> Self {
        Self {
            pool,
            shared: Arc::new(shared),
            telemetry: Arc::new(Lock::new(AggregatedTelemetry::default())),
        }
    }

    /// Accepts an operation at once, to be started when a worker is free.
    ///
    /// For an example, see [`create_pool`].
    ///
    /// # Errors
    /// As for [`Pool::execute`].
    pub fn execute<S, M, E>(
        &self,
        operation: Operation<S, M, E>,
    ) -> Result<JobHandle<State, OperationFailure<E>>, PoolError>
    where
        S: Source<Error = E> + Send + 'static,
        M: OptionalTimer<Sleep: Send> + Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        // It has a span by itself, so its job needs none.
        self.pool
            .execute_in(self.prepare(operation), JobSpan::none())
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
    pub fn execute_when_room<S, M, E>(
        &self,
        operation: Operation<S, M, E>,
    ) -> ExecuteWhenRoom<State, OperationFailure<E>>
    where
        S: Source<Error = E> + Send + 'static,
        M: OptionalTimer<Sleep: Send> + Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        self.pool
            .execute_when_room_in(self.prepare(operation), JobSpan::none())
    }

    /// Lets an operation inherit what it has not set, and count towards the telemetry before its handle resolves.
    fn prepare<S, M, E>(
        &self,
        operation: Operation<S, M, E>,
    ) -> impl Future<Output = Result<State, OperationFailure<E>>> + Send + 'static
    where
        S: Source<Error = E> + Send + 'static,
        M: OptionalTimer<Sleep: Send> + Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        let operation = self.shared.inherited_by(operation);
        #[cfg(feature = "tracing")]
        let operation = operation.submitted();
        let telemetry = self.telemetry.clone();
        async move {
            let result = operation.await;
            telemetry.with(|telemetry| telemetry.add(&result));
            result
        }
    }

    /// Returns figures over all operations that have ended by themselves, whether they succeeded or failed.
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

    /// Returns the number of operations that wait for a worker.
    #[must_use]
    pub fn queue_length(&self) -> usize {
        self.pool.queue_length()
    }

    /// Returns the number of workers that are executing an operation.
    #[must_use]
    pub fn active_workers(&self) -> usize {
        self.pool.active_workers()
    }

    /// Returns the number of workers that the pool was made with.
    #[must_use]
    pub fn worker_count(&self) -> usize {
        self.pool.worker_count()
    }

    /// Returns the figures of the pool at this moment: see [`Pool::stats`].
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.pool.stats()
    }

    /// Returns the pool beneath, which runs tasks of any kind.
    #[must_use]
    pub const fn as_pool(&self) -> &Pool {
        &self.pool
    }
}

impl_debug!(OperationPool { pool });
