//! How long each task of a run has waited and run.

use alloc::vec::Vec;
use core::time::Duration;

use super::observer::Observer;
use crate::time::{Clock, Timer};

/// Measures how long each task of a run waits and runs.
///
/// It is an [`Observer`] for `.observe(..)`, so that results stay as they are, and runs that are not measured read no
/// clock. It goes by the clock of the timer, or by that of the system if the timer [has none](Timer::now).
///
/// ```
/// use abreast::{TaskTimes, parallel};
/// # async fn fetch(page: u32) -> Result<String, std::io::Error> { Ok(format!("page {page}")) }
///
/// # smol::block_on(async {
/// let mut times = TaskTimes::new(smol::Timer::after);
/// let result = parallel((1..=9).map(fetch)).concurrency(3).observe(&mut times).await;
/// for (index, outcome) in result.iter().enumerate() {
///     if let Some(time) = times.get(index) {
///         println!("{outcome:?}: waited {:?}, ran {:?}", time.queue_time, time.run_time);
///     }
/// }
/// # assert!((0..9).all(|index| times.get(index).unwrap().run_time.is_some()));
/// # });
/// ```
///
/// It keeps 32 bytes for each task, so it is not for runs without an end. For pools there is
/// [`measure_times`](crate::PoolBuilder::measure_times).
pub struct TaskTimes<M> {
    timer: M,
    /// Measures from the first poll of the run.
    clock: Clock,
    /// By the index of the task; `None` for one that has not started.
    tasks: Vec<Option<TaskTime>>,
}

/// How long a task has waited and run: see [`TaskTimes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskTime {
    /// The time from the first poll of the run to the first poll of the task.
    pub queue_time: Duration,
    /// The time from there until the task had ended and was dropped. `None` if it did not end: it runs, has panicked,
    /// or was cancelled.
    pub run_time: Option<Duration>,
}

impl<M: Timer> TaskTimes<M> {
    /// Creates a measurement by the clock of `timer`.
    pub fn new(timer: M) -> Self {
        Self {
            timer,
            clock: Clock::default(),
            tasks: Vec::new(),
        }
    }

    /// Returns the times of the task with this index (0-based, in input order).
    ///
    /// `None` if it was not started; and for all tasks without the feature `std`, if the timer has no clock.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<TaskTime> {
        *self.tasks.get(index)?
    }

    /// Notes that a task has ended.
    fn end(&mut self, index: usize) {
        let now = self.clock.measure(self.timer.now());
        if let (Some(now), Some(Some(task))) = (now, self.tasks.get_mut(index)) {
            task.run_time = Some(now.saturating_sub(task.queue_time));
        }
    }
}

impl<T, E, M: Timer> Observer<T, E> for &mut TaskTimes<M> {
    fn on_begin(&mut self) {
        // What is there is of another run.
        self.tasks.clear();
        self.clock = Clock::default();
        self.clock.start(self.timer.now());
    }

    fn on_start(&mut self, index: usize) {
        let Some(queue_time) = self.clock.measure(self.timer.now()) else {
            return;
        };
        if index >= self.tasks.len() {
            self.tasks.resize(index + 1, None);
        }
        self.tasks[index] = Some(TaskTime {
            queue_time,
            run_time: None,
        });
    }

    fn on_complete(&mut self, _: &T, index: usize) {
        self.end(index);
    }

    fn on_error(&mut self, _: &E, index: usize) {
        self.end(index);
    }

    fn reads_progress(&self) -> bool {
        false
    }
}

impl_debug! { TaskTimes<M> { clock, tasks } }
