//! The settings of a pool.

use alloc::boxed::Box;
use core::fmt;

#[cfg(feature = "std")]
use core::time::Duration;

use super::Pool;
use super::driver::Driver;
use super::inner::Hub;
use super::kind::{Calls, Kind, Local, Shared};
use super::stats::JobOutcome;
use super::worker::Team;

/// Makes a [`Pool`] and its [`Driver`].
///
/// ```
/// use abreast::PoolBuilder;
///
/// let (pool, driver) = PoolBuilder::new()
///     .worker_count(8)
///     .queue_capacity(100)
///     .on_event(|event| println!("{event:?}"))
///     .build();
/// assert_eq!(pool.worker_count(), 8);
/// ```
#[must_use = "a builder does nothing until it builds"]
pub struct PoolBuilder<K: Kind = Shared> {
    workers: usize,
    capacity: Option<usize>,
    hook: Option<Box<K::Hook>>,
}

/// What a hook is told: see [`PoolBuilder::on_event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolEvent {
    /// A worker begins with an operation.
    #[non_exhaustive]
    Started {
        /// Which one: see [`JobHandle::id`](crate::JobHandle::id).
        id: u64,
    },
    /// An operation has ended: its future has been dropped, and its handle resolves.
    #[non_exhaustive]
    Ended {
        /// Which one: see [`JobHandle::id`](crate::JobHandle::id).
        id: u64,
        /// How.
        outcome: JobOutcome,
        /// The time since it was started; zero if it never was. Needs the feature `std`.
        #[cfg(feature = "std")]
        duration: Duration,
    },
}

impl PoolBuilder {
    /// The settings of a pool of tasks that may move between threads: five workers, no limit to the queue, no hook.
    ///
    /// ```
    /// let (pool, driver) = abreast::PoolBuilder::new().build();
    /// assert_eq!(pool.worker_count(), 5);
    /// ```
    pub fn new() -> Self {
        Self::of_kind()
    }
}

impl PoolBuilder<Local> {
    /// The settings of a pool of tasks that stay on one thread: otherwise the same as [`PoolBuilder::new`].
    ///
    /// ```
    /// let (pool, driver) = abreast::PoolBuilder::local().build();
    /// let stays = std::rc::Rc::new(6);
    /// let handle = pool.execute(async move { Ok::<_, ()>(stays) })?;
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    pub fn local() -> Self {
        Self::of_kind()
    }
}

impl Default for PoolBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Kind> PoolBuilder<K> {
    fn of_kind() -> Self {
        Self {
            workers: 5,
            capacity: None,
            hook: None,
        }
    }

    /// How many operations run at most at any time; 5 by default.
    ///
    /// ```
    /// let (pool, driver) = abreast::PoolBuilder::new().worker_count(8).build();
    /// ```
    ///
    /// # Panics
    /// If `workers` is 0: nothing could ever run.
    #[track_caller]
    pub fn worker_count(mut self, workers: usize) -> Self {
        assert!(
            workers > 0,
            "a pool of 0 workers runs nothing: pass at least 1"
        );
        self.workers = workers;
        self
    }

    /// How many operations may be queued at most, beside those that run; without it, as many as memory holds.
    ///
    /// When the queue is full, [`Pool::execute`] fails and [`Pool::execute_when_room`] waits.
    ///
    /// ```
    /// use abreast::{PoolBuilder, PoolError};
    ///
    /// let (pool, driver) = PoolBuilder::new().queue_capacity(1).build();
    /// assert!(pool.execute(async { Ok::<_, ()>(1) }).is_ok());
    /// assert_eq!(pool.execute(async { Ok::<_, ()>(2) }).unwrap_err(), PoolError::Full);
    /// ```
    ///
    /// # Panics
    /// If `capacity` is 0: nothing could ever be accepted.
    #[track_caller]
    pub fn queue_capacity(mut self, capacity: usize) -> Self {
        assert!(
            capacity > 0,
            "a queue with a capacity of 0 accepts nothing: pass at least 1"
        );
        self.capacity = Some(capacity);
        self
    }

    /// Calls `hook` when an operation is started and when it has ended. The last hook that is given counts.
    ///
    /// It is called by the worker; for an operation that is cancelled before it is started, by whoever cancels it. Those
    /// that are abandoned end without it.
    ///
    /// ```
    /// use abreast::{PoolBuilder, PoolEvent};
    ///
    /// # smol::block_on(async {
    /// let (events, log) = std::sync::mpsc::channel();
    /// let (pool, mut driver) = PoolBuilder::new()
    ///     .on_event(move |event| match event {
    ///         PoolEvent::Started { id, .. } => events.send(format!("{id} started")).unwrap(),
    ///         PoolEvent::Ended { id, outcome, .. } => events.send(format!("{id} {outcome:?}")).unwrap(),
    ///         _ => {}
    ///     })
    ///     .build();
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// driver.run_until(pool.drain()).await;
    /// assert_eq!(log.try_iter().collect::<Vec<_>>(), ["0 started", "0 Succeeded"]);
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Panics
    /// What the hook panics with passes through to whoever polls the driver, or cancels the operation.
    pub fn on_event<F>(mut self, hook: F) -> Self
    where
        F: Fn(&PoolEvent),
        K: Calls<F>,
    {
        self.hook = Some(K::erase_hook(hook));
        self
    }

    /// Makes the pool, and the driver that it needs.
    ///
    /// ```
    /// let (pool, driver) = abreast::PoolBuilder::new().build();
    /// ```
    pub fn build(self) -> (Pool<K>, Driver<K>) {
        let hub = Hub::new(self.workers, self.capacity, self.hook);
        let team = Team::new(hub.clone(), 0, self.workers);
        (
            Pool::new(hub, self.workers),
            Driver::new(team, self.workers),
        )
    }
}

impl<K: Kind> fmt::Debug for PoolBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("worker_count", &self.workers)
            .field("queue_capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
