//! Any number of futures of any output.

use alloc::vec::Vec;
use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use futures::stream;
use pin_project_lite::pin_project;

use crate::outcome::{EndReason, ParallelResult, TaskError};
use crate::run::sink::Outcomes;
use crate::run::{Concurrency, Deadline, Run, StopOn, Stoppable};
use crate::run::{Observer, OnComplete, OnProgress, OnStart, Progress};
use crate::time::Timer;

/// Runs futures side by side, and resolves to what they return, in input order.
///
/// The futures need not return a `Result`; if they do, the results are in the list, and no error ends anything. All run
/// at once, unless there is a limit on their [`concurrency`](JoinAll::concurrency). For a fixed set, such as a tuple of
/// futures of different types, see [`gather`](crate::gather()).
///
/// ```
/// use abreast::join_all;
///
/// # smol::block_on(async {
/// async fn length(word: &str) -> usize {
///     // ...
/// #    word.len()
/// }
///
/// let lengths = join_all(["side", "by", "side"].map(length)).await;
/// assert_eq!(lengths, [4, 2, 4]);
/// # });
/// ```
///
/// # Order
/// Futures start in input order, and the outputs are in input order.
///
/// # Cancel safety
/// Dropping the future drops all running futures at once.
///
/// # Panics
/// A panic of a future, the hook or the iterator passes through. Polled again, the rest is run, and then there is
/// another panic, as one output is missing.
///
/// # Polls and allocations
/// Each future is polled once when it starts, and once per wake, however many there are. One allocation for each eight
/// futures that are pending at the same time (one for each if a future is larger than 512 bytes), and a few more; with
/// a limit on their concurrency, one more for each that runs at the same time. If the size hint of the iterator is
/// exact, the list has no room for more than the outputs.
pub fn join_all<I, Fut, T>(futures: I) -> JoinAll<I::IntoIter, Fut, T>
where
    I: IntoIterator<Item = Fut>,
    Fut: Future<Output = T>,
{
    let tasks = stream::iter(NeverErrors(futures.into_iter()));
    JoinAll {
        run: Run::all_at_once(tasks),
    }
}

pin_project! {
    /// The future of [`join_all`].
    #[must_use = "futures do nothing unless polled"]
    pub struct JoinAll<I, Fut, T, O = ()> {
        #[pin]
        run: Run<stream::Iter<NeverErrors<I>>, NeverError<Fut>, Outcomes<T, Infallible>, O>,
    }
}

impl<I, Fut, T, O> JoinAll<I, Fut, T, O> {
    pub(super) fn is_done(&self) -> bool {
        self.run.is_done()
    }

    /// Limits how many futures run at any time; by default there is no limit.
    ///
    /// Futures are then pulled from the iterator as others end.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let squares = (1..=100).map(|n| async move { n * n });
    /// let squares = abreast::join_all(squares).concurrency(20).await;
    /// assert_eq!(squares[..3], [1, 4, 9]);
    /// # });
    /// ```
    ///
    /// # Panics
    /// If `limit` is 0: nothing could ever run.
    #[track_caller]
    pub fn concurrency(mut self, limit: usize) -> Self {
        assert!(
            limit > 0,
            "a concurrency of 0 runs nothing: pass at least 1, or usize::MAX to run all futures at once"
        );
        self.run.set_limit(Concurrency::Rolling(limit));
        self
    }

    /// Calls `hook` each time a future has ended, with the number of ended futures and the total.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let mut lines = Vec::new();
    /// abreast::join_all([1, 2].map(|n| async move { n }))
    ///     .on_progress(|progress| lines.push(progress.to_string()))
    ///     .await;
    /// assert_eq!(lines, ["1/2", "2/2"]);
    /// # });
    /// ```
    pub fn on_progress<F>(self, hook: F) -> JoinAll<I, Fut, T, (O, OnProgress<F>)>
    where
        F: FnMut(Progress),
    {
        self.add(OnProgress(hook))
    }

    /// Calls `hook` with the index (0-based, in input order) of each future that starts, just before its first poll.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let mut started = Vec::new();
    /// abreast::join_all([5, 7].map(|n| async move { n }))
    ///     .on_start(|index| started.push(index))
    ///     .await;
    /// assert_eq!(started, [0, 1]);
    /// # });
    /// ```
    pub fn on_start<F>(self, hook: F) -> JoinAll<I, Fut, T, (O, OnStart<F>)>
    where
        F: FnMut(usize),
    {
        self.add(OnStart(hook))
    }

    /// Calls `hook` with the output of each future that ends and its index (0-based, in input order).
    ///
    /// ```
    /// # smol::block_on(async {
    /// let mut ended = Vec::new();
    /// abreast::join_all([5, 7].map(|n| async move { n }))
    ///     .on_complete(|output, index| ended.push((index, *output)))
    ///     .await;
    /// assert_eq!(ended, [(0, 5), (1, 7)]);
    /// # });
    /// ```
    pub fn on_complete<F>(self, hook: F) -> JoinAll<I, Fut, T, (O, OnComplete<F>)>
    where
        F: FnMut(&T, usize),
    {
        self.add(OnComplete(hook))
    }

    /// Adds an observer, called after those that were given before, such as [`TaskTimes`](crate::TaskTimes).
    ///
    /// ```
    /// use abreast::{TaskTimes, join_all};
    ///
    /// # smol::block_on(async {
    /// let mut times = TaskTimes::new(smol::Timer::after);
    /// let outputs = join_all([5, 7].map(|n| async move { n })).observe(&mut times).await;
    /// for (index, output) in outputs.iter().enumerate() {
    ///     println!("{output} after {:?}", times.get(index).unwrap().run_time);
    /// }
    /// # });
    /// ```
    pub fn observe<P>(self, observer: P) -> JoinAll<I, Fut, T, (O, P)>
    where
        P: Observer<T, Infallible>,
    {
        self.add(observer)
    }

    fn add<P>(self, observer: P) -> JoinAll<I, Fut, T, (O, P)> {
        JoinAll {
            run: self.run.observe(observer),
        }
    }

    /// Ends the run when `signal` is ready, and keeps what is done by then: see
    /// [`Parallel::stop_on`](crate::Parallel::stop_on).
    ///
    /// It resolves to a [`ParallelResult`], as some futures may have no output. None fails, so the others are
    /// [`Succeeded`](crate::Outcome::Succeeded).
    ///
    /// ```
    /// use abreast::{EndReason, join_all};
    ///
    /// # smol::block_on(async {
    /// // Closed when the program is to shut down.
    /// let (shut_down, closing) = async_channel::bounded::<()>(1);
    /// # let mut shut_down = Some(shut_down);
    ///
    /// let pings = (0..4).map(|host| async move {
    ///     // ...
    /// #   if host == 2 { std::future::pending::<()>().await }
    ///     host
    /// });
    /// let result = join_all(pings)
    /// #   .on_complete(|_, host| if host == 3 { shut_down = None })
    ///     .stop_on(closing.recv())
    ///     .await;
    /// assert_eq!(result.end_reason(), EndReason::Stopped);
    /// assert_eq!(result.into_results().collect::<Vec<_>>(), [Some(0), Some(1), None, Some(3)]);
    /// # });
    /// ```
    pub fn stop_on<F: Future>(self, signal: F) -> StopOn<Self, F> {
        StopOn::new(self, signal, EndReason::Stopped)
    }

    /// Ends the run when `duration` has passed since its first poll, and keeps what is done by then: see
    /// [`stop_on`](Self::stop_on).
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::{EndReason, join_all};
    ///
    /// # smol::block_on(async {
    /// let pings = [0, 60].map(|minutes| async move {
    ///     smol::Timer::after(Duration::from_secs(60 * minutes)).await;
    ///     minutes
    /// });
    /// let result = join_all(pings).deadline(Duration::from_millis(5), smol::Timer::after).await;
    /// assert_eq!(result.end_reason(), EndReason::DeadlineElapsed);
    /// assert_eq!(result.into_results().collect::<Vec<_>>(), [Some(0), None]);
    /// # });
    /// ```
    pub fn deadline<M: Timer>(self, duration: Duration, timer: M) -> StopOn<Self, Deadline<M>> {
        StopOn::after(self, duration, timer)
    }
}

impl<I, Fut, T, O> Stoppable for JoinAll<I, Fut, T, O>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = T>,
    O: Observer<T, Infallible>,
{
    type Output = ParallelResult<T, Infallible>;

    fn poll_run(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx)
    }

    fn stop(self: Pin<&mut Self>, reason: EndReason) {
        self.project().run.stop(reason);
    }
}

impl<I, Fut, T, O> Future for JoinAll<I, Fut, T, O>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = T>,
    O: Observer<T, Infallible>,
{
    type Output = Vec<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<T>> {
        let values = ready!(self.project().run.poll_values(cx));
        Poll::Ready(match values {
            Ok(outputs) => outputs,
            Err(TaskError::Failed { error, .. }) => match error {},
            Err(TaskError::Cancelled { index }) => panic!("{}", no_output(index)),
        })
    }
}

/// Returns the message of the panic of a set that is polled after a future in it has panicked.
pub(crate) fn no_output(index: usize) -> alloc::string::String {
    alloc::format!("future {index} has panicked, so it has no output")
}

impl_fused!(FusedFuture for JoinAll<I, Fut, T, O> |self| self.is_done());
impl_debug! { JoinAll<I, Fut, T, O> { run } }

/// The futures of an iterator, as tasks that never fail.
struct NeverErrors<I>(I);

impl<I: Iterator> Iterator for NeverErrors<I> {
    type Item = NeverError<I::Item>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|future| NeverError { future })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

pin_project! {
    /// A future as a task that never fails.
    pub struct NeverError<Fut> {
        #[pin]
        future: Fut,
    }
}

impl<Fut: Future> Future for NeverError<Fut> {
    type Output = Result<Fut::Output, Infallible>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx).map(Ok)
    }
}
