//! All at once, and the first success wins.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures::future::FusedFuture;

use crate::engine::{Verb, Window};
use crate::observer::{Observer, OnError};
use crate::outcome::{Failures, RaceError};

/// Runs all tasks at once. The first that succeeds wins, and the others are dropped.
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
/// Tasks start in input order, on the first poll. A task that succeeds at once ends the race: those behind it are neither
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
/// *N*² / 2. There are two allocations for each task that does not end at once.
pub fn race<I, Fut, T, E>(tasks: I) -> Race<I::IntoIter, Fut, T, E>
where
    I: IntoIterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
{
    Race {
        window: Window::ordered(),
        heat: Heat {
            tasks: tasks.into_iter(),
            started: false,
            finish: Finish::Open(Failures::new()),
            observer: (),
        },
        done: false,
    }
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
pub struct Race<I, Fut, T, E, O = ()> {
    window: Window<Fut>,
    heat: Heat<I, T, E, O>,
    done: bool,
}

/// A race keeps tasks in boxes, and nothing else in it is ever pinned.
impl<I, Fut, T, E, O> Unpin for Race<I, Fut, T, E, O> {}

impl<I, Fut, T, E, O> Race<I, Fut, T, E, O> {
    /// Calls `hook` with the error of each task that fails and its index (0-based, in input order).
    ///
    /// ```
    /// # smol::block_on(async {
    /// # let tasks = [async { Err::<(), _>("no") }];
    /// abreast::race(tasks).on_error(|error, index| eprintln!("{index}: {error}")).await;
    /// # });
    /// ```
    pub fn on_error<F>(self, hook: F) -> Race<I, Fut, T, E, (O, OnError<F>)>
    where
        F: FnMut(&E, usize),
    {
        let Heat {
            tasks,
            started,
            finish,
            observer,
        } = self.heat;
        Race {
            window: self.window,
            heat: Heat {
                tasks,
                started,
                finish,
                observer: (observer, OnError(hook)),
            },
            done: self.done,
        }
    }
}

/// How the race stands.
enum Finish<T, E> {
    /// Nobody has succeeded yet.
    Open(Failures<E>),
    Won(RaceResult<T>),
}

/// The verb: starts all, keeps the first success.
struct Heat<I, T, E, O> {
    tasks: I,
    started: bool,
    finish: Finish<T, E>,
    observer: O,
}

impl<I, T, E, O> Unpin for Heat<I, T, E, O> {}

impl<I, Fut, T, E, O> Verb for Heat<I, T, E, O>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
{
    type Task = Fut;

    fn admits(&self, _: usize) -> bool {
        true
    }

    fn poll_task(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Fut>> {
        let task = self.tasks.next();
        self.started |= task.is_some();
        Poll::Ready(task)
    }

    fn record(mut self: Pin<&mut Self>, index: usize, output: Option<Result<T, E>>) {
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

    fn announce(mut self: Pin<&mut Self>, index: usize) {
        let this = &mut *self;
        if let Finish::Open(failures) = &this.finish {
            if let Some(error) = failures.last() {
                this.observer.on_error(error, index);
            }
        }
    }

    fn is_decided(&self) -> bool {
        matches!(self.finish, Finish::Won(_))
    }
}

impl<I, Fut, T, E, O> Future for Race<I, Fut, T, E, O>
where
    I: Iterator<Item = Fut>,
    Fut: Future<Output = Result<T, E>>,
    O: Observer<T, E>,
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

impl<I, Fut, T, E, O> FusedFuture for Race<I, Fut, T, E, O>
where
    Self: Future,
{
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<I, Fut, T, E, O> fmt::Debug for Race<I, Fut, T, E, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Race")
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
