//! The first success wins.

mod pace;

use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::engine::{TaskSet, Window};
use crate::outcome::{Failures, RaceError, TaskOutput};
use crate::run::{Observer, OnError};
use crate::time::Timer;

use pace::{AtOnce, OneByOne, Pace, Staggered};

/// Runs all tasks at once. The first that succeeds wins, and the others are dropped.
///
/// A race trades cost for time: everyone runs, and one is used. There is a line from the cheapest way to get one success
/// to the fastest, and what moves along it is the delay before the next task starts although the last one is still
/// running. Whatever the delay, a task that fails has the next start at once, and the result and the errors are the same.
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
/// # Order
/// Tasks start in input order, on the first poll; beyond 128, on those that follow it at once. A task that succeeds at once ends the race: those behind it are neither
/// created nor started. If several have become ready by the time that the race is polled, the one with the lowest index
/// is asked first.
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
/// Each task is polled once when it starts, and once per wake: a race of *N* costs 2*N* polls if each is woken once, not
/// *N*² / 2. There are at most two allocations for each task that does not end at once.
pub fn race<I, Fut, T, E>(tasks: I) -> Race<I::IntoIter, Fut, T, E>
where
    I: IntoIterator<Item = Fut>,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    Race::new(tasks, AtOnce)
}

/// Runs tasks one at a time until one succeeds.
///
/// The next task is created only when the one before it has failed, so nothing is paid for that is not needed. It is a
/// [`race()`] with an infinite delay between the starts, and resolves to the same; see there for a comparison. Where time
/// matters too, [`stagger`](Race::stagger) does not wait for ever for a slow one.
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
/// A panic of a task, the hook or the iterator passes through to whoever polls this future. Polled again, it goes on with
/// the next task.
///
/// # Polls and allocations
/// Each task is polled once when it starts, and once per wake. Four allocations, and those for the list of errors, however
/// many tasks there are.
pub fn fall_through<I, Fut, T, E>(tasks: I) -> FallThrough<I::IntoIter, Fut, T, E>
where
    I: IntoIterator<Item = Fut>,
    Fut: Future<Output: TaskOutput<Value = T, Error = E>>,
{
    Race::new(tasks, OneByOne)
}

/// The winner of a [`race()`].
///
/// ```
/// # smol::block_on(async {
/// let winner = abreast::race([Err("no"), Ok(5)].map(|result| async move { result })).await.unwrap();
/// assert_eq!(winner, abreast::RaceResult { value: 5, winner_index: 1 });
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RaceResult<T> {
    /// What the winner returned.
    pub value: T,
    /// Which task won (0-based, in input order).
    pub winner_index: usize,
}

/// The future of [`race()`].
#[must_use = "futures do nothing unless polled"]
pub struct Race<I, Fut, T, E, O = (), P = AtOnce> {
    window: Window<Fut>,
    heat: Heat<I, T, E, O, P>,
    done: bool,
}

/// The future of [`fall_through`].
pub type FallThrough<I, Fut, T, E, O = ()> = Race<I, Fut, T, E, O, OneByOne>;

/// A race keeps tasks and timers in boxes, and nothing else in it is ever pinned.
impl<I, Fut, T, E, O, P> Unpin for Race<I, Fut, T, E, O, P> {}

impl<I, Fut, T, E, P> Race<I, Fut, T, E, (), P> {
    fn new<A: IntoIterator<IntoIter = I>>(tasks: A, pace: P) -> Self {
        Self {
            window: Window::ordered(),
            heat: Heat {
                tasks: tasks.into_iter(),
                started: false,
                may_start: 1,
                finish: Finish::Open(Failures::new()),
                observer: (),
                pace,
            },
            done: false,
        }
    }
}

impl<I, Fut, T, E, O, P> Race<I, Fut, T, E, O, P> {
    /// Calls `hook` with the error of each task that fails and its index (0-based, in input order).
    ///
    /// ```
    /// # smol::block_on(async {
    /// # let tasks = [async { Err::<(), _>("no") }];
    /// abreast::race(tasks).on_error(|error, index| eprintln!("{index}: {error}")).await;
    /// # });
    /// ```
    pub fn on_error<F>(self, hook: F) -> Race<I, Fut, T, E, (O, OnError<F>), P>
    where
        F: FnMut(&E, usize),
    {
        self.map(|observer, pace| ((observer, OnError(hook)), pace))
    }

    fn map<Q, R>(self, map: impl FnOnce(O, P) -> (Q, R)) -> Race<I, Fut, T, E, Q, R> {
        let heat = self.heat;
        let (observer, pace) = map(heat.observer, heat.pace);
        Race {
            window: self.window,
            heat: Heat {
                tasks: heat.tasks,
                started: heat.started,
                may_start: heat.may_start,
                finish: heat.finish,
                observer,
                pace,
            },
            done: self.done,
        }
    }
}

impl<I, Fut, T, E, O> Race<I, Fut, T, E, O> {
    /// Has each task after the first start only when `delay` has passed since the one before it, or at once when one
    /// fails.
    ///
    /// Known as hedging, or as happy eyeballs: a second request is sent only if the first is slow, so that the slowest few
    /// are cut off at little cost. The delay counts anew from each start.
    ///
    /// ```
    /// use std::time::Duration;
    /// use abreast::race;
    ///
    /// # smol::block_on(async {
    /// async fn connect(address: &str) -> Result<String, std::io::Error> {
    ///     // ...
    /// #    Ok(address.to_owned())
    /// }
    ///
    /// let connection = race(["2001:db8::1", "192.0.2.1"].map(connect))
    ///     .stagger(Duration::from_millis(250), smol::Timer::after)
    ///     .await
    ///     .unwrap();
    /// assert_eq!(connection.winner_index, 0);
    /// # });
    /// ```
    ///
    /// # Polls and allocations
    /// One allocation more than without. A task is pulled from the iterator when it is to start. The timer is asked for
    /// only while a task runs and the size hint of the iterator does not say that there is no other.
    pub fn stagger<M>(self, delay: Duration, timer: M) -> Race<I, Fut, T, E, O, Staggered<M>>
    where
        M: Timer,
    {
        self.map(|observer, AtOnce| (observer, Staggered::new(delay, timer)))
    }
}

/// How the race stands.
enum Finish<T, E> {
    /// Nobody has succeeded yet.
    Open(Failures<E>),
    Won(RaceResult<T>),
}

/// The verb: starts tasks at its pace, keeps the first success.
struct Heat<I, T, E, O, P> {
    tasks: I,
    started: bool,
    /// How many may start whatever the pace: the first, and one for each that has failed.
    may_start: usize,
    finish: Finish<T, E>,
    observer: O,
    pace: P,
}

impl<I, T, E, O, P> Unpin for Heat<I, T, E, O, P> {}

impl<I, Fut, T, E, O, P> TaskSet for Heat<I, T, E, O, P>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
    P: Pace,
{
    type Task = Fut;

    fn has_capacity(&self, _: usize) -> bool {
        true
    }

    fn expected_in_flight(&self) -> Option<usize> {
        self.tasks.size_hint().1
    }

    #[inline]
    fn poll_task(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Fut),
    ) -> Poll<bool> {
        let this = &mut *self;
        if this.may_start > 0 {
            this.pace.restart();
        } else if this.tasks.size_hint().1 != Some(0) {
            ready!(this.pace.poll_start(cx));
        }
        let task = this.tasks.next();
        this.may_start = this.may_start.saturating_sub(1);
        let Some(task) = task else {
            return Poll::Ready(false);
        };
        this.started = true;
        start(task);
        Poll::Ready(true)
    }

    fn record(mut self: Pin<&mut Self>, index: usize, output: Option<Result<T, E>>) {
        self.may_start += 1;
        match (output, &mut self.finish) {
            (Some(Ok(value)), finish) => {
                *finish = Finish::Won(RaceResult {
                    value,
                    winner_index: index,
                });
            }
            (Some(Err(error)), Finish::Open(failures)) => failures.push(index, error),
            (Some(Err(_)), Finish::Won(_)) | (None, _) => {}
        }
    }

    fn notify(mut self: Pin<&mut Self>, index: usize) {
        let this = &mut *self;
        if let Finish::Open(failures) = &this.finish {
            if let Some(error) = failures.last() {
                this.observer.on_error(error, index);
            }
        }
    }

    fn retry_source(&self) -> bool {
        self.may_start > 0
    }

    fn should_stop(&self) -> bool {
        matches!(self.finish, Finish::Won(_))
    }
}

impl<I, Fut, T, E, O, P> Future for Race<I, Fut, T, E, O, P>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
    P: Pace,
{
    type Output = Result<RaceResult<T>, RaceError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(!this.done, "`Race` was polled after it had resolved");
        ready!(this.window.poll(cx, Pin::new(&mut this.heat)));
        this.done = true;
        let open = Finish::Open(Failures::new());
        Poll::Ready(match mem::replace(&mut this.heat.finish, open) {
            Finish::Won(winner) => Ok(winner),
            Finish::Open(failures) if this.heat.started => Err(failures.into()),
            Finish::Open(_) => Err(RaceError::NoTasks),
        })
    }
}

impl_fused!(FusedFuture for Race<I, Fut, T, E, O, P> |self| self.done);

impl_debug!(Race < I, Fut, T, E, O, P > { window });
