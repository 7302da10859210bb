//! The side of a pool that accepts jobs.

use alloc::sync::Arc;
use core::future::Future;

use futures::stream::Stream;

use super::builder::PoolBuilder;
use super::error::PoolError;
use super::feed::Feed;
use super::handle::{JobHandle, LocalJobHandle};
use super::inner::Inner;
use super::job::{JobOneshot, Task};
use super::kind::{Job, Kind, Local, Sendable};
use super::stats::PoolStats;
use super::wait::{Drain, ExecuteWhenRoom, Shutdown};

/// Accepts jobs, from any thread: see [`pool`](crate::pool()). Clones are the same pool.
///
/// When the last clone is dropped the pool is closed, as by [`shutdown`](Self::shutdown). Jobs may hold clones too,
/// and submit more.
///
/// # Polls and allocations
/// Two allocations for each job, beside the growth of the queue.
pub struct Pool<K: Kind = Sendable> {
    entry: Arc<Entry<K>>,
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
        }
    }

    pub(super) fn inner(&self) -> &Arc<Inner<K>> {
        &self.entry.inner
    }

    fn submit<T, E>(
        &self,
        result: JobOneshot<T, E>,
        job: Job<K>,
    ) -> Result<JobHandle<T, E, K>, PoolError> {
        match self.inner().submit(job) {
            Ok(id) => Ok(JobHandle::new(result, self.inner().clone(), id)),
            Err((refusal, _)) => Err(refusal.into()),
        }
    }

    /// Accepts no more, and resolves when nothing is queued or running.
    ///
    /// It begins at the call. When it resolves or is dropped, and there is no other drain, the pool accepts again. If the
    /// driver is dropped, it resolves.
    ///
    /// A job that waits for a drain of its own pool waits for itself.
    ///
    /// ```
    /// use abreast::{PoolError, pool};
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = pool(4);
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// let drain = pool.drain();
    /// assert_eq!(pool.execute(async { Ok::<_, ()>(7) }).unwrap_err(), PoolError::Draining);
    ///
    /// driver.run_until(drain).await;
    /// assert!(six.is_finished());
    /// assert!(pool.execute(async { Ok::<_, ()>(7) }).is_ok());
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    pub fn drain(&self) -> Drain<K> {
        Drain::new(self.inner().clone())
    }

    /// Accepts no more for good, and resolves when everything that was accepted has ended. The driver then resolves too.
    ///
    /// The pool is closed at the call; the future only waits. It may be called many times, from many tasks, and each
    /// future resolves. If the driver is dropped, they resolve. To wait no longer than some time, and then drop what is left, see
    /// [`Shutdown::within`].
    ///
    /// ```
    /// use abreast::{PoolError, pool};
    ///
    /// # smol::block_on(async {
    /// let (pool, driver) = pool(4);
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// let shutdown = pool.shutdown();
    /// assert_eq!(pool.execute(async { Ok::<_, ()>(7) }).unwrap_err(), PoolError::Closed);
    ///
    /// futures::join!(driver, shutdown);
    /// assert_eq!(six.await, Ok(6));
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    pub fn shutdown(&self) -> Shutdown<K> {
        Shutdown::new(self.inner().clone())
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
        self.inner().state.stats()
    }
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
        let (result, job) = Task::with_handle(task);
        self.submit(result, job)
    }

    /// Accepts a job when the queue has room for it.
    ///
    /// ```
    /// use abreast::Pool;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = Pool::builder().queue_capacity(1).build();
    /// let mut handles = Vec::new();
    /// driver.run_until(async {
    ///     for n in 0..100 {
    ///         handles.push(pool.execute_when_room(async move { Ok::<_, ()>(n) }).await?);
    ///     }
    ///     Ok::<_, abreast::PoolError>(())
    /// })
    /// .await
    /// # })?;
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    ///
    /// # Errors
    /// As for [`execute`](Self::execute), but never [`Full`](PoolError::Full). What becomes the case while it waits is an
    /// error too.
    ///
    /// # Order
    /// Whoever waits is served in order, and keeps its place when [`execute`](Self::execute) takes the room first. A future
    /// that is next but is neither polled nor dropped holds up those behind it.
    ///
    /// # Cancel safety
    /// The job is accepted when the future resolves, not before. Dropping it until then drops the task.
    pub fn execute_when_room<Fut, T, E>(&self, task: Fut) -> ExecuteWhenRoom<T, E>
    where
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let (result, job) = Task::with_handle(task);
        ExecuteWhenRoom::new(self.clone(), result, job)
    }

    /// Runs the tasks of a stream as jobs, each when a worker is free for it.
    ///
    /// The stream may be an `async_channel::Receiver` of tasks, or anything else that gives tasks over time. It is asked for
    /// the next one only when a worker has nothing else to do, so a channel that is full holds its senders back, and a lazy
    /// stream is not run ahead of. Its tasks are jobs like any other: they are counted, hooks are called, drains and shutdowns
    /// wait for them. But they have no handles: what they return is dropped.
    ///
    /// The future that this returns does the work: join it with others, spawn it, or let it run
    /// [beside the driver](crate::Driver::run_until). It resolves when the stream has ended, by which time all its tasks were
    /// accepted. Many streams may feed a pool at once.
    ///
    /// ```
    /// use abreast::pool;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = pool(4);
    /// let (sender, tasks) = async_channel::bounded(2);
    /// let submit = async move {
    ///     for n in 1..=100 {
    ///         let task = async move { Ok::<_, ()>(n) };
    ///         sender.send(task).await.expect("the pool is open");
    ///     }
    /// };
    /// driver
    ///     .run_until(async {
    ///         let (fed, ()) = futures::join!(pool.feed(tasks), submit);
    ///         pool.drain().await;
    ///         fed
    ///     })
    ///     .await?;
    /// assert_eq!(pool.stats().total_succeeded, 100);
    /// # Ok::<_, abreast::PoolError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Order
    /// What was submitted goes first: a stream has a worker only when the queue is empty. Streams that wait for a worker have
    /// it in turn, one task at a time; one that is next but is neither polled nor dropped holds up those behind it.
    ///
    /// # Errors
    /// [`Closed`](PoolError::Closed) when the pool is [shut down](Self::shutdown), [`Abandoned`](PoolError::Abandoned) when
    /// there is no driver any more. No task is taken out of the stream to be refused: to keep the rest, pass `&mut stream`.
    /// While there is a [`drain`](Self::drain) the stream is not asked, and no error.
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream. Tasks that it has given run on. As long as it is pending, the pool is open even if
    /// all clones of it are dropped.
    ///
    /// # Panics
    /// A panic of the stream passes through to whoever polls the future. Polled again, it asks the stream again.
    ///
    /// # Polls and allocations
    /// One allocation for each task.
    pub fn feed<S, Fut, T, E>(&self, stream: S) -> Feed<S>
    where
        S: Stream<Item = Fut>,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        Feed::new(stream, |task| Task::detached(task), self.clone())
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
        let (result, job) = Task::with_handle(task);
        self.submit(result, job)
    }

    /// Accepts a job when the queue has room for it: the same as [`Pool::execute_when_room`], but the task need not
    /// be `Send`.
    ///
    /// # Errors
    /// As for [`Pool::execute_when_room`].
    pub fn execute_when_room<Fut, T, E>(&self, task: Fut) -> ExecuteWhenRoom<T, E, Local>
    where
        Fut: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: 'static,
    {
        let (result, job) = Task::with_handle(task);
        ExecuteWhenRoom::new(self.clone(), result, job)
    }

    /// Runs the tasks of a stream as jobs, each when a worker is free for it: the same as [`Pool::feed`], but tasks need not
    /// be `Send`.
    ///
    /// # Errors
    /// As for [`Pool::feed`].
    pub fn feed<S, Fut, T, E>(&self, stream: S) -> Feed<S, Local>
    where
        S: Stream<Item = Fut>,
        Fut: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: 'static,
    {
        Feed::new(stream, |task| Task::detached(task), self.clone())
    }
}

impl<K: Kind> Clone for Pool<K> {
    fn clone(&self) -> Self {
        Self {
            entry: self.entry.clone(),
        }
    }
}

impl_debug!(Pool<K: Kind> |self| { stats: self.stats() });
