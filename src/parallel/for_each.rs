//! The outcomes of a rolling window, handed to a consumer while tasks go on.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Parallel;
use crate::run::sink::{AsFinished, Buffer, InOrder};
use crate::run::{Consumed, ConsumingRun, IndexedSource, Observer};

impl<S, Fut, T, E, O> Parallel<S, Fut, T, E, O> {
    /// Hands each result to `consumer` with the index of its task (0-based, in input order), and lets tasks go on while
    /// the consumer awaits.
    ///
    /// One call at a time, in the order in which tasks end, or [in input order](ForEach::ordered). In a loop over a
    /// [stream](Self::into_stream), tasks stand still while the body of the loop awaits: it waits for ever if it needs
    /// a lock or a place in a channel that one of them holds. Here they do not.
    ///
    /// ```
    /// use abreast::parallel;
    /// # async fn fetch(page: u32) -> Result<String, std::io::Error> { Ok(format!("page {page}")) }
    /// # struct Database;
    /// # impl Database { async fn insert(&self, row: usize, page: &str) {} }
    /// # let database = Database;
    ///
    /// # smol::block_on(async {
    /// let stored = parallel((1..=100).map(fetch))
    ///     .concurrency(20)
    ///     .for_each(async |index, result| match result {
    ///         Ok(page) => database.insert(index, &page).await,
    ///         Err(error) => eprintln!("page {index}: {error}"),
    ///     })
    ///     .await;
    /// assert_eq!(stored.count, 100);
    /// # });
    /// ```
    ///
    /// The consumer is a closure that returns a future, which an `async` closure is, too, as long as it does not write
    /// to what it captures: then the compiler could not tell that a run with borrowed items is [`Send`]. What has to be
    /// written goes before an `async` block, or into a `Mutex` or a `Cell`:
    ///
    /// ```
    /// # smol::block_on(async {
    /// let mut sum = 0;
    /// abreast::parallel([1, 2, 3].map(|n| async move { Ok::<_, ()>(n) }))
    ///     .for_each(|_, result| {
    ///         sum += result.unwrap_or(0);
    ///         async move { println!("{sum} so far") }
    ///     })
    ///     .await;
    /// assert_eq!(sum, 6);
    /// # });
    /// ```
    ///
    /// # Order
    /// In the order in which tasks end; those that end at the same time in any order.
    ///
    /// # Limit
    /// At most [`concurrency`](Self::concurrency) tasks are running, waiting for the consumer or in its hand. Memory
    /// does not grow with the number of tasks, so the source may be endless. With [`fail_fast`](Self::fail_fast), a
    /// failure drops the running tasks, and what was done by then is consumed.
    ///
    /// # Cancel safety
    /// Dropping the future drops all running tasks, the running call of the consumer, and the results that wait for it.
    ///
    /// # Panics
    /// A panic of the consumer passes through, as one of a task or a hook does. Polled again, the run goes on with the
    /// next result.
    ///
    /// # Polls and allocations
    /// As with [`parallel()`](crate::parallel()), but for the list of results, of which there is none. A call of the
    /// consumer is polled once when it begins, and once per wake, by a waker of its own: neither does its wake poll a
    /// task, nor the other way round. One allocation for that waker.
    pub fn for_each<F, C>(self, consumer: F) -> ForEach<S, Fut, AsFinished<T, E>, F, C, O>
    where
        F: FnMut(usize, Result<T, E>) -> C,
        C: Future<Output = ()>,
    {
        ForEach {
            run: self.run.consume(AsFinished::new(), consumer),
        }
    }

    /// Hands each result to `consumer`, and ends with the first error that it returns.
    ///
    /// The same as [`for_each`](Self::for_each) otherwise. That a task fails is for the consumer to judge: with `?`, it
    /// ends the run.
    ///
    /// ```
    /// use std::io;
    /// # async fn fetch(page: u32) -> io::Result<String> { Ok(format!("page {page}")) }
    /// # async fn write(page: &str) -> io::Result<()> { Ok(()) }
    ///
    /// async fn copy() -> io::Result<()> {
    ///     abreast::parallel((1..=100).map(fetch))
    ///         .try_for_each(async |_, page| write(&page?).await)
    ///         .ordered()
    ///         .await?;
    ///     Ok(())
    /// }
    /// # smol::block_on(copy()).unwrap();
    /// ```
    ///
    /// # Errors
    /// The first error of the consumer. All running tasks, and the results that wait, have been dropped when it
    /// resolves.
    pub fn try_for_each<F, C, X>(
        self,
        consumer: F,
    ) -> TryForEach<S, Fut, AsFinished<T, E>, F, C, X, O>
    where
        F: FnMut(usize, Result<T, E>) -> C,
        C: Future<Output = Result<(), X>>,
    {
        TryForEach {
            run: self.run.consume(AsFinished::new(), consumer),
        }
    }
}

pin_project! {
    /// The future of [`Parallel::for_each`].
    #[must_use = "futures do nothing unless polled"]
    pub struct ForEach<S, Fut, K, F, C, O = ()> {
        #[pin]
        run: ConsumingRun<S, Fut, K, O, F, C, Infallible>,
    }
}

pin_project! {
    /// The future of [`Parallel::try_for_each`].
    #[must_use = "futures do nothing unless polled"]
    pub struct TryForEach<S, Fut, K, F, C, X, O = ()> {
        #[pin]
        run: ConsumingRun<S, Fut, K, O, F, C, X>,
    }
}

impl<S, Fut, T, E, F, C, O> ForEach<S, Fut, AsFinished<T, E>, F, C, O> {
    /// Hands results over in input order.
    ///
    /// A slow task holds up those behind it: they wait, and count for the [limit](Parallel::concurrency).
    ///
    /// ```
    /// # smol::block_on(async {
    /// let seen = std::cell::RefCell::new(vec![]);
    /// let tasks = ["a", "b", "c"].map(|name| async move { Ok::<_, ()>(name) });
    /// abreast::parallel(tasks).for_each(async |index, _| seen.borrow_mut().push(index)).ordered().await;
    /// assert_eq!(seen.into_inner(), [0, 1, 2]);
    /// # });
    /// ```
    pub fn ordered(self) -> ForEach<S, Fut, InOrder<T, E>, F, C, O> {
        ForEach {
            run: self.run.with_sink(InOrder::new()),
        }
    }
}

impl<S, Fut, T, E, F, C, X, O> TryForEach<S, Fut, AsFinished<T, E>, F, C, X, O> {
    /// Hands results over in input order: see [`ForEach::ordered`].
    pub fn ordered(self) -> TryForEach<S, Fut, InOrder<T, E>, F, C, X, O> {
        TryForEach {
            run: self.run.with_sink(InOrder::new()),
        }
    }
}

impl<S, Fut, K, F, C, O> Future for ForEach<S, Fut, K, F, C, O>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    F: FnMut(usize, Result<K::Value, K::Error>) -> C,
    C: Future<Output = ()>,
    O: Observer<K::Value, K::Error>,
{
    type Output = Consumed;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Consumed> {
        self.project().run.poll_all(cx)
    }
}

impl<S, Fut, K, F, C, X, O> Future for TryForEach<S, Fut, K, F, C, X, O>
where
    S: IndexedSource<Item = Fut>,
    Fut: Future<Output = Result<K::Value, K::Error>>,
    K: Buffer,
    F: FnMut(usize, Result<K::Value, K::Error>) -> C,
    C: Future<Output = Result<(), X>>,
    O: Observer<K::Value, K::Error>,
{
    type Output = Result<Consumed, X>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx)
    }
}

impl_fused!(FusedFuture for ForEach<S, Fut, K, F, C, O> |self| self.run.is_done());
impl_fused!(FusedFuture for TryForEach<S, Fut, K, F, C, X, O> |self| self.run.is_done());
impl_debug! { ForEach<S, Fut, K, F, C, O> { run } }
impl_debug! { TryForEach<S, Fut, K, F, C, X, O> { run } }
