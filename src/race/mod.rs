//! The first success wins.

mod hedge;
mod latencies;
mod quorum;
mod racers;
mod start_policy;
mod state;
mod tasks;

use crate::outcome::{RaceError, TaskOutput};
use crate::run::{Observer, OnComplete, OnError, OnStart};
use crate::time::Timer;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

pub use hedge::{Hedge, StaggerDelay};
pub use quorum::{Quorum, QuorumError};
use racers::Racers;
pub(crate) use start_policy::StartPolicy;
pub use start_policy::{AtOnce, OneByOne, Staggered};
pub use state::RaceResult;
use state::RaceState;
pub use tasks::{Listed, Mixed, RaceTasks};

/// Runs all tasks at once. The first that succeeds wins, and the others are dropped.
///
/// A race trades cost for time: all tasks run, and one is used. Between the cheapest way to get one success and the
/// fastest, the difference is the delay before the next task starts although the last one is still running. Whatever
/// the delay, the next task starts at once when one fails, and the result and the errors are the same.
///
/// | | [`fall_through`] | [`race(..).stagger(delay, timer)`](Race::stagger) | `race` |
/// |---|---|---|---|
/// | delay | infinite | some | none |
/// | execution | sequential | overlapping when slow | parallel |
/// | latency | highest: each failure is waited for | at most a delay more per slow task | lowest |
/// | cost | lowest: pays for what was needed | pays for a second task when the first is slow | highest: pays for all |
/// | best for | high availability where cost matters | low latency at little more cost | low latency at any cost |
///
/// ```
/// use abreast::race;
///
/// # smol::block_on(async {
/// async fn ask(mirror: &str) -> Result<String, String> {
///     // ...
/// #    if mirror == "a" { return Err("timed out".into()) }
/// #    Ok(format!("hello from {mirror}"))
/// }
///
/// let winner = race(["a", "b", "c"].map(ask)).await?;
/// println!("mirror {} says {}", winner.winner_index, winner.value);
/// # assert_eq!((winner.value.as_str(), winner.winner_index), ("hello from b", 1));
/// # Ok::<_, abreast::RaceError<String>>(())
/// # }).unwrap();
/// ```
///
/// The tasks are a list, or an iterator that creates them, of one type; or a tuple of up to twelve of different types
/// that return the same `Result`. More of them go into a list in boxes:
///
/// ```
/// use abreast::race;
/// use futures::FutureExt;
///
/// # smol::block_on(async {
/// async fn cached(key: u32) -> Result<String, String> {
///     // ...
/// #    Err(format!("no {key}"))
/// }
/// async fn fetched(url: &str) -> Result<String, String> {
///     // ...
/// #    Ok(format!("page of {url}"))
/// }
///
/// let winner = race((cached(7), fetched("a"), async { Err("gone".to_owned()) })).await?;
/// assert_eq!((winner.value.as_str(), winner.winner_index), ("page of a", 1));
///
/// let winner = race(vec![cached(7).boxed(), fetched("b").boxed()]).await?;
/// assert_eq!(winner.value, "page of b");
/// # Ok::<_, abreast::RaceError<String>>(())
/// # }).unwrap();
/// ```
///
/// # Order
/// Tasks start in input order, on the first poll; beyond 128, on those that follow it at once. A task that succeeds at
/// once ends the race: those behind it are neither created nor started. If the size hint says that there are four or
/// less, and there are more, those start when the four have ended. If several have become ready by the time that
/// the race is polled, the one with the lowest index is asked first.
///
/// # Errors
/// [`RaceError::AllFailed`] with every error if no task succeeds, [`RaceError::NoTasks`] if there are none.
///
/// # Cancel safety
/// Dropping the future drops all tasks at once. When it resolves, the losers have been dropped already.
///
/// # Panics
/// A panic of a task, the hook or the iterator passes through to whoever polls this future. Polled again, the race goes
/// on without the task that panicked.
///
/// # Polls and allocations
/// Each task is polled once when it starts, and once per wake: a race of *N* costs 2*N* polls if each is woken once,
/// not *N*² / 2. Two allocations and the list of errors for up to four tasks, if the size hint of the iterator says that
/// there are no more, and another one if there are four, and all of them fail. Otherwise one for each eight tasks that
/// do not end at once, a few more, and the list of errors. Tasks of more than 512 bytes have one each.
pub fn race<S, K, Fut, T, E>(tasks: S) -> Race<S::IntoIter, Fut, T, E>
where
    S: RaceTasks<K, Task = Fut>,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    Race::new(tasks.into_tasks(), AtOnce)
}

/// Runs tasks one at a time until one succeeds.
///
/// The next task is created only when the one before it has failed, so nothing is paid for that is not needed. It is a
/// [`race()`] with an infinite delay between the starts, and resolves to the same; see there for a comparison. Where
/// time matters too, [`stagger`](Race::stagger) does not wait for ever for a slow one.
///
/// ```
/// use abreast::fall_through;
///
/// # smol::block_on(async {
/// async fn ask(model: &str) -> Result<String, String> {
///     // ...
/// #    if model == "large" { return Err("overloaded".into()) }
/// #    Ok(format!("hello from {model}"))
/// }
///
/// let answer = fall_through(["large", "small", "tiny"].into_iter().map(ask))
///     .on_error(|error, index| eprintln!("model {index}: {error}"))
///     .await?;
/// assert_eq!((answer.value.as_str(), answer.winner_index), ("hello from small", 1));
/// # Ok::<_, abreast::RaceError<String>>(())
/// # }).unwrap();
/// ```
///
/// # Order
/// A task is pulled from the iterator when the one before it has failed and been dropped.
///
/// # Errors
/// [`RaceError::AllFailed`] with every error if no task succeeds, [`RaceError::NoTasks`] if there are none.
///
/// # Cancel safety
/// Dropping the future drops the running task at once.
///
/// # Panics
/// A panic of a task, the hook or the iterator passes through to whoever polls this future. Polled again, it goes on
/// with the next task.
///
/// # Polls and allocations
/// Each task is polled once when it starts, and once per wake. Three allocations at most, and those for the list of
/// errors, however many tasks there are.
pub fn fall_through<S, K, Fut, T, E>(tasks: S) -> FallThrough<S::IntoIter, Fut, T, E>
where
    S: RaceTasks<K, Task = Fut>,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    Race::new(tasks.into_tasks(), OneByOne)
}

/// The future of [`race()`].
#[must_use = "futures do nothing unless polled"]
pub struct Race<I, Fut, T, E, O = (), P = AtOnce> {
    racers: Racers<Fut, T, E>,
    state: RaceState<I, T, E, O, P>,
    done: bool,
}

/// The future of [`fall_through`].
pub type FallThrough<I, Fut, T, E, O = ()> = Race<I, Fut, T, E, O, OneByOne>;

/// Tasks and timers are in boxes, and nothing else in a race is ever pinned.
impl<I, Fut, T, E, O, P> Unpin for Race<I, Fut, T, E, O, P> {}

impl<I, Fut, T, E, P> Race<I, Fut, T, E, (), P> {
    pub(crate) fn new(tasks: I, policy: P) -> Self {
        Self {
            racers: Racers::New,
            state: RaceState::new(tasks, policy),
            done: false,
        }
    }
}

impl<I, Fut, T, E, O, P> Race<I, Fut, T, E, O, P> {
    /// Calls `hook` with the index (0-based, in input order) of each task that starts, just before its first poll.
    ///
    /// In a [`stagger`](Self::stagger)ed race or a [`fall_through`], it tells what was needed. If the hook panics, the
    /// next poll of the race polls the task.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let mut started = vec![];
    /// let tasks = [Err("no"), Ok(5), Ok(7)].map(|result| async move { result });
    /// let winner = abreast::fall_through(tasks).on_start(|index| started.push(index)).await;
    /// assert_eq!(started, [0, 1]);
    /// # });
    /// ```
    pub fn on_start<F>(self, hook: F) -> Race<I, Fut, T, E, (O, OnStart<F>), P>
    where
        F: FnMut(usize),
    {
        self.map(|observer, policy| ((observer, OnStart(hook)), policy))
    }

    /// Calls `hook` with the value of the task that wins and its index (0-based, in input order), just before the others
    /// are dropped; in a [`quorum`](Self::quorum), with those of each that succeeds.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(5), Err("no"), Ok(7)].map(|result| async move { result });
    /// let mut won = Vec::new();
    /// let winners = abreast::race(tasks).on_complete(|value, index| won.push((index, *value))).quorum(2).await;
    /// assert_eq!(won, [(0, 5), (2, 7)]);
    /// # });
    /// ```
    pub fn on_complete<F>(self, hook: F) -> Race<I, Fut, T, E, (O, OnComplete<F>), P>
    where
        F: FnMut(&T, usize),
    {
        self.map(|observer, policy| ((observer, OnComplete(hook)), policy))
    }

    /// Calls `hook` with the error of each task that fails and its index (0-based, in input order).
    ///
    /// ```
    /// # smol::block_on(async {
    /// let mut lost = Vec::new();
    /// let tasks = [Err("no"), Ok(5)].map(|result| async move { result });
    /// let winner = abreast::race(tasks).on_error(|error, index| lost.push((index, *error))).await;
    /// assert_eq!(winner.unwrap().value, 5);
    /// assert_eq!(lost, [(0, "no")]);
    /// # });
    /// ```
    pub fn on_error<F>(self, hook: F) -> Race<I, Fut, T, E, (O, OnError<F>), P>
    where
        F: FnMut(&E, usize),
    {
        self.map(|observer, policy| ((observer, OnError(hook)), policy))
    }

    /// Adds an observer, called after those that were given before.
    ///
    /// It is told of the start of each task, of what failed, and of the winner, but of no progress. With
    /// [`TaskTimes`](crate::TaskTimes), it measures when each task has started and how long it has run; a loser that is
    /// dropped has no run time.
    ///
    /// ```
    /// use abreast::{TaskTimes, fall_through};
    ///
    /// # smol::block_on(async {
    /// let mut times = TaskTimes::new(smol::Timer::after);
    /// let tasks = [Err("no"), Ok(5), Ok(7)].map(|result| async move { result });
    /// let winner = fall_through(tasks).observe(&mut times).await.unwrap();
    /// for index in 0..=winner.winner_index {
    ///     let time = times.get(index).unwrap();
    ///     println!("model {index}: asked after {:?}, answered after {:?}", time.queue_time, time.run_time);
    /// }
    /// assert_eq!(times.get(2), None); // never started
    /// # });
    /// ```
    pub fn observe<Q>(self, observer: Q) -> Race<I, Fut, T, E, (O, Q), P>
    where
        Q: Observer<T, E>,
    {
        self.map(|before, policy| ((before, observer), policy))
    }

    fn map<Q, R>(self, map: impl FnOnce(O, P) -> (Q, R)) -> Race<I, Fut, T, E, Q, R> {
        Race {
            racers: self.racers,
            state: self.state.map(map),
            done: self.done,
        }
    }
}

impl<I, Fut, T, E, O> Race<I, Fut, T, E, O> {
    /// Starts each task after the first only when a delay has passed since the one before it, or at once when one
    /// fails.
    ///
    /// Known as hedging, or as happy eyeballs: a second request is sent only if the first is slow, so that the slowest
    /// few are cut off at little cost. The delay counts anew from each start.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::race;
    ///
    /// # #[tokio::main]
    /// # async fn main() {
    /// async fn connect(address: &str) -> Result<String, std::io::Error> {
    ///     // ...
    /// #    Ok(address.to_owned())
    /// }
    ///
    /// let connection = race(["2001:db8::1", "192.0.2.1"].map(connect))
    ///     .stagger(Duration::from_millis(250), tokio::time::sleep)
    ///     .await
    ///     .unwrap();
    /// assert_eq!(connection.winner_index, 0);
    /// # }
    /// ```
    ///
    /// The delay is a [`Duration`](core::time::Duration), or a [`Hedge`], which learns it from the latencies so far.
    ///
    /// # Polls and allocations
    /// One allocation more than without. A task is pulled from the iterator when it is to start. The timer is asked for
    /// only while a task runs and the size hint of the iterator does not say that there is no other.
    pub fn stagger<D, M>(self, delay: D, timer: M) -> Race<I, Fut, T, E, O, Staggered<M, D>>
    where
        D: StaggerDelay,
        M: Timer,
    {
        self.map(|observer, AtOnce| (observer, Staggered::new(delay, timer)))
    }
}

impl<I, Fut, T, E, O, P> Future for Race<I, Fut, T, E, O, P>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
    P: StartPolicy,
{
    type Output = Result<RaceResult<T>, RaceError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(!this.done, "`Race` was polled after it had resolved");
        ready!(this.racers.poll(cx, &mut this.state));
        this.done = true;
        let result = this.state.take_result();
        if result.is_ok() {
            this.state.on_won();
        }
        Poll::Ready(result)
    }
}

impl_fused!(FusedFuture for Race<I, Fut, T, E, O, P> |self| self.done);
impl_debug! { Race<I, Fut, T, E, O, P> { racers } }
