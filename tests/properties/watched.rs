//! A limit that is watched: nothing runs without a permit, and there are never more permits than there may be.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use abreast::Limit;
use futures::FutureExt;

use crate::random::Random;
use crate::world::Scripted;

/// A limit, and how many of its permits may be in use at this moment.
pub(crate) struct Watched {
    pub(crate) limit: Limit,
    /// More than the limit after that was lowered, until enough have been given back.
    most: Cell<usize>,
    /// The tasks that run by it.
    running: Cell<usize>,
}

/// A task that runs, until it is dropped.
pub(crate) struct Running<'a>(&'a Cell<usize>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// A task that has to have a permit while it runs. It is dropped before it counts as ended.
pub(crate) struct Limited<'a> {
    task: Scripted,
    running: Option<Running<'a>>,
    watched: &'a Watched,
}

impl Future for Limited<'_> {
    type Output = Result<usize, usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let watched = self.watched;
        self.running.get_or_insert_with(|| watched.start());
        watched.assert_within();
        self.task.poll_unpin(cx)
    }
}

impl Watched {
    pub(crate) fn new(permits: usize) -> Self {
        Self {
            limit: Limit::new(permits),
            most: Cell::new(permits),
            running: Cell::new(0),
        }
    }

    fn set(&self, permits: usize) {
        self.assert_within();
        self.limit.set(permits);
        self.assert_within();
    }

    /// Counts a task that has started.
    pub(crate) fn start(&self) -> Running<'_> {
        self.running.set(self.running.get() + 1);
        self.assert_within();
        Running(&self.running)
    }

    /// Asserts that whatever runs has a permit, and that there are no more of those than there may be.
    #[track_caller]
    fn assert_within(&self) {
        let (running, in_use) = (self.running.get(), self.limit.in_use());
        assert!(running <= in_use, "{running} run with {in_use} permits");
        let most = self.most.get().max(self.limit.get());
        assert!(in_use <= most, "{in_use} permits of {most} are in use");
        // What was given back is not granted again beyond the limit.
        self.most.set(in_use);
    }

    /// Runs a task by the limit.
    pub(crate) fn run(&self, task: Scripted) -> Limited<'_> {
        Limited {
            task,
            running: None,
            watched: self,
        }
    }

    /// Sets the limit at each poll of a task, to 0 at times. Whatever runs by it goes on once that task has ended.
    pub(crate) async fn change(&self, mut task: Scripted, random: &mut Random) {
        poll_fn(|cx| {
            let ended = task.poll_unpin(cx).map(drop);
            let least = usize::from(ended.is_ready());
            self.set(least + random.below(6));
            ended
        })
        .await;
    }

    /// Asserts that all permits are back, and that nobody waits.
    #[track_caller]
    pub(crate) fn assert_unused(&self) {
        assert_eq!((self.limit.in_use(), self.limit.waiting()), (0, 0));
    }
}

/// Polls a run on after each panic of a task, as an executor may that catches them, and counts those.
pub(crate) async fn through_panics<F: Future>(run: F, panics: &Cell<usize>) -> F::Output {
    let mut run = pin!(Some(run));
    let output = poll_fn(|cx| {
        let running = run.as_mut().as_pin_mut().expect("it is there");
        let polled = catch_unwind(AssertUnwindSafe(|| running.poll(cx)));
        polled.unwrap_or_else(|_| {
            panics.set(panics.get() + 1);
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    })
    .await;
    // A task that has never started may be left, and its destructor may panic.
    let dropped = catch_unwind(AssertUnwindSafe(|| run.set(None)));
    panics.set(panics.get() + usize::from(dropped.is_err()));
    output
}
