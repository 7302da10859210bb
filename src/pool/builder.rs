//! What a pool is built from: its settings, and a hook.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;

use super::driver::Driver;
use super::event::PoolEvent;
use super::gates::Gates;
use super::inner::Inner;
use super::kind::{Kind, Local, Sendable};
use super::options::{PoolOptions, assert_aging, assert_capacity, assert_workers};
use super::pool::Pool;
use super::rate::rate_waiters;
#[cfg(feature = "std")]
use super::times::Meter;
use super::worker::JobRunner;
use crate::limit::Limit;
use crate::rate::Rate;
use crate::time::Timer;

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
    gates: Gates<K>,
    #[cfg(feature = "std")]
    meter: Option<Meter>,
}

impl Pool {
    /// Creates the settings of a pool: five workers, no limit to the queue, no hook.
    ///
    /// ```
    /// use abreast::Pool;
    ///
    /// let (pool, driver) = Pool::builder().worker_count(8).queue_capacity(100).build();
    /// assert_eq!(pool.worker_count(), 8);
    /// ```
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }
}

impl<K: Kind> PoolBuilder<K> {
    pub(super) fn new() -> Self {
        Self {
            options: PoolOptions::new(),
            hook: None,
            gates: Gates::none(),
            #[cfg(feature = "std")]
            meter: None,
        }
    }

    /// Limits how many jobs run at any time by a [`Limit`], too: its own workers, and whatever else goes by the same
    /// limit.
    ///
    /// It may be set while the pool runs, so it is a live number of workers, up to
    /// [`worker_count`](Self::worker_count): with fewer than before, no job is stopped, and none started until enough
    /// have ended; with 0, the pool is paused. The limit can be shared with other pools, runs and whatever
    /// [acquires](Limit::acquire) permits of it.
    ///
    /// ```
    /// use abreast::{Limit, Pool};
    ///
    /// # smol::block_on(async {
    /// let limit = Limit::new(2);
    /// let (pool, mut driver) = Pool::builder().worker_count(50).limit(&limit).build();
    /// for n in 0..100 {
    ///     _ = pool.execute(async move { Ok::<_, ()>(n) })?;
    /// }
    ///
    /// // Paused, and then wider than before.
    /// limit.set(0);
    /// assert!(futures::poll!(&mut driver).is_pending());
    /// assert_eq!((pool.stats().limit, pool.active_workers()), (Some(0), 0));
    /// limit.set(20);
    /// driver.run_until(pool.drain()).await;
    /// assert_eq!(pool.stats().total_succeeded, 100);
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Order
    /// A worker waits for a permit only while there is a job for it, first come, first served with all others who share
    /// the limit. A driver is one of them, however many jobs it runs. Which job it starts is decided when it has the
    /// permit.
    ///
    /// While the limit lets nothing start, drains and shutdowns wait for what is queued; those within a time drop it
    /// when that is up. Jobs are accepted, and can be cancelled. A stream that [feeds](Pool::feed) the pool is asked
    /// for a job for each free worker, which is then queued.
    ///
    /// # Cancel safety
    /// The permits of a driver or worker that is dropped go on to others.
    ///
    /// # Polls and allocations
    /// One more lock of the pool and two of the limit for each job.
    pub fn limit(mut self, limit: &Limit) -> Self {
        self.gates.limit = Some(limit.clone());
        self
    }

    /// Measures how long each job is queued and how long it runs, for [`Pool::times`]. The clock is that of the
    /// [timer](Timer::now). Needs the feature `std`.
    ///
    /// Hooks and [`PoolStats`](crate::PoolStats) then have these times, too.
    ///
    /// ```
    /// use abreast::Pool;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = Pool::builder().measure_times(smol::Timer::after).build();
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// assert_eq!(driver.run_until(six).await, Ok(6));
    ///
    /// let times = pool.times();
    /// println!("99 % were queued for at most {:?}", times.queue_time.quantile(0.99));
    /// println!("99 % ran for at most {:?}", times.run_time.quantile(0.99));
    /// # assert_eq!(times.run_time.count(), 1);
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Polls and allocations
    /// The clock is read four times for each job, and two histograms are kept. Without this, none of it is done.
    #[cfg(feature = "std")]
    pub fn measure_times(mut self, timer: impl Timer + Send + Sync + 'static) -> Self {
        self.meter = Some(Meter::new(timer));
        self
    }

    /// Takes all settings from `options`, instead of those so far.
    ///
    /// ```
    /// use abreast::{Pool, PoolOptions};
    ///
    /// let (pool, driver) = Pool::builder().options(PoolOptions::new().worker_count(8)).build();
    /// assert_eq!(pool.worker_count(), 8);
    /// ```
    ///
    /// # Panics
    /// If a limit is 0.
    #[track_caller]
    pub fn options(mut self, options: PoolOptions) -> Self {
        assert_workers(options.worker_count);
        assert_capacity(options.queue_capacity.unwrap_or(usize::MAX));
        assert_aging(options.aging);
        self.options = options;
        self
    }

    /// Limits how many jobs run at any time; 5 by default.
    ///
    /// ```
    /// let (pool, driver) = abreast::Pool::builder().worker_count(8).build();
    /// assert_eq!(pool.stats().worker_count, 8);
    /// ```
    ///
    /// # Panics
    /// If `workers` is 0: nothing could ever run.
    #[track_caller]
    pub fn worker_count(mut self, workers: usize) -> Self {
        self.options = self.options.worker_count(workers);
        self
    }

    /// Limits how many jobs may be queued, beside those that run; without it, as many are as memory holds.
    ///
    /// When the queue is full, [`Pool::execute`](crate::Pool::execute) fails and
    /// [`Pool::execute_when_room`](crate::Pool::execute_when_room) waits.
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
        self.options = self.options.queue_capacity(capacity);
        self
    }

    /// Sets how many jobs are started while another waits until that has gained a level of
    /// [priority](crate::Pool::with_priority); 16 by default.
    ///
    /// The more, the longer the urgent go first. With [`u32::MAX`], priorities are as good as strict.
    ///
    /// ```
    /// use abreast::Pool;
    ///
    /// let (pool, driver) = Pool::builder().aging(100).build();
    /// ```
    ///
    /// # Panics
    /// If `jobs` is 0: all priorities would be the same.
    #[track_caller]
    pub fn aging(mut self, jobs: u32) -> Self {
        self.options = self.options.aging(jobs);
        self
    }

    /// Sets whether the time that jobs are queued is measured, for [`PoolStats`](crate::PoolStats); by default only
    /// with a [hook](crate::PoolBuilder::on_event).
    ///
    /// It is an option because the clock is read for each job that is accepted, and again when it starts, which can
    /// take longer than all else that the pool does for a job. Needs the feature `std`.
    ///
    /// ```
    /// use abreast::Pool;
    /// use std::time::Duration;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = Pool::builder().measure_queue_time(true).build();
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// std::thread::sleep(Duration::from_millis(1));
    /// assert_eq!(driver.run_until(six).await, Ok(6));
    /// assert!(pool.stats().total_queue_time >= Duration::from_millis(1));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    #[cfg(feature = "std")]
    pub fn measure_queue_time(mut self, measure: bool) -> Self {
        self.options.measure_queue_time = measure;
        self
    }

    /// Creates the pool, and the driver that runs it.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let (pool, mut driver) = abreast::Pool::builder().build();
    /// let answer = pool.execute(async { Ok::<_, ()>(42) }).unwrap();
    /// assert_eq!(driver.run_until(answer).await.unwrap(), 42);
    /// # });
    /// ```
    pub fn build(self) -> (Pool<K>, Driver<K>) {
        let workers = self.options.worker_count;
        let inner = Inner::new(
            self.options,
            self.hook,
            self.gates,
            #[cfg(feature = "std")]
            self.meter,
        );
        let runner = JobRunner::new(inner.clone(), 0, workers);
        (Pool::new(inner, workers), Driver::new(runner, workers))
    }
}

impl PoolBuilder {
    /// Starts jobs at a [`Rate`] that is shared with others. Each costs one unit.
    ///
    /// It holds beside [`worker_count`](Self::worker_count) and [`limit`](Self::limit), and can be shared with other
    /// pools, runs and retries, and whatever [acquires](Rate::acquire) units of it.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use std::time::Duration;
    /// use abreast::{Pool, Rate, time::VirtualClock};
    ///
    /// let clock = VirtualClock::new();
    /// let rate = Rate::per_second(10).burst(3);
    /// let (pool, mut driver) = Pool::builder().rate(&rate, clock.timer()).build();
    /// for n in 0..23 {
    ///     _ = pool.execute(async move { Ok::<_, ()>(n) })?;
    /// }
    /// clock.run(driver.run_until(pool.drain()));
    /// // Three at once, and then one in each tenth of a second.
    /// assert_eq!(clock.now(), Duration::from_secs(2));
    /// # }
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    ///
    /// # Order
    /// A worker waits for the rate only while there is a job for it, first come, first served with all others who share
    /// it, and after it has a permit of the limit, if there is one. A driver is one of them, however many jobs it runs.
    /// Which job it starts is decided when it may start one.
    ///
    /// Meanwhile jobs are accepted, and can be cancelled. Drains and shutdowns wait for what is queued; those within a
    /// time drop it when that is up. When nothing is queued any more, the place in the line is given up at once, with
    /// the permit.
    ///
    /// # Cancel safety
    /// The place of a driver or worker that is dropped is given up. No unit is acquired without a job that starts.
    ///
    /// # Panics
    /// The driver panics when a job is to start without the feature `std`, if the timer has no clock: see
    /// [`Timer::now`].
    ///
    /// # Polls and allocations
    /// Two more locks of the pool and one of the rate for each job. Two allocations for each worker: its place in the
    /// line, and the timer, when it waits first.
    pub fn rate<M>(mut self, rate: &Rate, timer: M) -> Self
    where
        M: Timer<Sleep: Send + 'static> + Send + Sync + 'static,
    {
        let new_waiter = rate_waiters(rate, Arc::new(timer));
        self.gates.rate = Some(Box::new(move || Box::new(new_waiter())));
        self
    }

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
            gates: self.gates.local(),
            #[cfg(feature = "std")]
            meter: self.meter,
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
    /// Starts jobs at a rate that is shared with others: the same as [`PoolBuilder::rate`], but the timer need not be
    /// `Send`.
    pub fn rate<M>(mut self, rate: &Rate, timer: M) -> Self
    where
        M: Timer<Sleep: 'static> + 'static,
    {
        let new_waiter = rate_waiters(rate, Rc::new(timer));
        self.gates.rate = Some(Box::new(move || Box::new(new_waiter())));
        self
    }

    /// Calls `hook` when a job is started and when it has ended: the same as [`PoolBuilder::on_event`], but the hook
    /// need not be `Send`.
    pub fn on_event(mut self, hook: impl Fn(&PoolEvent) + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }
}

impl_debug!(PoolBuilder<K: Kind> |self| { options: self.options, limit: self.gates.limit });
