//! The settings and the counts of a run: whether another task may start, and what has ended.

use super::observer::Observer;
use super::progress::Progress;
use crate::outcome::EndReason;
use crate::time::Stopwatch;

/// Limits how many tasks run, and says when they start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Concurrency {
    /// At most this many at any time.
    Rolling(usize),
    /// This many at once, and as many again when all of those have ended.
    Batches(usize),
}

/// Settings and counts.
#[derive(Debug)]
pub(super) struct State {
    pub(super) limit: Concurrency,
    pub(super) fail_fast: bool,
    /// Whether the source may be pending.
    pub(super) may_wait: bool,
    /// Whether a failure or a signal has put an end to the run.
    pub(super) is_stopped: bool,
    /// Why the run has ended, once it has.
    pub(super) end_reason: EndReason,
    /// Whether the run was polled.
    pub(super) begun: bool,
    /// Whether the source has ended.
    pub(super) exhausted: bool,
    /// Another task may start while this is more than the running tasks and the outcomes that are not handed over: the
    /// limit where that rolls. Within a batch there is no end of it, and after it room for one that begins the next,
    /// when nothing runs any more. 0 once the run was stopped.
    pub(super) room: usize,
    /// The tasks that have come from the source, and those of them that have ended.
    pub(super) pulled: usize,
    pub(super) completed: usize,
    /// The number of tasks in all, if the size hint said so when the run began.
    pub(super) total: Option<usize>,
    pub(super) stopwatch: Stopwatch,
}

impl State {
    /// Creates the state of a run that has not begun, and that no failure stops.
    pub(super) fn new(limit: Concurrency) -> Self {
        let mut state = Self {
            limit,
            fail_fast: false,
            may_wait: true,
            is_stopped: false,
            end_reason: EndReason::Completed,
            begun: false,
            exhausted: false,
            room: 0,
            pulled: 0,
            completed: 0,
            total: None,
            stopwatch: Stopwatch::default(),
        };
        state.set_limit(limit);
        state
    }

    /// Limits the tasks that run. Not to be called once the run has begun.
    pub(super) fn set_limit(&mut self, limit: Concurrency) {
        self.limit = limit;
        self.room = match limit {
            Concurrency::Rolling(limit) => limit,
            Concurrency::Batches(_) => 1,
        };
    }

    /// Counts a task that is about to start.
    #[inline(always)]
    pub(super) fn count_pulled(&mut self) {
        self.pulled += 1;
        if let Concurrency::Batches(size) = self.limit {
            self.room = if self.pulled % size == 0 {
                1
            } else {
                usize::MAX
            };
        }
    }

    /// Counts a task that has ended, and stops the run if that was one failure too many.
    #[inline(always)]
    pub(super) fn count_completed(&mut self, has_failed: bool) {
        self.completed += 1;
        if has_failed && self.fail_fast {
            self.is_stopped = true;
            self.end_reason = EndReason::Failed;
            self.room = 0;
        }
    }

    // Nothing is left of it where no hook looks, as long as it is inlined.
    #[inline(always)]
    pub(super) fn progress(&self) -> Progress {
        Progress::new(self.completed, self.total).since(self.stopwatch.started())
    }

    /// Tells the hooks of a task that has ended.
    #[inline(always)]
    pub(super) fn notify<T, E, O: Observer<T, E>>(
        &self,
        observer: &mut O,
        index: usize,
        result: Option<Result<&T, &E>>,
    ) {
        match result {
            Some(Ok(value)) => observer.on_complete(value, index),
            Some(Err(error)) => observer.on_error(error, index),
            None => {}
        }
        if observer.reads_progress() && self.is_milestone() {
            observer.on_progress(self.progress());
        }
    }

    /// Returns whether the end of the last task is to be notified as progress.
    fn is_milestone(&self) -> bool {
        match self.limit {
            Concurrency::Rolling(_) => true,
            Concurrency::Batches(size) => {
                self.completed == self.pulled && (self.pulled % size == 0 || self.exhausted)
            }
        }
    }

    /// Returns whether the end of the source has ended a batch, after all of its tasks.
    pub(super) fn ended_batch(&self) -> bool {
        match self.limit {
            Concurrency::Rolling(_) => false,
            Concurrency::Batches(size) => self.completed == self.pulled && self.pulled % size != 0,
        }
    }
}
