//! The task set of a race: which task starts, which one wins, and what the others failed with.
//!
//! ```text
//!                      a task has succeeded
//!   Open(failures) --------------------------> Won: the others are dropped
//!      |     ^  |
//!      |     '--' a task has failed: one more may start
//!      |
//!      '----------> all have failed, or there was none
//!       no task is left
//! ```
//!
//! Tasks that may start are counted: one at first, and one for each that has ended. Beyond those, it is for the policy
//! to say when the next one starts.

use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use super::start_policy::StartPolicy;
use crate::engine::TaskSet;
use crate::outcome::{Failures, RaceError};
use crate::run::Observer;

/// The winner of a [`race()`](crate::race()).
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
    /// The index of the task that won (0-based, in input order).
    pub winner_index: usize,
}

/// Whether the race is decided.
enum Finish<T, E> {
    /// No task has succeeded. These have failed, in order of failure.
    Open(Failures<E>),
    Won(RaceResult<T>),
}

/// Starts tasks as its policy says, and keeps the first success.
pub(super) struct RaceState<I, T, E, O, P> {
    tasks: I,
    /// The number of tasks that have started.
    started: usize,
    /// Whether there are no more.
    exhausted: bool,
    /// The number of tasks that may start whatever the policy says: the first, and one for each that has ended. Not
    /// counted down where all start at once.
    may_start: usize,
    finish: Finish<T, E>,
    observer: O,
    policy: P,
}

/// The tasks are in the window, and nothing in here is ever pinned.
impl<I, T, E, O, P> Unpin for RaceState<I, T, E, O, P> {}

impl<I, T, E, P> RaceState<I, T, E, (), P> {
    pub(super) const fn new(tasks: I, policy: P) -> Self {
        Self {
            tasks,
            started: 0,
            exhausted: false,
            may_start: 1,
            finish: Finish::Open(Failures::new()),
            observer: (),
            policy,
        }
    }
}

impl<I, T, E, O, P> RaceState<I, T, E, O, P> {
    /// Replaces the observer and the policy.
    pub(super) fn map<Q, R>(self, map: impl FnOnce(O, P) -> (Q, R)) -> RaceState<I, T, E, Q, R> {
        let (observer, policy) = map(self.observer, self.policy);
        RaceState {
            tasks: self.tasks,
            started: self.started,
            exhausted: self.exhausted,
            may_start: self.may_start,
            finish: self.finish,
            observer,
            policy,
        }
    }

    /// Takes apart a race that has not begun.
    pub(super) fn into_parts(self) -> (I, O, P) {
        (self.tasks, self.observer, self.policy)
    }

    /// Takes the result of a race whose tasks have all ended or been dropped.
    pub(super) fn take_result(&mut self) -> Result<RaceResult<T>, RaceError<E>> {
        let open = Finish::Open(Failures::new());
        match mem::replace(&mut self.finish, open) {
            Finish::Won(winner) => Ok(winner),
            Finish::Open(failures) if self.started > 0 => Err(failures.into()),
            Finish::Open(_) => Err(RaceError::NoTasks),
        }
    }
}

impl<I, T, E, O, P: StartPolicy> RaceState<I, T, E, O, P> {
    /// Tells the policy that a task has won, and all others have been dropped.
    pub(super) fn on_won(&mut self) {
        self.policy.on_won();
    }
}

impl<I: Iterator, T, E, O, P: StartPolicy> RaceState<I, T, E, O, P> {
    /// Polls for the moment when the next task may start; false if none may any more.
    ///
    /// After a failure the next task starts at once. Without one it waits for the policy, unless there is no other task.
    fn poll_policy(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let has_more = self.tasks.size_hint().1 != Some(0);
        if self.may_start > 0 {
            self.policy.restart();
            if has_more && !self.policy.may_start(self.started == 0) {
                return Poll::Ready(false);
            }
        } else if has_more {
            ready!(self.policy.poll_start(cx));
        }
        Poll::Ready(true)
    }
}

impl<I, T, E, O, P> RaceState<I, T, E, O, P>
where
    I: Iterator,
    O: Observer<T, E>,
    P: StartPolicy,
{
    /// Returns how many tasks start at once, if that is known and nobody wants to know of it.
    pub(super) fn known_to_start(&self) -> Option<usize> {
        let (least, most) = self.tasks.size_hint();
        let is_known = most == Some(least);
        let is_plain = self.policy.starts_all() && !self.observer.has_start_hook();
        (is_known && is_plain).then_some(least)
    }

    /// Returns whether a task has won, or none is left to start.
    pub(super) const fn is_over(&self) -> bool {
        self.exhausted || matches!(self.finish, Finish::Won(_))
    }
}

impl<I, Fut, T, E, O, P> TaskSet for RaceState<I, T, E, O, P>
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
        // Where they start one by one, there are rarely many.
        let starts_all = self.policy.starts_all();
        starts_all.then(|| self.tasks.size_hint().1).flatten()
    }

    fn may_wait(&self) -> bool {
        !self.policy.starts_all()
    }

    #[inline]
    fn poll_task(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        start: impl FnOnce(Fut),
    ) -> Poll<bool> {
        let this = &mut *self;
        if this.started == 0 {
            this.observer.on_begin();
        }
        // Where all start at once there is nothing to ask, and nothing is spent on it.
        let has_policy = !this.policy.starts_all();
        if has_policy && !ready!(this.poll_policy(cx)) {
            return Poll::Ready(false);
        }
        let task = this.tasks.next();
        if has_policy {
            this.may_start = this.may_start.saturating_sub(1);
        }
        let Some(task) = task else {
            this.exhausted = true;
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

    #[inline(always)]
    fn index_of(&self, _: usize) -> usize {
        self.started - 1
    }

    fn on_start(mut self: Pin<&mut Self>, index: usize) {
        self.observer.on_start(index);
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
        match &this.finish {
            Finish::Won(winner) => this.observer.on_complete(&winner.value, index),
            Finish::Open(failures) => {
                if let Some(error) = failures.last() {
                    this.observer.on_error(error, index);
                }
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
