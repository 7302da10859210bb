//! What a pool is built from: its settings, and a hook.

use alloc::boxed::Box;

use super::Pool;
use super::driver::Driver;
use super::event::PoolEvent;
use super::inner::Inner;
use super::kind::{Kind, Local, Sendable};
use super::options::PoolOptions;
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
    pub(super) options: PoolOptions,
    hook: Option<Box<K::Hook>>,
}

impl<K: Kind> PoolBuilder<K> {
    pub(super) fn new() -> Self {
        Self {
            options: PoolOptions::new(),
            hook: None,
        }
    }

    /// Creates the pool, and the driver that runs it.
    ///
    /// ```
    /// let (pool, driver) = abreast::Pool::builder().build();
    /// ```
    pub fn build(self) -> (Pool<K>, Driver<K>) {
        let workers = self.options.worker_count;
        let inner = Inner::new(self.options, self.hook);
        let runner = JobRunner::new(inner.clone(), 0, workers);
        (Pool::new(inner, workers), Driver::new(runner, workers))
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
            options: self.options,
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
    /// assert_eq!(driver.run_until(six).await, Ok(6));
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

impl_debug!(PoolBuilder<K: Kind> { options });
