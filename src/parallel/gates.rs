//! Gates that hold tasks of a rolling window back: a limit or a rate that others share.

use super::Parallel;
use crate::limit::{
    AdaptiveGate, AdaptiveLimit, Feedback, Learn, LeaveLimit, Limit, LimitGate, MeasuredPass,
    Permit,
};
use crate::rate::{LeaveRate, Rate, RateGate};
use crate::run::{Admitted, Gated};
use crate::time::Timer;

/// The run of [`Parallel::limit`].
type Limited<S, Fut, T, E, O> =
    Parallel<Gated<S, Fut, LimitGate>, Admitted<Fut, Permit>, T, E, (O, LeaveLimit)>;

/// The run of [`Parallel::adaptive`].
type Adaptive<S, Fut, M, C, T, E, O> = Parallel<
    Gated<S, Fut, AdaptiveGate<M>>,
    Admitted<Fut, MeasuredPass<M>>,
    T,
    E,
    (O, Learn<M, C>),
>;

/// The run of [`Parallel::rate`].
type Rated<S, Fut, M, T, E, O> =
    Parallel<Gated<S, Fut, RateGate<M>>, Admitted<Fut, ()>, T, E, (O, LeaveRate)>;

impl<S, Fut, T, E, O> Parallel<S, Fut, T, E, O> {
    /// Limits the tasks by a [`Limit`] that is shared with others, and that may change while they run.
    ///
    /// Each task has a permit from its start until it has ended and been dropped. The
    /// [`concurrency`](Self::concurrency) of the run holds as well.
    ///
    /// ```
    /// use abreast::{Limit, gather, parallel};
    /// # async fn fetch(page: u32) -> Result<u32, std::io::Error> { Ok(page) }
    ///
    /// # smol::block_on(async {
    /// let limit = Limit::new(8);
    /// let news = parallel((0..100).map(fetch)).concurrency(20).limit(&limit);
    /// let blog = parallel((100..200).map(fetch)).concurrency(20).limit(&limit);
    ///
    /// // Eight pages at a time, in turns.
    /// let (news, blog) = gather((news, blog)).await;
    /// # assert!(news.all_succeeded() && blog.all_succeeded());
    /// # });
    /// ```
    ///
    /// # Order
    /// Runs that wait take turns: see [`Limit`]. The next task is pulled before there is a permit for it, and only
    /// then.
    ///
    /// # Cancel safety
    /// Dropping the run gives back all of its permits and its place in the line, and so does a failure that ends it.
    ///
    /// # Polls and allocations
    /// While it waits, running tasks go on. It is woken once for each permit, and no allocation is made for one.
    pub fn limit(self, limit: &Limit) -> Limited<S, Fut, T, E, O> {
        let (gate, leave) = limit.gate();
        Parallel {
            run: self.run.gate(gate).observe(leave),
        }
    }

    /// Limits the tasks by an [`AdaptiveLimit`], which learns from how long they take and from what `classify` makes of
    /// their results.
    ///
    /// Otherwise the same as [`limit`](Self::limit). The [`concurrency`](Self::concurrency) of the run holds as well,
    /// so it is to be as high as the limit may grow.
    ///
    /// ```
    /// use abreast::{Limit, parallel};
    /// use abreast::limit::Feedback;
    /// # async fn fetch(page: u32) -> Result<u32, u16> { if page == 7 { Err(503) } else { Ok(page) } }
    ///
    /// # smol::block_on(async {
    /// let limit = Limit::aimd().initial(4);
    /// let result = parallel((0..8).map(fetch))
    ///     .concurrency(100)
    ///     .adaptive(&limit, smol::Timer::after, |result| match result {
    ///         Ok(_) => Feedback::Fine,
    ///         // "Too Many Requests" and "Service Unavailable".
    ///         Err(429 | 503) => Feedback::Overload,
    ///         Err(_) => Feedback::Ignored,
    ///     })
    ///     .await;
    /// assert_eq!((result.success_count(), result.failure_count()), (7, 1));
    /// # });
    /// ```
    ///
    /// # Order
    /// As with [`limit`](Self::limit). A result is classified when its task has been dropped, after the hooks that were
    /// given before.
    ///
    /// # Cancel safety
    /// As with [`limit`](Self::limit). Tasks that were dropped before they ended do not count.
    ///
    /// # Panics
    /// A panic of `classify` passes through to whoever polls this future. No result is lost, and that task does not
    /// count.
    ///
    /// # Polls and allocations
    /// As with [`limit`](Self::limit), and one allocation more, for the run. It is `Send` if the timer is `Send` and
    /// `Sync`, which functions are.
    pub fn adaptive<M, C>(
        self,
        limit: &AdaptiveLimit,
        timer: M,
        classify: C,
    ) -> Adaptive<S, Fut, M, C, T, E, O>
    where
        M: Timer,
        C: FnMut(Result<&T, &E>) -> Feedback,
    {
        let (gate, learn) = limit.gate(timer, classify);
        Parallel {
            run: self.run.gate(gate).observe(learn),
        }
    }

    /// Starts the tasks at a [`Rate`] that is shared with others. Each costs one unit.
    ///
    /// To be called after [`limit`](Self::limit) where there are both: what comes last is waited for last, and a task
    /// that waits for a permit after it has acquired its unit would start later than the rate says.
    ///
    /// ```
    /// use abreast::{Limit, Rate, parallel};
    /// # async fn fetch(page: u32) -> Result<u32, std::io::Error> { Ok(page) }
    ///
    /// # smol::block_on(async {
    /// let (limit, rate) = (Limit::new(8), Rate::per_second(1000).burst(10));
    /// let result = parallel((0..20).map(fetch)).limit(&limit).rate(&rate, smol::Timer::after).await;
    /// # assert!(result.all_succeeded());
    /// # });
    /// ```
    ///
    /// # Order
    /// Runs that wait take turns: see [`Rate`]. The next task is pulled before it may start, and only then.
    ///
    /// # Cancel safety
    /// Dropping the run gives up its place in the line, and so does a failure that ends it.
    ///
    /// # Panics
    /// Polled without the feature `std`, if the timer has no clock: see [`Timer::now`].
    ///
    /// # Polls and allocations
    /// While it waits, running tasks go on. One allocation, for the timer, when it waits first.
    pub fn rate<M: Timer>(self, rate: &Rate, timer: M) -> Rated<S, Fut, M, T, E, O> {
        let (gate, leave) = rate.gate(timer);
        Parallel {
            run: self.run.gate(gate).observe(leave),
        }
    }
}
