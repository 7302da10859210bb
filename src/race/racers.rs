//! What runs the tasks of a race.
//!
//! ```text
//!          at most four start at once          one has won, or all have ended
//!   New --------------------------------> Few ---------------------------------> Over
//!    |                                     |
//!    |                                     | there are more than the size hint said
//!    |                                     v
//!    +----------------------------------> Many
//!      there may be more, they start one by one, or there is a hook of starts
//! ```

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use super::start_policy::StartPolicy;
use super::state::RaceState;
use crate::engine::{Few, FixedSet, Handler, TaskSet, Window};
use crate::run::Observer;

/// The tasks that run. A window costs more to make than three tasks do that are ready.
pub(super) enum Racers<Fut, T, E> {
    New,
    Few(FixedSet<Few<Fut, Result<T, E>>>),
    Many(Window<Fut>),
    Over,
}

impl<Fut, T, E> Racers<Fut, T, E>
where
    Fut: Future<Output = Result<T, E>>,
{
    /// Runs tasks until one has won, or all have ended. The others are dropped by then.
    #[inline]
    pub(super) fn poll<I, O, P>(
        &mut self,
        cx: &mut Context<'_>,
        state: &mut RaceState<I, T, E, O, P>,
    ) -> Poll<()>
    where
        I: Iterator<Item = Fut>,
        O: Observer<T, E>,
        P: StartPolicy,
    {
        if let Self::New = self {
            *self = match state.known_to_start() {
                Some(tasks) if Few::<Fut, Result<T, E>>::holds(tasks) => {
                    Self::Few(FixedSet::new(Few::empty()))
                }
                _ => Self::Many(Window::all_at_once()),
            };
        }
        if let Self::Few(few) = self {
            // A hook may have panicked that was told of the winner, or a task when it was dropped.
            if !state.should_stop() {
                ready!(Pin::new(few).poll(cx, &mut Start(state)));
            }
            // It may be full, and the size hint wrong.
            *self = if state.is_over() {
                Self::Over
            } else {
                Self::Many(Window::all_at_once())
            };
        }
        match self {
            Self::Many(window) => window.poll(cx, Pin::new(state)),
            _ => Poll::Ready(()),
        }
    }
}

/// Starts tasks in their places, and keeps what they return.
struct Start<'a, S>(&'a mut S);

impl<S, Fut> Handler<Few<Fut, Fut::Output>> for Start<'_, S>
where
    S: TaskSet<Task = Fut> + Unpin,
    Fut: Future,
{
    fn start(&mut self, tasks: Pin<&mut Few<Fut, Fut::Output>>, index: usize) -> bool {
        // All start at once, so nothing waits.
        let cx = &mut Context::from_waker(Waker::noop());
        let started = Pin::new(&mut *self.0).poll_task(cx, |task| tasks.get_mut().put(index, task));
        started == Poll::Ready(true)
    }

    fn end(
        &mut self,
        tasks: Pin<&mut Few<Fut, Fut::Output>>,
        index: usize,
        has_panicked: bool,
    ) -> bool {
        let output = tasks.get_mut().take(index);
        Pin::new(&mut *self.0).record(index, output);
        if !has_panicked {
            Pin::new(&mut *self.0).notify(index);
        }
        self.0.should_stop()
    }
}

impl<Fut, T, E> fmt::Debug for Racers<Fut, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("New"),
            Self::Few(few) => few.fmt(f),
            Self::Many(window) => window.fmt(f),
            Self::Over => f.write_str("Over"),
        }
    }
}
