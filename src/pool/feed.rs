//! A stream of jobs that goes into a pool as workers become free.

use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::stream::Stream;
use pin_project_lite::pin_project;

use super::error::PoolError;
use super::inner::{Inner, wake, wake_accepted, wake_all};
use super::job::Task;
use super::kind::{Job, Kind, Local, Sendable};
use super::pool::{LocalPool, Pool};
use super::state::Reservation;

/// A stream that always has a job, and workers on other threads that are always free, do not keep a poll from its end:
/// after this many jobs it yields to the executor.
const JOBS_PER_POLL: usize = 64;

pin_project! {
    /// The future of [`Pool::feed`]. Dropping it drops the stream; what it has started runs on.
    #[must_use = "futures do nothing unless polled"]
    pub struct Feed<S: Stream, K: Kind = Sendable> {
        #[pin]
        stream: S,
        // Forgets the type of a task.
        erase: fn(S::Item) -> Job<K>,
        // `None` once it has resolved: it keeps the pool open no longer.
        pool: Option<Pool<K>>,
        // Its place in the line for a worker, while it waits.
        ticket: Option<u64>,
    }

    impl<S: Stream, K: Kind> PinnedDrop for Feed<S, K> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // Whoever waits behind it may be next now.
            if let (Some(pool), Some(_)) = (this.pool, &this.ticket) {
                let (next, _own) = pool.inner().state.leave_sources(this.ticket);
                wake(next);
            }
        }
    }
}

impl Pool {
    /// Runs the tasks of a stream as jobs, each when a worker is free for it.
    ///
    /// The stream may be an `async_channel::Receiver` of tasks, or anything else that gives tasks over time. It is
    /// asked for the next one only when a worker has nothing else to do, so a channel that is full holds its senders
    /// back, and a lazy stream is not run ahead of. Its tasks are jobs like any other: they are counted, hooks are
    /// called, drains and shutdowns wait for them. But they have no handles: what they return is dropped.
    ///
    /// The future that this returns does the work: join it with others, spawn it, or let it run [beside the
    /// driver](crate::Driver::run_until). It resolves when the stream has ended, by which time all its tasks were
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
    /// What was submitted goes first: a stream has a worker only when the queue is empty. Streams that wait for a
    /// worker have it in turn, one task at a time; one that is next but is neither polled nor dropped holds up those
    /// behind it.
    ///
    /// # Errors
    /// [`Closed`](PoolError::Closed) when the pool is [shut down](Self::shutdown), [`Abandoned`](PoolError::Abandoned) when
    /// there is no driver any more. No task is taken out of the stream to be refused: to keep the rest, pass `&mut
    /// stream`. While there is a [`drain`](Self::drain) the stream is not asked, and no error.
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream. Tasks that it has given run on. As long as it is pending, the pool is open
    /// even if all clones of it are dropped.
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
    /// Runs the tasks of a stream as jobs, each when a worker is free for it: the same as [`Pool::feed`], but tasks
    /// need not be `Send`.
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

impl<S: Stream, K: Kind> Feed<S, K> {
    fn new(stream: S, erase: fn(S::Item) -> Job<K>, pool: Pool<K>) -> Self {
        Self {
            stream,
            erase,
            pool: Some(pool),
            ticket: None,
        }
    }
}

impl<S: Stream, K: Kind> Future for Feed<S, K> {
    type Output = Result<(), PoolError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let pool = this.pool.as_ref();
        let pool = pool.expect("`Feed` was polled after it had resolved");
        let (inner, priority) = (pool.inner(), pool.priority());
        for _ in 0..JOBS_PER_POLL {
            // Without a free worker, the stream is not asked.
            let mut waker = Some(cx.waker().clone());
            let (reservation, _own) = inner.state.reserve(this.ticket, &mut waker);
            let reserved = match reservation {
                Reservation::Granted => Reserved(inner),
                Reservation::Wait => return Poll::Pending,
                Reservation::Refused(refusal) => {
                    *this.pool = None;
                    return Poll::Ready(Err(refusal.into()));
                }
            };
            // The stream is foreign code, so no lock is held here. The worker stays reserved until the stream has
            // answered, or has panicked.
            match ready!(this.stream.as_mut().poll_next(cx)) {
                Some(task) => reserved.accept((this.erase)(task), priority),
                None => {
                    drop(reserved);
                    *this.pool = None;
                    return Poll::Ready(Ok(()));
                }
            }
        }
        // It has had its turn, and there may be more.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A worker that is reserved. Dropped, it is free again.
struct Reserved<'a, K: Kind>(&'a Inner<K>);

impl<K: Kind> Reserved<'_, K> {
    fn accept(self, job: Job<K>, priority: i32) {
        let queued = self.0.queued(job);
        match self.0.state.accept_reserved(queued, priority) {
            Ok((accepted, leaving)) => {
                // It is a job now.
                mem::forget(self);
                wake_accepted(accepted);
                wake_all(leaving);
            }
            // All workers have left while the stream was asked. The reservation ends after the job.
            Err(job) => drop(job),
        }
    }
}

impl<K: Kind> Drop for Reserved<'_, K> {
    fn drop(&mut self) {
        let released = self.0.state.release();
        wake(released.source);
        wake_all(released.leaving);
        if released.is_idle {
            self.0.notify_idle();
        }
    }
}

impl_debug!(Feed<S: Stream, K: Kind> { ticket });
impl_fused!(FusedFuture for Feed<S: Stream, K: Kind> |self| self.pool.is_none());
