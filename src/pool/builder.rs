//! The settings of a pool.

use alloc::boxed::Box;

#[cfg(feature = "std")]
use core::time::Duration;

use super::Pool;
use super::driver::Driver;
use super::inner::Inner;
use super::kind::{Kind, Local, Sendable};
use super::stats::JobOutcome;
use super::worker::JobRunner;

/// The settings of a [`Pool`] and its [`Driver`]: see [`Pool::builder`].
///
/// ```
/// use abreast::Pool;
///
/// let (pool, driver) = Pool::builder()
///     .worker_count(8)
///     .queue_capacity(100)
///     .on_event(|event| println!("{event:?}"))
///     .build();
/// assert_eq!(pool.worker_count(), 8);
/// ```
#[must_use = "a builder does nothing until it builds"]
pub struct PoolBuilder<K: Kind = Sendable> {
    workers: usize,
    capacity: Option<usize>,
    hook: Option<Box<K::Hook>>,
}

/// What happens to a job, for hooks: see [`PoolBuilder::on_event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolEvent {
    /// A worker starts a job.
    #[non_exhaustive]
    Started {
        /// The [id](crate::JobHandle::id) of the job.
        id: u64,
    },
    /// A job has ended: its future has been dropped, and its handle resolves.
    #[non_exhaustive]
    Ended {
        /// The [id](crate::JobHandle::id) of the job.
        id: u64,
        /// How it has ended.
        outcome: JobOutcome,
        /// The time since it was started; zero if it never was. Needs the feature `std`.
        #[cfg(feature = "std")]
        duration: Duration,
    },
}

impl<K: Kind> PoolBuilder<K> {
    pub(super) fn new() -> Self {
        Self {
            workers: 5,
            capacity: None,
            hook: None,
        }
    }

    /// Limits how many jobs run at any time; 5 by default.
    ///
    /// ```
    /// let (pool, driver) = abreast::Pool::builder().worker_count(8).build();
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

    /// Limits how many jobs may be queued, beside those that run; without it, as many are as memory holds.
    ///
    /// When the queue is full, [`Pool::execute`] fails and [`Pool::execute_when_room`] waits.
    ///
    /// ```
    /// use abreast::{Pool, PoolError};
    ///
    /// let (pool, driver) = Pool::builder().queue_capacity(1).build();
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

    /// Creates the pool, and the driver that runs it.
    ///
    /// ```
    /// let (pool, driver) = abreast::Pool::builder().build();
    /// ```
    pub fn build(self) -> (Pool<K>, Driver<K>) {
        let inner = Inner::new(self.workers, self.capacity, self.hook);
        let runner = JobRunner::new(inner.clone(), 0, self.workers);
        (
            Pool::new(inner, self.workers),
            Driver::new(runner, self.workers),
        )
    }
}

impl PoolBuilder {
    /// Makes it a [`LocalPool`](crate::LocalPool), whose tasks and hook need not be `Send`.
    ///
    /// ```
    /// use abreast::Pool;
    ///
    /// let (pool, driver) = Pool::builder().local().build();
    /// let stays = std::rc::Rc::new(6);
    /// let handle = pool.execute(async move { Ok::<_, ()>(stays) })?;
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    pub fn local(self) -> PoolBuilder<Local> {
        PoolBuilder {
            workers: self.workers,
            capacity: self.capacity,
            hook: self.hook.map(|hook| hook as _),
        }
    }

    /// Calls `hook` when a job is started and when it has ended. The last hook that is given counts.
    ///
    /// It is called by the worker; for a job that is cancelled before it is started, by whoever cancels it. Those
    /// that are abandoned end without it.
    ///
    /// ```
    /// use abreast::{Pool, PoolEvent};
    ///
    /// # smol::block_on(async {
    /// let (events, log) = std::sync::mpsc::channel();
    /// let (pool, mut driver) = Pool::builder()
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
    /// What the hook panics with passes through to whoever polls the driver, or cancels the job.
    pub fn on_event(mut self, hook: impl Fn(&PoolEvent) + Send + Sync + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }
}

impl PoolBuilder<Local> {
    /// Calls `hook` when a job is started and when it has ended: the same as [`PoolBuilder::on_event`], but the hook
    /// need not be `Send`.
    pub fn on_event(mut self, hook: impl Fn(&PoolEvent) + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }
}

impl_debug!(PoolBuilder<K: Kind> |self| {
    worker_count: self.workers,
    queue_capacity: self.capacity,
});
