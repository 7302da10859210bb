//! The settings of a pool of operations.

use alloc::sync::Arc;
use core::fmt;

use super::super::context::Context;
use super::super::event::Event;
use super::super::guardrails::Guardrails;
use super::super::hooks::Shared;
use super::super::retry::Retry;
use super::super::retry::judge::Delays;
use super::super::timeout::{Limits, Timeout};
use super::super::waits::{By, Covers, Unset, Waits};
use super::OperationPool;
use super::shared::Settings;
use crate::pool::{Driver, Pool, PoolBuilder};
use crate::time::Timer;

/// Makes a pool of operations with at most `workers` running at any time: see [`OperationPool`].
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
///     .shared_retry(Retry::recommended())
///     .shared_timeout(Timeout {
///         initial_token: Duration::from_secs(10),
///         inter_token: Duration::from_secs(30),
///     })
///     .shared_guardrails(Guardrails::recommended())
///     .on_event(|event| println!("Event: {}", event.kind.name()))
///     .context([("user_id", "user_123")])
///     .timer(smol::Timer::after)
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
        settings: Settings {
            retry: Arc::new(Unset),
            timeout: Unset,
            timer: Arc::new(Unset),
            guardrails: None,
            context: None,
            on_event: Shared::default(),
        },
    }
}

/// The settings of an [`OperationPool`]: see [`create_pool`].
#[must_use = "a builder does nothing until it builds"]
pub struct OperationPoolBuilder<R = Unset, T = Unset, M = Unset> {
    pool: PoolBuilder,
    settings: Settings<R, T, M>,
}

impl<R, T, M> OperationPoolBuilder<R, T, M> {
    /// Tries again what failed, for operations without a [`retry`](super::super::Operation::retry).
    ///
    /// ```
    /// use abreast::operation::{Retry, create_pool};
    ///
    /// let builder = create_pool(3).shared_retry(Retry::recommended()).timer(smol::Timer::after);
    /// ```
    pub fn shared_retry<P, W>(self, retry: Retry<P, W>) -> OperationPoolBuilder<Retry<P, W>, T, M> {
        let Settings {
            timeout,
            timer,
            guardrails,
            context,
            on_event,
            ..
        } = self.settings;
        let retry = Arc::new(retry);
        let settings = Settings {
            retry,
            timeout,
            timer,
            guardrails,
            context,
            on_event,
        };
        OperationPoolBuilder {
            pool: self.pool,
            settings,
        }
    }

    /// Gives up on tokens that take too long, for operations without a [`timeout`](super::super::Operation::timeout).
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::operation::{Timeout, create_pool};
    ///
    /// let builder = create_pool(3)
    ///     .shared_timeout(Timeout::inter_token(Duration::from_secs(30)))
    ///     .timer(smol::Timer::after);
    /// ```
    pub fn shared_timeout(self, timeout: Timeout) -> OperationPoolBuilder<R, Timeout, M> {
        let Settings {
            retry,
            timer,
            guardrails,
            context,
            on_event,
            ..
        } = self.settings;
        let settings = Settings {
            retry,
            timeout,
            timer,
            guardrails,
            context,
            on_event,
        };
        OperationPoolBuilder {
            pool: self.pool,
            settings,
        }
    }

    /// Holds content to guardrails, for operations without [`guardrails`](super::super::Operation::guardrails). Those with
    /// [`Guardrails::none`] have some, which have no rules.
    ///
    /// ```
    /// use abreast::operation::{Guardrails, create_pool};
    ///
    /// let builder = create_pool(3).shared_guardrails(Guardrails::recommended());
    /// ```
    pub fn shared_guardrails(mut self, guardrails: Guardrails) -> Self {
        self.settings.guardrails = Some(guardrails);
        self
    }

    /// Calls `handler` with each event of all operations without an [`on_event`](super::super::Operation::on_event). The
    /// last handler that is given counts.
    ///
    /// ```
    /// use abreast::operation::create_pool;
    ///
    /// let builder = create_pool(3).on_event(|event| println!("{}: {}", event.operation_id, event.kind.name()));
    /// ```
    pub fn on_event(mut self, handler: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.settings.on_event = Shared(Some(Arc::new(handler)));
        self
    }

    /// Attaches values to the events of all operations without a [`context`](super::super::Operation::context).
    ///
    /// ```
    /// use abreast::operation::create_pool;
    ///
    /// let builder = create_pool(3).context([("user_id", "user_123")]);
    /// ```
    pub fn context(mut self, context: impl Into<Context>) -> Self {
        self.settings.context = Some(context.into());
        self
    }

    /// Waits by this timer, for operations without a [`timer`](super::super::Operation::timer).
    ///
    /// ```
    /// use abreast::operation::create_pool;
    ///
    /// let builder = create_pool(3).timer(smol::Timer::after);
    /// ```
    pub fn timer<N: Timer>(self, timer: N) -> OperationPoolBuilder<R, T, By<N>> {
        let Settings {
            retry,
            timeout,
            guardrails,
            context,
            on_event,
            ..
        } = self.settings;
        let timer = Arc::new(By(timer));
        let settings = Settings {
            retry,
            timeout,
            timer,
            guardrails,
            context,
            on_event,
        };
        OperationPoolBuilder {
            pool: self.pool,
            settings,
        }
    }

    /// How many operations may be queued at most, beside those that run: see [`PoolBuilder::queue_capacity`].
    ///
    /// ```
    /// use abreast::operation::create_pool;
    ///
    /// let (pool, driver) = create_pool(3).queue_capacity(100).build();
    /// ```
    ///
    /// # Panics
    /// If `capacity` is 0: nothing could ever be accepted.
    #[track_caller]
    pub fn queue_capacity(mut self, capacity: usize) -> Self {
        self.pool = self.pool.queue_capacity(capacity);
        self
    }

    /// Makes the pool, and the driver that it needs.
    ///
    /// ```
    /// let (pool, driver) = abreast::operation::create_pool(3).build();
    /// assert_eq!(pool.worker_count(), 3);
    /// ```
    ///
    /// What waits needs a timer:
    ///
    /// ```compile_fail,E0277
    /// use abreast::operation::{Retry, create_pool};
    ///
    /// create_pool(3).shared_retry(Retry::recommended()).build();
    /// ```
    pub fn build(self) -> (OperationPool<R, T, M>, Driver)
    where
        R: Delays,
        T: Limits,
        M: Waits + Covers<R::Wait> + Covers<T::Wait>,
    {
        let (pool, driver) = self.pool.build();
        (OperationPool::new(pool, self.settings), driver)
    }
}

impl<R, T, M> fmt::Debug for OperationPoolBuilder<R, T, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationPoolBuilder")
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
