//! An adaptive limit in front of the source of a run.
//!
//! ```text
//!   AdaptiveGate                MeasuredPass                        Learn, an observer
//!   has a permit for a   --->   is dropped with the task,    --->   is notified right after, takes it, classifies the
//!   task, and the time          and leaves when it started          result, and reports to the limit
//! ```
//!
//! Results are classified where hooks are called, not in the task: so a classifier that panics loses no result.

use alloc::sync::Arc;
use core::task::{Context, Poll, ready};

use super::AdaptiveLimit;
use super::feedback::{Feedback, Started};
use crate::limit::{LeaveLimit, LimitGate, Permit};
use crate::run::{Gate, Observer};
use crate::sync::Lock;
use crate::time::Timer;

/// Lets a task of a run start when there is a permit for it, and measures it: see
/// [`Parallel::adaptive`](crate::Parallel::adaptive).
pub struct AdaptiveGate<M> {
    gate: LimitGate,
    run: Arc<AdaptiveRun<M>>,
}

/// What the gate of a run, the passes of its tasks and its observer share.
struct AdaptiveRun<M> {
    limit: AdaptiveLimit,
    timer: M,
    /// Of the task that was dropped last. If it had ended, it is notified before another one is dropped.
    last: Lock<Option<Ended>>,
}

/// When a task started, and the permits in use when it ended.
struct Ended {
    started: Started,
    in_use: usize,
}

/// What a task under an adaptive limit holds: see [`Parallel::adaptive`](crate::Parallel::adaptive).
pub struct MeasuredPass<M> {
    // Taken when it is dropped.
    started: Option<Started>,
    run: Arc<AdaptiveRun<M>>,
    // The last field, so that the permit goes on to the next after all else.
    permit: Permit,
}

/// Classifies the results of a run, and reports them to its limit: see
/// [`Parallel::adaptive`](crate::Parallel::adaptive).
pub struct Learn<M, C> {
    run: Arc<AdaptiveRun<M>>,
    classify: C,
    leave: LeaveLimit,
}

impl AdaptiveLimit {
    /// Creates both ends of a run that goes by this limit.
    pub(crate) fn gate<M, C>(&self, timer: M, classify: C) -> (AdaptiveGate<M>, Learn<M, C>) {
        let (gate, leave) = self.limit().gate();
        let run = Arc::new(AdaptiveRun {
            limit: self.clone(),
            timer,
            last: Lock::new(None),
        });
        let learn = Learn {
            run: run.clone(),
            classify,
            leave,
        };
        (AdaptiveGate { gate, run }, learn)
    }
}

impl<M: Timer> Gate for AdaptiveGate<M> {
    type Pass = MeasuredPass<M>;

    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<MeasuredPass<M>> {
        let permit = ready!(self.gate.poll_pass(cx));
        let started = self.run.limit.start(self.run.timer.now());
        Poll::Ready(MeasuredPass {
            started: Some(started),
            run: self.run.clone(),
            permit,
        })
    }
}

impl<M> Drop for MeasuredPass<M> {
    fn drop(&mut self) {
        if let Some(started) = self.started.take() {
            let in_use = self.run.limit.limit().in_use();
            let ended = Ended { started, in_use };
            self.run.last.with(|last| *last = Some(ended));
        }
    }
}

impl<M, C> Learn<M, C> {
    fn learn<T, E>(&mut self, result: Result<&T, &E>)
    where
        M: Timer,
        C: FnMut(Result<&T, &E>) -> Feedback,
    {
        // Taken before the classifier is called, which may panic.
        let Some(Ended { started, in_use }) = self.run.last.with(Option::take) else {
            return;
        };
        let now = self.run.timer.now();
        let feedback = (self.classify)(result);
        self.run.limit.report(started, now, in_use, feedback);
    }
}

impl<T, E, M, C> Observer<T, E> for Learn<M, C>
where
    M: Timer,
    C: FnMut(Result<&T, &E>) -> Feedback,
{
    fn on_complete(&mut self, value: &T, _: usize) {
        self.learn(Ok::<_, &E>(value));
    }

    fn on_error(&mut self, error: &E, _: usize) {
        self.learn(Err::<&T, _>(error));
    }

    #[inline]
    fn has_start_hook(&self) -> bool {
        false
    }

    fn reads_progress(&self) -> bool {
        false
    }

    fn on_stop(&mut self) {
        Observer::<T, E>::on_stop(&mut self.leave);
    }
}

impl_debug! { AdaptiveGate<M> { gate } }
impl_debug! { MeasuredPass<M> { started, permit } }
impl_debug! { Learn<M, C> { leave } }
