//! A pool for one kind of job, with a channel as its queue.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use async_channel::{Receiver, Sender};
use futures::stream::Stream;

use crate::engine::{TaskSet, Window};

/// Creates a pool for one kind of job: a channel whose messages are handled by at most `workers` futures of `handler`
/// at any time.
///
/// Where all jobs are alike and none is awaited on its own, this is less than a [`pool`](crate::pool()): no handle, no
/// figures, no hooks. The queue is the channel, and at most `capacity` jobs wait in it, beside those that run. Jobs are
/// sent by any number of [`Sender`]s, which wait while the channel is full. A job that is to be answered has the way
/// back in it.
///
/// The driver is a future: spawn it, or join it with others. It resolves when all senders are gone, or one of them has
/// [closed](Sender::close) the channel, and all jobs have ended.
///
/// ```
/// use abreast::channel_pool;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// # smol::block_on(async {
/// let sum = AtomicU32::new(0);
/// let (jobs, driver) = channel_pool(3, 10, |n: u32| {
///     let sum = &sum;
///     async move {
///         // ...
///         sum.fetch_add(n, Ordering::Relaxed);
///     }
/// });
/// let submit = async move {
///     for n in 1..=100 {
///         jobs.send(n).await.expect("the driver is there");
///     }
/// };
/// futures::join!(driver, submit);
/// assert_eq!(sum.into_inner(), 5050);
/// # });
/// ```
///
/// # Order
/// Jobs are started in the order in which they were sent.
///
/// # Cancel safety
/// Dropping the driver drops all jobs, queued and running, and closes the channel.
///
/// # Panics
/// If `workers` or `capacity` is 0: nothing could ever run.
///
/// A panic of a job, or of the handler, passes through to whoever polls the driver. Polled again, it carries on with
/// all other jobs. To keep panics from the driver, catch them in the handler, as by `catch_unwind` of the crate
/// futures.
///
/// # Polls and allocations
/// Each job is polled once when it starts, and once per wake. Futures are kept in slots that are used again, so a job
/// allocates nothing beyond what its own future does. The channel allocates once for each time that the driver waits
/// for it.
#[track_caller]
pub fn channel_pool<J, F, Fut>(
    workers: usize,
    capacity: usize,
    handler: F,
) -> (Sender<J>, ChannelDriver<J, F, Fut>)
where
    F: FnMut(J) -> Fut,
    Fut: Future<Output = ()>,
{
    assert!(
        workers > 0,
        "a pool of 0 workers runs nothing: pass at least 1"
    );
    assert!(
        capacity > 0,
        "a channel with a capacity of 0 accepts nothing: pass at least 1"
    );
    let (sender, jobs) = async_channel::bounded(capacity);
    let queue = Arc::new(Queue(jobs));
    (sender, ChannelDriver::new(queue, handler, workers))
}

/// Runs the jobs of a [`channel_pool`] when it is polled.
#[must_use = "nothing runs unless the driver is polled, and dropping it closes the channel"]
pub struct ChannelDriver<J, F, Fut> {
    window: Window<Fut>,
    source: ChannelSource<J, F>,
    done: bool,
}

/// The driver pins nothing: jobs are pinned in their slots, and the receiver in its box.
impl<J, F, Fut> Unpin for ChannelDriver<J, F, Fut> {}

/// The task set: the channel is the source, and futures return nothing.
struct ChannelSource<J, F> {
    /// Holds a listener while the channel is empty. That is dropped with it, so that a wake is not kept from others.
    jobs: Pin<Box<Receiver<J>>>,
    handler: F,
    limit: usize,
    /// Dropped with the last worker.
    queue: Arc<Queue<J>>,
}

/// The channel as the end of all workers finds it. A channel keeps its messages as long as it has senders; no worker is
/// left to receive them, so they are dropped here.
struct Queue<J>(Receiver<J>);

impl<J> Drop for Queue<J> {
    fn drop(&mut self) {
        self.0.close();
        while self.0.try_recv().is_ok() {}
    }
}

impl<J, F> Unpin for ChannelSource<J, F> {}

impl<J, F, Fut> ChannelDriver<J, F, Fut> {
    fn new(queue: Arc<Queue<J>>, handler: F, limit: usize) -> Self {
        Self {
            window: Window::new(),
            source: ChannelSource {
                jobs: Box::pin(queue.0.clone()),
                handler,
                limit,
                queue,
            },
            done: false,
        }
    }

    /// Takes the driver apart into one for each worker, to be spread over tasks or threads.
    ///
    /// Each runs one job at a time, and resolves as the driver would. Dropping one drops the job that it runs, and the
    /// last takes the queue along. Jobs that the driver runs already stay with the first.
    ///
    /// ```
    /// use abreast::channel_pool;
    ///
    /// let (answers, results) = async_channel::unbounded();
    /// let (jobs, driver) = channel_pool(4, 10, move |n: u32| {
    ///     let answers = answers.clone();
    ///     async move {
    ///         let _ = answers.send(n * n).await;
    ///     }
    /// });
    /// let threads: Vec<_> = driver
    ///     .into_workers()
    ///     .into_iter()
    ///     .map(|worker| std::thread::spawn(|| smol::block_on(worker)))
    ///     .collect();
    ///
    /// jobs.send_blocking(6).expect("the workers are there");
    /// assert_eq!(results.recv_blocking(), Ok(36));
    /// drop(jobs);
    /// for thread in threads {
    ///     thread.join().unwrap();
    /// }
    /// ```
    pub fn into_workers(mut self) -> Vec<Self>
    where
        F: Clone,
    {
        let limit = core::mem::replace(&mut self.source.limit, 1);
        // Its listener may be notified while this has no room for a job: a new receiver has none.
        let queue = self.source.queue.clone();
        self.source.jobs.set(queue.0.clone());
        let rest: Vec<_> = (1..limit)
            .map(|_| Self::new(queue.clone(), self.source.handler.clone(), 1))
            .collect();
        let mut workers = Vec::with_capacity(limit);
        workers.push(self);
        workers.extend(rest);
        workers
    }
}

impl<J, F, Fut> TaskSet for ChannelSource<J, F>
where
    F: FnMut(J) -> Fut,
    Fut: Future<Output = ()>,
{
    type Task = Fut;

    fn has_capacity(&self, in_flight: usize) -> bool {
        in_flight < self.limit
    }

    fn expected_in_flight(&self) -> Option<usize> {
        Some(self.limit)
    }

    #[inline]
    fn poll_task(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Fut),
    ) -> Poll<bool> {
        let this = &mut *self;
        let job = ready!(this.jobs.as_mut().poll_next(cx));
        Poll::Ready(job.map(&mut this.handler).map(start).is_some())
    }

    fn record(self: Pin<&mut Self>, _: usize, _: Option<()>) {}

    fn notify(self: Pin<&mut Self>, _: usize) {}
}

impl<J, F, Fut> Future for ChannelDriver<J, F, Fut>
where
    F: FnMut(J) -> Fut,
    Fut: Future<Output = ()>,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.done {
            ready!(this.window.poll(cx, Pin::new(&mut this.source)));
            this.done = true;
        }
        Poll::Ready(())
    }
}

impl_fused!(FusedFuture for ChannelDriver<J, F, Fut> |self| self.done);
impl_debug!(ChannelDriver<J, F, Fut> |self| {
    queue_length: self.source.jobs.len(),
    active_workers: self.window.in_flight(),
});
