//! One outcome per task, in input order.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Index;
use core::time::Duration;

use super::iter::{IntoIter, Iter};
use super::{EndReason, Outcome, TaskError};

/// The outcome of each task of a run, in input order.
///
/// ```
/// use abreast::parallel;
///
/// # smol::block_on(async {
/// let tasks = [3, 0, 2].map(|n| async move { 6_i32.checked_div(n).ok_or("divided by zero") });
/// let result = parallel(tasks).concurrency(2).await;
///
/// assert_eq!((result.len(), result.success_count(), result.failure_count()), (3, 2, 1));
/// assert!(!result.all_succeeded());
/// for (index, error) in result.failures() {
///     println!("task {index} failed: {error}");
/// }
/// assert_eq!(result.results().collect::<Vec<_>>(), [Some(&2), None, Some(&3)]);
/// assert_eq!(result.errors().flatten().collect::<Vec<_>>(), [&"divided by zero"]);
/// assert_eq!(result.successful_results().sum::<i32>(), 5);
/// assert_eq!(result.into_successful_results(), [2, 3]);
/// # });
/// ```
#[derive(Clone)]
pub struct ParallelResult<T, E> {
    outcomes: Vec<Outcome<T, E>>,
    /// The number of tasks beyond `outcomes`, which were never started and so have no entry each.
    never_started: usize,
    end_reason: EndReason,
    #[cfg(feature = "std")]
    duration: Duration,
}

/// What some tasks returned, each with the index of its task.
type Indexed<T> = Vec<(usize, T)>;

impl<T, E> ParallelResult<T, E> {
    pub(crate) fn new(
        outcomes: Vec<Outcome<T, E>>,
        never_started: usize,
        end_reason: EndReason,
        stopwatch: &crate::time::Stopwatch,
    ) -> Self {
        #[cfg(not(feature = "std"))]
        let _ = stopwatch;
        Self {
            outcomes,
            never_started,
            end_reason,
            #[cfg(feature = "std")]
            duration: stopwatch.elapsed(),
        }
    }

    /// Replaces the duration by what another clock has measured, if there was one.
    pub(crate) fn measured_as(self, elapsed: Option<Duration>) -> Self {
        #[cfg(not(feature = "std"))]
        let _ = elapsed;
        Self {
            #[cfg(feature = "std")]
            duration: elapsed.unwrap_or(self.duration),
            ..self
        }
    }

    /// Returns the number of tasks, those that were never started included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outcomes.len().saturating_add(self.never_started)
    }

    /// Returns true if there were no tasks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the outcome of the task at `index` (0-based, in input order).
    ///
    /// ```
    /// # use abreast::Outcome;
    /// # smol::block_on(async {
    /// let result = abreast::parallel([async { Ok::<_, ()>(1) }]).await;
    /// assert_eq!(result.get(0), Some(&Outcome::Succeeded(1)));
    /// assert_eq!(result.get(1), None);
    /// # });
    /// ```
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Outcome<T, E>> {
        // Tasks that were never started have no entry, and all the same outcome.
        if index < self.outcomes.len() {
            self.outcomes.get(index)
        } else {
            (index < self.len()).then_some(&Outcome::Cancelled)
        }
    }

    /// Returns the outcomes, in input order.
    pub fn iter(&self) -> Iter<'_, T, E> {
        Iter {
            outcomes: self.outcomes.iter(),
            never_started: self.never_started,
        }
    }

    /// Returns the value of each task in input order, or `None` if it did not succeed.
    pub fn results(&self) -> impl ExactSizeIterator<Item = Option<&T>> + DoubleEndedIterator {
        self.iter().map(Outcome::value)
    }

    /// Returns the error of each task in input order, or `None` if it did not fail.
    pub fn errors(&self) -> impl ExactSizeIterator<Item = Option<&E>> + DoubleEndedIterator {
        self.iter().map(Outcome::error)
    }

    /// Returns the errors of the tasks that failed, each with the index of its task (0-based), in input order.
    pub fn failures(&self) -> impl Iterator<Item = (usize, &E)> {
        let outcomes = self.outcomes.iter().enumerate();
        outcomes.filter_map(|(index, outcome)| Some((index, outcome.error()?)))
    }

    /// Returns the values of the tasks that succeeded, in input order.
    pub fn successful_results(&self) -> impl Iterator<Item = &T> {
        self.outcomes.iter().filter_map(Outcome::value)
    }

    /// Turns into the values of the tasks that succeeded, in input order.
    #[must_use]
    pub fn into_successful_results(self) -> Vec<T> {
        let outcomes = self.outcomes.into_iter();
        outcomes.filter_map(Outcome::into_value).collect()
    }

    /// Turns into all values in input order, if every task succeeded.
    ///
    /// See [`into_values`](Self::into_values) for the error of the task alone.
    ///
    /// # Errors
    /// The failure with the lowest index; without one, the cancelled task with the lowest index.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no"), Err("never")].map(|result| async move { result });
    /// let error = abreast::parallel(tasks).await.into_result().unwrap_err();
    /// assert_eq!((error.index(), error.into_error()), (1, Some("no")));
    /// # });
    /// ```
    pub fn into_result(self) -> Result<Vec<T>, TaskError<E>> {
        // In the same memory, which is given back as far as outcomes are larger than values.
        let (mut failed, mut cancelled) = (None, None);
        let outcomes = self.outcomes.into_iter().enumerate();
        let values = outcomes.filter_map(|(index, outcome)| match outcome {
            Outcome::Succeeded(value) => Some(value),
            Outcome::Failed(error) => {
                failed.get_or_insert((index, error));
                None
            }
            Outcome::Cancelled => {
                cancelled.get_or_insert(index);
                None
            }
        });
        let mut values: Vec<T> = values.collect();
        // A failure says more than a task that was dropped because of it.
        if let Some((index, error)) = failed {
            return Err(TaskError::Failed { index, error });
        }
        // No task failed, but one has no value: the first that was cancelled, or the first that was never started.
        if self.never_started > 0 {
            cancelled.get_or_insert(values.len());
        }
        if let Some(index) = cancelled {
            return Err(TaskError::Cancelled { index });
        }
        values.shrink_to_fit();
        Ok(values)
    }

    /// Turns into all values in input order, or into the error of the failed task with the lowest index.
    ///
    /// The same as [`into_result`](Self::into_result), for functions whose error is that of the tasks.
    ///
    /// ```
    /// use std::io;
    ///
    /// async fn read(path: &str) -> io::Result<String> {
    ///     // ...
    /// #    if path == "b" { Err(io::ErrorKind::NotFound.into()) } else { Ok(path.to_owned()) }
    /// }
    ///
    /// async fn read_all(paths: &[&str]) -> io::Result<Vec<String>> {
    ///     abreast::parallel(paths.iter().map(|path| read(path))).await.into_values()
    /// }
    ///
    /// # smol::block_on(async {
    /// assert_eq!(read_all(&["a", "c"]).await?, ["a", "c"]);
    /// assert_eq!(read_all(&["a", "b"]).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    /// # Ok::<_, io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// What the failed task with the lowest index returned.
    ///
    /// # Panics
    /// If no task failed, but one has no value: it panicked and the panic was caught further up, or the run was
    /// [stopped](crate::Parallel::stop_on) before the task had ended. What a stopped run has done is in
    /// [`into_successful_results`](Self::into_successful_results).
    #[track_caller]
    pub fn into_values(self) -> Result<Vec<T>, E> {
        let end_reason = self.end_reason;
        match self.into_result() {
            Ok(values) => Ok(values),
            Err(TaskError::Failed { error, .. }) => Err(error),
            Err(TaskError::Cancelled { index }) => match end_reason {
                EndReason::Stopped | EndReason::DeadlineElapsed => {
                    panic!(
                        "task {index} has no value: the run was stopped, or the task has panicked"
                    )
                }
                _ => panic!("task {index} has panicked, so it has no value"),
            },
        }
    }

    /// Turns into the value of each task in input order, or `None` if it did not succeed.
    pub fn into_results(self) -> impl ExactSizeIterator<Item = Option<T>> + DoubleEndedIterator {
        self.into_iter().map(Outcome::into_value)
    }

    /// Turns into the error of each task in input order, or `None` if it did not fail.
    pub fn into_errors(self) -> impl ExactSizeIterator<Item = Option<E>> + DoubleEndedIterator {
        self.into_iter().map(Outcome::into_error)
    }

    /// Turns into the values and the errors, each with the index of its task (0-based), in input order.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no"), Ok(3)].map(|result| async move { result });
    /// let (values, errors) = abreast::parallel(tasks).await.partition();
    /// assert_eq!(values, [(0, 1), (2, 3)]);
    /// assert_eq!(errors, [(1, "no")]);
    /// # });
    /// ```
    #[must_use]
    pub fn partition(self) -> (Indexed<T>, Indexed<E>) {
        // Those that were cancelled are in neither list.
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for (index, outcome) in self.outcomes.into_iter().enumerate() {
            match outcome {
                Outcome::Succeeded(value) => values.push((index, value)),
                Outcome::Failed(error) => errors.push((index, error)),
                Outcome::Cancelled => {}
            }
        }
        (values, errors)
    }

    /// Counts the tasks that succeeded.
    #[must_use]
    pub fn success_count(&self) -> usize {
        self.count(Outcome::is_succeeded)
    }

    /// Counts the tasks that failed.
    #[must_use]
    pub fn failure_count(&self) -> usize {
        self.count(Outcome::is_failed)
    }

    /// Counts the tasks that were dropped before they returned, or never started.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no"), Ok(3)].map(|result| async move { result });
    /// let result = abreast::parallel(tasks).concurrency(1).fail_fast(true).await;
    /// assert_eq!(result.cancelled_count(), 1);
    /// # });
    /// ```
    #[must_use]
    pub fn cancelled_count(&self) -> usize {
        self.count(Outcome::is_cancelled)
            .saturating_add(self.never_started)
    }

    /// Returns true if every task succeeded, or if there were none.
    #[must_use]
    pub fn all_succeeded(&self) -> bool {
        self.never_started == 0 && self.outcomes.iter().all(Outcome::is_succeeded)
    }

    /// Returns why the run has ended: because all tasks have, or before that.
    ///
    /// ```
    /// use abreast::{EndReason, parallel};
    ///
    /// # smol::block_on(async {
    /// let tasks = || [Err("no"), Ok(2)].map(|result| async move { result });
    /// let result = parallel(tasks()).await;
    /// assert_eq!(result.end_reason(), EndReason::Completed);
    ///
    /// let result = parallel(tasks()).concurrency(1).fail_fast(true).await;
    /// assert_eq!(result.end_reason(), EndReason::Failed);
    /// # });
    /// ```
    #[must_use]
    pub const fn end_reason(&self) -> EndReason {
        self.end_reason
    }

    /// Returns the time from the first poll of the run to its end. Needs the feature `std`.
    ///
    /// A [paused](crate::Batched::pause) run goes by the clock of its timer, where that [has one](crate::Timer::now).
    ///
    /// ```
    /// # smol::block_on(async {
    /// let result = abreast::parallel([async { Ok::<_, ()>(1) }]).await;
    /// println!("{:.2?}", result.duration());
    /// # });
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub const fn duration(&self) -> Duration {
        self.duration
    }

    fn count(&self, is: impl Fn(&Outcome<T, E>) -> bool) -> usize {
        self.outcomes.iter().filter(|outcome| is(outcome)).count()
    }
}

impl<T: fmt::Debug, E: fmt::Debug> fmt::Debug for ParallelResult<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ParallelResult");
        debug.field("outcomes", &self.outcomes);
        debug.field("never_started", &self.never_started);
        debug.field("end_reason", &self.end_reason);
        #[cfg(feature = "std")]
        debug.field("duration", &self.duration);
        debug.finish()
    }
}

/// # Panics
/// If there is no task with this index.
impl<T, E> Index<usize> for ParallelResult<T, E> {
    type Output = Outcome<T, E>;

    #[track_caller]
    fn index(&self, index: usize) -> &Self::Output {
        match self.get(index) {
            Some(outcome) => outcome,
            None => panic!("there are {} tasks, so none at index {index}", self.len()),
        }
    }
}

impl<T, E> IntoIterator for ParallelResult<T, E> {
    type Item = Outcome<T, E>;
    type IntoIter = IntoIter<T, E>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter {
            outcomes: self.outcomes.into_iter(),
            never_started: self.never_started,
        }
    }
}

impl<'a, T, E> IntoIterator for &'a ParallelResult<T, E> {
    type Item = &'a Outcome<T, E>;
    type IntoIter = Iter<'a, T, E>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
