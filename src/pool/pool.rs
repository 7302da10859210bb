//! The side of a pool that accepts jobs.

use alloc::sync::Arc;
use core::future::Future;

use super::error::PoolError;
use super::handle::{JobHandle, LocalJobHandle};
use super::inner::Inner;
use super::job::{JobOneshot, Task};
use super::kind::{Job, Kind, Local, Sendable};
use super::span::JobSpan;
use super::stats::PoolStats;

/// Accepts jobs, from any thread: see [`pool`](crate::pool()). Clones are the same pool.
///
/// When the last clone is dropped the pool is closed, as by [`shutdown`](Self::shutdown). Jobs may hold clones too,
/// and submit more.
///
/// # Tracing
/// With the feature `tracing`, each job that is started has a span, `job`, with its [id](JobHandle::id) and its
/// outcome. It is within the span that is current where the job is submitted: by [`execute`](Pool::execute),
/// [`execute_when_room`](Pool::execute_when_room), or whatever polls a [`feed`](Pool::feed). So a request that hands
/// work to a pool has it in its trace, wherever the driver runs.
///
/// # Polls and allocations
/// Two allocations for each job, beside the growth of the queue.
pub struct Pool<K: Kind = Sendable> {
    entry: Arc<Entry<K>>,
    /// That of the jobs that are submitted through this clone.
    priority: i32,
}

/// A pool of tasks that stay on one thread: see [`local_pool`](crate::local_pool).
pub type LocalPool = Pool<Local>;

/// What all clones of a pool share. Dropped with the last one, it closes the pool.
struct Entry<K: Kind> {
    inner: Arc<Inner<K>>,
    workers: usize,
}

impl<K: Kind> Drop for Entry<K> {
    fn drop(&mut self) {
        self.inner.close();
    }
}

impl<K: Kind> Pool<K> {
    pub(super) fn new(inner: Arc<Inner<K>>, workers: usize) -> Self {
        Self {
            entry: Arc::new(Entry { inner, workers }),
            priority: 0,
        }
    }

    pub(super) fn inner(&self) -> &Arc<Inner<K>> {
        &self.entry.inner
    }

    /// Returns the priority of the jobs that are submitted through this clone: see
    /// [`with_priority`](Self::with_priority).
    ///
    /// ```
    /// let (pool, _driver) = abreast::pool(4);
    /// assert_eq!((pool.priority(), pool.with_priority(5).priority()), (0, 5));
    /// ```
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.priority
    }

    /// Returns a clone of the pool whose jobs have this priority: the higher, the sooner they are started.
    ///
    /// It is the same pool, with the same workers, queue and figures. Whatever submits jobs through the clone need not
    /// know of priorities. Without this, the priority of a job is 0; below that, it waits for what others leave. That
    /// of a job in the queue can be [changed](JobHandle::set_priority).
    ///
    /// ```
    /// use abreast::pool;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = pool(1);
    /// let (started, log) = std::sync::mpsc::channel();
    /// let job = |name| {
    ///     let started = started.clone();
    ///     async move { started.send(name) }
    /// };
    /// let backup = pool.with_priority(-1).execute(job("backup"))?;
    /// let report = pool.execute(job("report"))?;
    /// let request = pool.with_priority(5).execute(job("request"))?;
    ///
    /// driver.run_until(pool.drain()).await;
    /// assert_eq!(log.try_iter().collect::<Vec<_>>(), ["request", "report", "backup"]);
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Order
    /// When a worker is free, the job is started whose `priority + age / aging` is highest. Its age is the number of
    /// jobs that were started since it was queued, or since there was a priority other than 0 in the queue if that was
    /// later; [`aging`](crate::PoolBuilder::aging) is 16 unless set. Among equals, that goes first which was accepted
    /// first; so jobs of one priority keep their order.
    ///
    /// Nothing starves. When `d * aging` jobs have been started since a job was queued, none goes ahead of it any more
    /// that is accepted later and whose priority is higher by `d`, however many there are. Priorities do not count
    /// where [`execute_when_room`](Pool::execute_when_room) waits for room: there, it is first come, first served.
    ///
    /// # Polls and allocations
    /// While there is a priority other than 0 in the queue, or until all have left that were in it then, a job enters
    /// and leaves it in logarithmic time; the nodes of two B-trees are allocated, and given back. Otherwise, nothing is
    /// different.
    #[must_use = "it is the clone whose jobs have the priority"]
    pub fn with_priority(&self, priority: i32) -> Self {
        Self {
            priority,
            ..self.clone()
        }
    }

    fn submit<T, E>(
        &self,
        result: JobOneshot<T, E>,
        job: Job<K>,
    ) -> Result<JobHandle<T, E, K>, PoolError> {
        match self.inner().submit(job, self.priority) {
            Ok(id) => Ok(JobHandle::new(result, self.inner().clone(), id)),
            Err((refusal, _)) => Err(refusal.into()),
        }
    }

    /// Returns whether the pool was [shut down](Self::shutdown).
    ///
    /// ```
    /// let (pool, _driver) = abreast::pool(4);
    /// assert!(!pool.is_closed());
    /// let _ = pool.shutdown();
    /// assert!(pool.is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner().state.is_closed()
    }

    /// Returns the number of jobs that wait for a worker.
    ///
    /// ```
    /// let (pool, _driver) = abreast::pool(4);
    /// let handle = pool.execute(async { Ok::<_, ()>(6) })?;
    /// assert_eq!(pool.queue_length(), 1);
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    #[must_use]
    pub fn queue_length(&self) -> usize {
        self.stats().queue_length
    }

    /// Returns the number of workers that are running a job.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let (pool, mut driver) = abreast::pool(4);
    /// let handle = pool.execute(std::future::pending::<Result<(), ()>>())?;
    /// assert!(futures::poll!(&mut driver).is_pending());
    /// assert_eq!(pool.active_workers(), 1);
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn active_workers(&self) -> usize {
        self.stats().active_workers
    }

    /// Returns the number of workers that the pool was created with.
    ///
    /// ```
    /// let (pool, _driver) = abreast::pool(4);
    /// assert_eq!(pool.worker_count(), 4);
    /// ```
    #[must_use]
    pub fn worker_count(&self) -> usize {
        self.entry.workers
    }

    /// Returns the figures of the pool at this moment. They add up.
    ///
    /// ```
    /// let (pool, _driver) = abreast::pool(4);
    /// let handle = pool.execute(async { Ok::<_, ()>(6) })?;
    /// assert_eq!(pool.stats().total_accepted, 1);
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.inner().stats()
    }
}

#[cfg(feature = "std")]
impl<K: Kind> Pool<K> {
    /// Returns how queue and run times are distributed so far; without
    /// [`measure_times`](crate::PoolBuilder::measure_times), nothing. Needs the feature `std`.
    ///
    /// ```
    /// let (pool, _driver) = abreast::Pool::builder().measure_times(smol::Timer::after).build();
    /// assert_eq!(pool.times().run_time.quantile(0.99), None);
    /// ```
    #[must_use]
    pub fn times(&self) -> super::times::PoolTimes {
        self.inner().times()
    }
}

impl Pool {
    /// Accepts a job at once, to be started when a worker is free.
    ///
    /// ```
    /// # smol::block_on(async {
    /// # let (pool, mut driver) = abreast::pool(4);
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// assert_eq!(driver.run_until(six).await, Ok(6));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`Closed`](PoolError::Closed) after [`shutdown`](Self::shutdown), [`Draining`](PoolError::Draining) while there is a
    /// [`drain`](Self::drain), [`Full`](PoolError::Full) if the queue is at its
    /// [capacity](crate::PoolBuilder::queue_capacity), [`Abandoned`](PoolError::Abandoned) if there is no driver. The task is
    /// dropped then.
    pub fn execute<Fut, T, E>(&self, task: Fut) -> Result<JobHandle<T, E>, PoolError>
    where
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.execute_in(task, JobSpan::submitted())
    }

    /// Accepts a job at once, whose span is this.
    #[inline(always)]
    pub(crate) fn execute_in<Fut, T, E>(
        &self,
        task: Fut,
        span: JobSpan,
    ) -> Result<JobHandle<T, E>, PoolError>
    where
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let (result, job) = Task::with_handle(task, span);
        self.submit(result, job)
    }
}

impl LocalPool {
    /// Accepts a job at once, to be started when a worker is free: the same as [`Pool::execute`], but the task need
    /// not be `Send`.
    ///
    /// ```
    /// use std::rc::Rc;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = abreast::local_pool(4);
    /// let stays = Rc::new(6);
    /// let six = pool.execute(async move { Ok::<_, ()>(stays) })?;
    /// assert_eq!(driver.run_until(six).await, Ok(Rc::new(6)));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As for [`Pool::execute`].
    pub fn execute<Fut, T, E>(&self, task: Fut) -> Result<LocalJobHandle<T, E>, PoolError>
    where
        Fut: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: 'static,
    {
        let (result, job) = Task::with_handle(task, JobSpan::submitted());
        self.submit(result, job)
    }
}

impl<K: Kind> Clone for Pool<K> {
    fn clone(&self) -> Self {
        Self {
            entry: self.entry.clone(),
            priority: self.priority,
        }
    }
}

impl_debug!(Pool<K: Kind> |self| { stats: self.stats() });
