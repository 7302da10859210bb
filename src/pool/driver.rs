//! The futures that run a pool: one for all workers, or one for each.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures::task::{LocalFutureObj, LocalSpawn, Spawn, SpawnError};
use pin_project_lite::pin_project;

use super::kind::{Kind, Local, Sendable};
use super::worker::JobRunner;

/// A future that runs the jobs of a [pool](crate::pool()), and resolves when the pool was
/// [shut down](crate::Pool::shutdown), or all its clones were dropped, and every accepted job has ended.
///
/// It is one future for all workers: spawn it, join it with others, or let it run [beside a future](Driver::run_until).
/// To spread the workers over threads, take it [apart](Driver::into_workers).
///
/// ```
/// use abreast::pool;
///
/// let (pool, driver) = pool(4);
/// let thread = std::thread::spawn(|| smol::block_on(driver));
///
/// let six = pool.execute(async { Ok::<_, ()>(6) })?;
/// assert_eq!(smol::block_on(six), Ok(6));
/// drop(pool);
/// thread.join().expect("the driver resolves when all pools are dropped");
/// # Ok::<_, abreast::PoolError>(())
/// ```
///
/// # Order
/// Jobs are started in the order in which they were accepted, unless they have
/// [priorities](crate::Pool::with_priority).
///
/// # Cancel safety
/// Dropping it drops all jobs, queued and running. Their handles resolve with
/// [`Abandoned`](crate::JobError::Abandoned), and drains resolve.
///
/// # Panics
/// With the feature `std`, only a hook's panic passes through; nothing is lost, and polled again, it carries on.
/// Without it, so does a panic of a job.
///
/// # Polls and allocations
/// Each job is polled once when it starts, and once per wake. A worker costs two allocations when it is first
/// needed, none after that.
#[must_use = "nothing runs unless the driver is polled, and dropping it abandons all jobs"]
pub struct Driver<K: Kind = Sendable> {
    pub(super) runner: JobRunner<K>,
    workers: usize,
}

/// The driver of a [`LocalPool`](crate::LocalPool).
pub type LocalDriver = Driver<Local>;

impl<K: Kind> Driver<K> {
    pub(super) fn new(runner: JobRunner<K>, workers: usize) -> Self {
        Self { runner, workers }
    }

    /// Takes the driver apart into one future for each worker, to be spread over tasks or threads.
    ///
    /// Each runs one job at a time, and resolves as the driver would. Dropping one abandons the job that it
    /// runs; the others go on with the queue, and the last takes it along. Jobs that the driver runs already stay
    /// with the first worker.
    ///
    /// ```
    /// use abreast::pool;
    ///
    /// let (pool, driver) = pool(4);
    /// let threads: Vec<_> = driver
    ///     .into_workers()
    ///     .into_iter()
    ///     .map(|worker| std::thread::spawn(|| smol::block_on(worker)))
    ///     .collect();
    ///
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// assert_eq!(smol::block_on(six), Ok(6));
    /// smol::block_on(pool.shutdown());
    /// for thread in threads {
    ///     thread.join().unwrap();
    /// }
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    ///
    /// Under tokio, a task for each worker has them spread over the threads of the runtime:
    ///
    /// ```
    /// use abreast::pool;
    ///
    /// #[tokio::main]
    /// async fn main() {
    ///     let (pool, driver) = pool(4);
    ///     let workers: Vec<_> = driver.into_workers().into_iter().map(tokio::spawn).collect();
    ///     let six = pool.execute(async { Ok::<_, ()>(6) }).unwrap();
    ///     assert_eq!(six.await, Ok(6));
    ///
    ///     pool.shutdown().await;
    ///     for worker in workers {
    ///         worker.await.unwrap();
    ///     }
    /// }
    /// ```
    pub fn into_workers(self) -> Vec<Worker<K>> {
        let mut first = self.runner;
        let inner = first.inner().clone();
        first.split(self.workers);
        let rest = (1..self.workers).map(|number| JobRunner::new(inner.clone(), number, 1));
        let mut workers = Vec::with_capacity(self.workers);
        workers.push(Worker { runner: first });
        workers.extend(rest.map(|runner| Worker { runner }));
        workers
    }

    /// Runs jobs while `future` runs, and resolves to what it does: no executor is needed.
    ///
    /// Afterwards what is queued or running stays as it is, until the driver is polled again or dropped. If everything
    /// is to have ended by then, let the future [drain](crate::Pool::drain) the pool or shut it down as its last step.
    ///
    /// ```
    /// use abreast::pool;
    ///
    /// # smol::block_on(async {
    /// let (pool, mut driver) = pool(4);
    /// let sum = driver.run_until(async {
    ///     let one = pool.execute(async { Ok::<_, ()>(1) }).unwrap();
    ///     let two = pool.execute(async { Ok::<_, ()>(2) }).unwrap();
    ///     one.await.unwrap() + two.await.unwrap()
    /// });
    /// assert_eq!(sum.await, 3);
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future drops `future` alone.
    pub fn run_until<F: Future>(&mut self, future: F) -> RunUntil<'_, F, K> {
        RunUntil {
            future,
            driver: self,
        }
    }

    /// Spawns the driver onto an executor of one thread, as one task.
    ///
    /// ```
    /// use abreast::local_pool;
    /// use futures::executor::LocalPool;
    ///
    /// let mut executor = LocalPool::new();
    /// let (pool, driver) = local_pool(4);
    /// driver.spawn_local_on(&executor.spawner()).unwrap();
    ///
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// assert_eq!(executor.run_until(six), Ok(6));
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    ///
    /// # Errors
    /// If the executor has been shut down. The pool has no driver then.
    pub fn spawn_local_on(self, executor: &(impl LocalSpawn + ?Sized)) -> Result<(), SpawnError> {
        executor.spawn_local_obj(LocalFutureObj::new(Box::new(self)))
    }
}

impl Driver {
    /// Spawns the driver onto an executor, as one task.
    ///
    /// ```
    /// use abreast::pool;
    /// use futures::executor::LocalPool;
    ///
    /// let mut executor = LocalPool::new();
    /// let (pool, driver) = pool(4);
    /// driver.spawn_on(&executor.spawner()).unwrap();
    ///
    /// let six = pool.execute(async { Ok::<_, ()>(6) })?;
    /// assert_eq!(executor.run_until(six), Ok(6));
    /// # Ok::<_, abreast::PoolError>(())
    /// ```
    ///
    /// # Errors
    /// If the executor has been shut down. The pool has no driver then.
    pub fn spawn_on(self, executor: &(impl Spawn + ?Sized)) -> Result<(), SpawnError> {
        executor.spawn_obj(Box::new(self).into())
    }
}

impl LocalDriver {
    /// Spawns the driver onto an executor of one thread, as one task: the same as
    /// [`spawn_local_on`](Driver::spawn_local_on).
    ///
    /// # Errors
    /// If the executor has been shut down. The pool has no driver then.
    pub fn spawn_on(self, executor: &(impl LocalSpawn + ?Sized)) -> Result<(), SpawnError> {
        self.spawn_local_on(executor)
    }
}

impl<K: Kind> Future for Driver<K> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.runner.poll(cx)
    }
}

impl_fused!(FusedFuture for Driver<K: Kind> |self| self.runner.is_done());

impl_debug!(Driver<K: Kind> |self| { stats: self.runner.inner().state.stats() });

/// One worker of a pool, a future: see [`Driver::into_workers`].
#[must_use = "a worker does nothing unless polled, and dropping it abandons its job"]
pub struct Worker<K: Kind = Sendable> {
    runner: JobRunner<K>,
}

impl<K: Kind> Future for Worker<K> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.runner.poll(cx)
    }
}

impl_fused!(FusedFuture for Worker<K: Kind> |self| self.runner.is_done());

impl_debug!(Worker<K: Kind> {});

pin_project! {
    /// The future of [`Driver::run_until`].
    #[must_use = "futures do nothing unless polled"]
    pub struct RunUntil<'a, F, K: Kind = Sendable> {
        #[pin]
        future: F,
        driver: &'a mut Driver<K>,
    }
}

impl<F: Future, K: Kind> Future for RunUntil<'_, F, K> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(output);
        }
        let _ = this.driver.runner.poll(cx);
        Poll::Pending
    }
}

impl_debug!(RunUntil<'a, F, K: Kind> { driver });
