//! The settings of a pool of operations.

use alloc::sync::Arc;
use core::marker::PhantomData;
use core::time::Duration;

use super::OperationPool;
use super::shared::Shared;
use crate::limit::Limit;
use crate::operation::context::EventContext;
use crate::operation::event::Event;
use crate::operation::guardrails::Guardrails;
use crate::operation::retry::SharedPredicates;
use crate::operation::timeout::Timeout;
use crate::operation::timer::{HasTimer, NoTimer, SharedTimer};
use crate::pool::{Driver, Pool, PoolBuilder, PoolOptions};
use crate::rate::Rate;
use crate::retry::{Classification, Retry};
use crate::time::Timer;

/// Creates a pool of operations with at most `workers` running at any time: see [`OperationPool`].
///
/// What is set here is for all operations that have not set it themselves.
///
/// ```
/// use abreast::operation::{Guardrails, Operation, Retry, Timeout, create_pool};
/// # use futures::stream;
/// use std::time::Duration;
///
/// # smol::block_on(async {
/// let (pool, mut driver) = create_pool(3)
///     .timer(smol::Timer::after)
///     .shared_retry(Retry::recommended())
///     .shared_timeout(Timeout {
///         initial_token: Duration::from_secs(10),
///         inter_token: Duration::from_secs(30),
///     })
///     .shared_guardrails(Guardrails::recommended())
///     .on_event(|event| println!("Event: {}", event.kind.name()))
///     .context([("user_id", "user_123")])
///     .queue_capacity(100)
///     .build();
///
/// # let (tokens, others) = (|| stream::iter([Ok::<_, String>("Hello")]), || stream::iter([Ok::<_, String>("Hi")]));
/// let result = pool.execute(
///     Operation::new(tokens)
///         .fallback(others)
///         .guardrails(Guardrails::strict()), // instead of those of the pool
/// )?;
/// let state = driver.run_until(result).await.unwrap();
/// assert_eq!(state.content, "Hello");
/// # Ok::<_, abreast::PoolError>(())
/// # }).unwrap();
/// ```
///
/// # Panics
/// If `workers` is 0: nothing could ever run.
#[track_caller]
pub fn create_pool(workers: usize) -> OperationPoolBuilder {
    OperationPoolBuilder {
        pool: Pool::builder().worker_count(workers),
        shared: Shared::default(),
        timer: PhantomData,
    }
}

/// The settings of an [`OperationPool`]: see [`create_pool`].
///
/// The parameter is the timer, or [`NoTimer`].
#[must_use = "a builder does nothing until it builds"]
pub struct OperationPoolBuilder<M = NoTimer> {
    pool: PoolBuilder,
    shared: Shared,
    timer: PhantomData<fn() -> M>,
}

impl<M> OperationPoolBuilder<M> {
    /// Waits by this timer, for operations without a [`timer`](crate::operation::Operation::timer).
    ///
    /// It comes before the settings that wait, [`shared_retry`](Self::shared_retry) and
    /// [`shared_timeout`](Self::shared_timeout).
    pub fn timer<N>(mut self, timer: N) -> OperationPoolBuilder<N>
    where
        N: Timer<Sleep: Send + 'static> + Send + Sync + 'static,
    {
        self.shared.timer = Some(SharedTimer::new(timer));
        OperationPoolBuilder {
            pool: self.pool,
            shared: self.shared,
            timer: PhantomData,
        }
    }

    /// Tries again what failed, for operations without a [`retry`](crate::operation::Operation::retry).
    ///
    /// Its closures are for the operations whose streams fail with errors of their type.
    ///
    /// ```
    /// use abreast::operation::{Retry, create_pool};
    ///
    /// let builder = create_pool(3).timer(smol::Timer::after).shared_retry(Retry::recommended());
    /// ```
    ///
    /// Without a timer, that does not compile:
    ///
    /// ```compile_fail,E0277
    /// use abreast::operation::{Retry, create_pool};
    ///
    /// create_pool(3).shared_retry(Retry::recommended()); // error: this setting waits, but there is no timer to wait by
    /// ```
    pub fn shared_retry<P: SharedPredicates>(mut self, retry: Retry<P>) -> Self
    where
        M: HasTimer,
    {
        self.shared.settings.retry = Some(retry.plan);
        self.shared.predicates = retry.predicates.share();
        self
    }

    /// Tries again what failed, without any delay or [rate](Retry::rate), for operations without a
    /// [`retry`](crate::operation::Operation::retry).
    pub fn shared_retry_at_once<P: SharedPredicates>(mut self, retry: Retry<P>) -> Self {
        self.shared.settings.retry = Some(retry.plan.without_delay());
        self.shared.predicates = retry.predicates.share();
        self
    }

    /// Gives up on tokens that take too long, for operations without a
    /// [`timeout`](crate::operation::Operation::timeout).
    pub fn shared_timeout(mut self, timeout: Timeout) -> Self
    where
        M: HasTimer,
    {
        self.shared.settings.timeout = Some(timeout);
        self
    }

    /// Limits the whole of each operation without a [`total_time`](crate::operation::Operation::total_time), from when
    /// it starts.
    pub fn shared_total_time(mut self, limit: Duration) -> Self
    where
        M: HasTimer,
    {
        self.shared.settings.total_time = Some(limit);
        self
    }

    /// Classifies errors of the type `E` by a closure, for operations without a
    /// [`classify`](crate::operation::Operation::classify).
    ///
    /// There may be one for each type of errors; of several for one type, the last counts.
    ///
    /// ```
    /// use std::io;
    /// use abreast::operation::{Category, create_pool};
    ///
    /// let builder = create_pool(3)
    ///     .shared_classify(|error: &io::Error| match error.kind() {
    ///         io::ErrorKind::PermissionDenied => Category::Fatal,
    ///         _ => Category::Network,
    ///     })
    ///     .shared_classify(|_: &String| Category::Transient);
    /// ```
    pub fn shared_classify<E, F, C>(mut self, classify: F) -> Self
    where
        E: 'static,
        F: Fn(&E) -> C + Send + Sync + 'static,
        C: Into<Classification>,
    {
        let classify = move |error: &E| classify(error).into();
        self.shared.classify::<E>(Arc::new(classify));
        self
    }

    /// Checks content with guardrails, for operations without [`guardrails`](crate::operation::Operation::guardrails).
    /// Those with [`Guardrails::none`] have some, which have no rules.
    pub fn shared_guardrails(mut self, guardrails: Guardrails) -> Self {
        self.shared.settings.guardrails = Some(guardrails);
        self
    }

    /// Calls `handler` with each event of all operations without an
    /// [`on_event`](crate::operation::Operation::on_event). The last handler that is given counts.
    pub fn on_event(mut self, handler: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.shared.on_event = Some(Arc::new(handler));
        self
    }

    /// Attaches values to the events of all operations without a [`context`](crate::operation::Operation::context).
    pub fn context(mut self, context: impl Into<EventContext>) -> Self {
        self.shared.settings.context = Some(context.into());
        self
    }

    /// Limits the operations that run at any time.
    ///
    /// # Panics
    /// If `workers` is 0: nothing could ever run.
    #[track_caller]
    pub fn worker_count(mut self, workers: usize) -> Self {
        self.pool = self.pool.worker_count(workers);
        self
    }

    /// Limits the operations that may be queued, beside those that run: see [`PoolBuilder::queue_capacity`].
    ///
    /// # Panics
    /// If `capacity` is 0: nothing could ever be accepted.
    #[track_caller]
    pub fn queue_capacity(mut self, capacity: usize) -> Self {
        self.pool = self.pool.queue_capacity(capacity);
        self
    }

    /// Takes the number of workers and the capacity of the queue from `options`, as [`PoolBuilder::options`] does.
    ///
    /// ```
    /// use abreast::PoolOptions;
    /// use abreast::operation::OperationPool;
    ///
    /// const POLITE: PoolOptions = PoolOptions::new().worker_count(2).queue_capacity(100);
    ///
    /// let (pool, driver) = OperationPool::builder().options(POLITE).build();
    /// assert_eq!(pool.worker_count(), 2);
    /// ```
    ///
    /// # Panics
    /// If a limit is 0.
    #[track_caller]
    pub fn options(mut self, options: PoolOptions) -> Self {
        self.pool = self.pool.options(options);
        self
    }

    /// Limits the operations that run at any time by a [`Limit`], too, which others may share: see
    /// [`PoolBuilder::limit`].
    pub fn limit(mut self, limit: &Limit) -> Self {
        self.pool = self.pool.limit(limit);
        self
    }

    /// Starts operations at a [`Rate`] that others may share, by the [timer](Self::timer): see [`PoolBuilder::rate`].
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use std::time::Duration;
    /// use abreast::operation::{Operation, create_pool};
    /// use abreast::{Rate, time::VirtualClock};
    /// use futures::stream;
    ///
    /// let clock = VirtualClock::new();
    /// let rate = Rate::per_second(2);
    /// let (pool, mut driver) = create_pool(10).timer(clock.timer()).rate(&rate).build();
    /// for _ in 0..5 {
    ///     _ = pool.execute(Operation::new(|| stream::iter([Ok::<_, String>("Hello")])))?;
    /// }
    /// clock.run(driver.run_until(pool.drain()));
    /// assert_eq!(clock.now(), Duration::from_secs(2));
    /// # }
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    pub fn rate(mut self, rate: &Rate) -> Self
    where
        M: HasTimer,
    {
        // There is one, as its type says.
        if let Some(timer) = self.shared.timer.clone() {
            self.pool = self.pool.rate(rate, timer);
        }
        self
    }

    /// Creates the pool, and the driver that it needs.
    pub fn build(self) -> (OperationPool, Driver) {
        let (pool, driver) = self.pool.build();
        (OperationPool::new(pool, self.shared), driver)
    }
}

impl_debug!(OperationPoolBuilder<M> { pool, shared });
