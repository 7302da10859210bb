//! The first few successes win.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use super::Race;
use super::start_policy::StartPolicy;
use super::state::RaceResult;
use crate::engine::{TaskSet, Window};
use crate::outcome::{BoxError, BoxErrors, Failures, source_of, write_failure};
use crate::run::Observer;

impl<I, Fut, T, E, O, P> Race<I, Fut, T, E, O, P> {
    /// Ends the race when `needed` tasks have succeeded, with all of them.
    ///
    /// For reads that several replicas have to agree on, or for a majority. Hooks and delays are set before this.
    ///
    /// ```
    /// use abreast::race;
    ///
    /// # smol::block_on(async {
    /// async fn read(replica: &str) -> Result<u32, String> {
    ///     // ...
    /// #    if replica == "b" { Err("down".into()) } else { Ok(7) }
    /// }
    ///
    /// let won = race(["a", "b", "c", "d"].map(read)).quorum(2).await?;
    /// assert_eq!((won[0].winner_index, won[1].winner_index), (0, 2));
    /// assert!(won.iter().all(|replica| replica.value == 7));
    /// # Ok::<_, abreast::QuorumError<u32, String>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Order
    /// Winners are in order of success. `needed` tasks start at once, also in a [`stagger`](Race::stagger)ed race and
    /// in a [`fall_through`](crate::fall_through()); then another one for each that fails, and those that the delays
    /// start.
    ///
    /// # Errors
    /// [`QuorumError`] as soon as `needed` successes are out of reach: by the size hint of the tasks, or when all have ended. It has
    /// the errors, and the values of the tasks that had succeeded by then; the rest is dropped.
    ///
    /// # Panics
    /// If `needed` is 0: the race would be over before it began. Beyond that, as [`race`](crate::race()).
    ///
    /// # Polls and allocations
    /// As [`race`](crate::race()), and a list of the winners.
    #[track_caller]
    pub fn quorum(self, needed: usize) -> Quorum<I, Fut, T, E, O, P> {
        assert!(
            needed > 0,
            "a quorum of 0 is there before the race: pass at least 1"
        );
        let (tasks, observer, policy) = self.state.into_parts();
        Quorum {
            window: Window::all_at_once(),
            state: QuorumState {
                tasks,
                needed,
                may_start: needed,
                started: 0,
                ended: 0,
                closed: false,
                out_of_reach: false,
                winners: Vec::new(),
                failures: Failures::new(),
                observer,
                policy,
            },
            done: false,
        }
    }
}

/// The error of a [quorum](Race::quorum) that was not reached.
///
/// The error of the task that failed last is its [`source`](Error::source), if that is an [`Error`];
/// [`boxed`](BoxErrors::boxed) makes it one. So `{}` does not tell it, but `{:#}` does.
///
/// ```
/// use abreast::race;
///
/// # smol::block_on(async {
/// let tasks = [Ok(1), Err("down"), Err("busy")].map(|result| async move { result });
/// let error = race(tasks).quorum(2).await.unwrap_err();
/// assert_eq!(format!("{error}"), "1 of 2 needed tasks succeeded, 2 failed, task 2 last");
/// assert_eq!(format!("{error:#}"), "1 of 2 needed tasks succeeded, 2 failed, task 2 last: busy");
///
/// // Nothing is lost.
/// assert_eq!((error.winners[0].value, error.winners[0].winner_index), (1, 0));
/// assert_eq!(error.failures.into_iter().collect::<Vec<_>>(), [(1, "down"), (2, "busy")]);
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct QuorumError<T, E> {
    /// The number of successes that were needed.
    pub needed: usize,
    /// The tasks that had succeeded, in order of success.
    pub winners: Vec<RaceResult<T>>,
    /// The errors of the tasks that had failed, in order of failure.
    pub failures: Failures<E>,
}

impl<T, E: fmt::Display> fmt::Display for QuorumError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (won, needed) = (self.winners.len(), self.needed);
        let failed = self.failures.len();
        match self.failures.iter().next_back() {
            None => write!(f, "{won} of {needed} needed tasks succeeded"),
            Some((index, error)) => write_failure(
                f,
                format_args!(
                    "{won} of {needed} needed tasks succeeded, {failed} failed, task {index} last"
                ),
                error,
            ),
        }
    }
}

/// The source is the error of the task that failed last.
impl<T: fmt::Debug, E: Error + 'static> Error for QuorumError<T, E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failures.last().map(source_of)
    }
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> BoxErrors for QuorumError<T, E> {
    type Boxed = QuorumError<T, BoxError>;

    fn boxed(self) -> QuorumError<T, BoxError> {
        QuorumError {
            needed: self.needed,
            winners: self.winners,
            failures: self.failures.boxed(),
        }
    }
}

/// The future of [`Race::quorum`].
#[must_use = "futures do nothing unless polled"]
pub struct Quorum<I, Fut, T, E, O, P> {
    window: Window<Fut>,
    state: QuorumState<I, T, E, O, P>,
    done: bool,
}

/// Tasks and timers are in boxes, and nothing else in a race is ever pinned.
impl<I, Fut, T, E, O, P> Unpin for Quorum<I, Fut, T, E, O, P> {}

impl<I, Fut, T, E, O, P> Future for Quorum<I, Fut, T, E, O, P>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
    P: StartPolicy,
{
    type Output = Result<Vec<RaceResult<T>>, QuorumError<T, E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(!this.done, "`Quorum` was polled after it had resolved");
        ready!(this.window.poll(cx, Pin::new(&mut this.state)));
        this.done = true;
        let state = &mut this.state;
        let winners = mem::take(&mut state.winners);
        if winners.len() == state.needed {
            state.policy.on_won();
            return Poll::Ready(Ok(winners));
        }
        Poll::Ready(Err(QuorumError {
            needed: state.needed,
            winners,
            failures: mem::replace(&mut state.failures, Failures::new()),
        }))
    }
}

/// Starts tasks as its policy says, and keeps what they return.
struct QuorumState<I, T, E, O, P> {
    tasks: I,
    needed: usize,
    /// The number of tasks that may start whatever the policy says: those that are needed, and one for each that has
    /// failed.
    may_start: usize,
    started: usize,
    ended: usize,
    /// Whether no other task will start: there is none, or no budget for one.
    closed: bool,
    /// Whether so few tasks are left that the quorum cannot be reached.
    out_of_reach: bool,
    /// In order of success; never more than are needed.
    winners: Vec<RaceResult<T>>,
    failures: Failures<E>,
    observer: O,
    policy: P,
}

/// The tasks are in the window, and nothing in here is ever pinned.
impl<I, T, E, O, P> Unpin for QuorumState<I, T, E, O, P> {}

impl<I: Iterator, T, E, O, P> QuorumState<I, T, E, O, P> {
    /// Notes whether the quorum is still within reach, as far as the size hint says.
    fn check_reach(&mut self) {
        let running = self.started - self.ended;
        let left = match self.tasks.size_hint().1 {
            _ if self.closed => 0,
            Some(left) => left,
            None => usize::MAX,
        };
        let reach = (self.winners.len() + running).saturating_add(left);
        self.out_of_reach = reach < self.needed;
    }
}

impl<I, Fut, T, E, O, P> TaskSet for QuorumState<I, T, E, O, P>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
    P: StartPolicy,
{
    type Task = Fut;

    fn has_capacity(&self, _: usize) -> bool {
        !self.should_stop()
    }

    fn expected_in_flight(&self) -> Option<usize> {
        let starts_all = self.policy.starts_all();
        starts_all.then(|| self.tasks.size_hint().1).flatten()
    }

    fn poll_task(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Fut),
    ) -> Poll<bool> {
        let this = &mut *self;
        if this.started == 0 {
            this.observer.on_begin();
        }
        // What is needed starts at once, and is not what a budget is for. Others wait for the policy, unless there is
        // none.
        let has_more = this.tasks.size_hint().1 != Some(0);
        if this.may_start > 0 {
            this.policy.restart();
            let is_first = this.started == 0;
            let asks = has_more && (is_first || this.started >= this.needed);
            this.closed |= asks && !this.policy.may_start(is_first);
        } else if has_more {
            ready!(this.policy.poll_start(cx));
        }

        let task = if this.closed { None } else { this.tasks.next() };
        this.may_start = this.may_start.saturating_sub(1);
        let Some(task) = task else {
            this.closed = true;
            this.check_reach();
            return Poll::Ready(false);
        };
        this.started += 1;
        start(task);
        Poll::Ready(true)
    }

    #[inline(always)]
    fn has_start_hook(&self) -> bool {
        self.observer.has_start_hook()
    }

    fn on_start(mut self: Pin<&mut Self>, index: usize) {
        self.observer.on_start(index);
    }

    fn record(mut self: Pin<&mut Self>, index: usize, output: Option<Result<T, E>>) {
        self.ended += 1;
        // A success is one task less that is needed, so no other starts for it.
        match output {
            Some(Ok(value)) => self.winners.push(RaceResult {
                value,
                winner_index: index,
            }),
            Some(Err(error)) => {
                self.may_start += 1;
                self.failures.push(index, error);
            }
            None => self.may_start += 1,
        }
    }

    fn notify(mut self: Pin<&mut Self>, index: usize) {
        let this = &mut *self;
        this.check_reach();
        // It was the last to succeed or the last to fail.
        match (this.winners.last(), this.failures.iter().next_back()) {
            (Some(won), _) if won.winner_index == index => {
                this.observer.on_complete(&won.value, index);
            }
            (_, Some((failed, error))) if failed == index => this.observer.on_error(error, index),
            _ => {}
        }
    }

    fn retry_source(&self) -> bool {
        self.may_start > 0
    }

    fn should_stop(&self) -> bool {
        self.winners.len() == self.needed || self.out_of_reach
    }
}

impl_fused!(FusedFuture for Quorum<I, Fut, T, E, O, P> |self| self.done);
impl_debug! { Quorum<I, Fut, T, E, O, P> { window } }
