//! One outcome per task, in input order.

use alloc::vec::Vec;
use core::fmt;
use core::ops::Index;
use core::time::Duration;

use super::iter::{IntoIter, Iter};
use super::{Outcome, TaskError};

/// What became of each task of a [`parallel`](crate::parallel()) run, in input order.
///
/// ```
/// use abreast::parallel;
///
/// # smol::block_on(async {
/// let tasks = [3, 0, 2].map(|n| async move { 6_i32.checked_div(n).ok_or("divided by zero") });
/// let result = parallel(tasks).concurrency(2).await;
///
/// assert_eq!((result.success_count(), result.failure_count()), (2, 1));
/// assert_eq!(result.results().collect::<Vec<_>>(), [Some(&2), None, Some(&3)]);
/// for (index, error) in result.failures() {
///     println!("task {index} failed: {error}");
/// }
/// assert_eq!(result.into_successful_results(), [2, 3]);
/// # });
/// ```
#[derive(Clone)]
pub struct ParallelResult<T, E> {
    outcomes: Vec<Outcome<T, E>>,
    /// How many tasks there are beyond `outcomes`: never started, so not worth an entry each.
    never_started: usize,
    #[cfg(feature = "std")]
    duration: Duration,
}

impl<T, E> ParallelResult<T, E> {
    pub(crate) fn new(
        outcomes: Vec<Outcome<T, E>>,
        never_started: usize,
        stopwatch: &crate::time::Stopwatch,
    ) -> Self {
        #[cfg(not(feature = "std"))]
        let _ = stopwatch;
        Self {
            outcomes,
            never_started,
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

    /// How many tasks there were, those that were never started included.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let result = abreast::parallel([async { Ok::<_, ()>(1) }]).await;
    /// assert_eq!(result.len(), 1);
    /// # });
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.outcomes.len().saturating_add(self.never_started)
    }

    /// Whether there were no tasks.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let result = abreast::parallel([async { Ok::<_, ()>(1) }]).await;
    /// assert!(!result.is_empty());
    /// # });
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The outcome of the task at `index` (0-based, in input order).
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
        if index < self.outcomes.len() {
            self.outcomes.get(index)
        } else {
            (index < self.len()).then_some(&Outcome::Cancelled)
        }
    }

    /// The outcomes, in input order.
    ///
    /// ```
    /// # use abreast::Outcome;
    /// # smol::block_on(async {
    /// let result = abreast::parallel([async { Ok::<_, ()>(1) }]).await;
    /// assert!(result.iter().all(Outcome::is_succeeded));
    /// # });
    /// ```
    pub fn iter(&self) -> Iter<'_, T, E> {
        Iter {
            outcomes: self.outcomes.iter(),
            never_started: self.never_started,
        }
    }

    /// For each task in input order its value, or `None` if it did not succeed.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
    /// let result = abreast::parallel(tasks).await;
    /// assert_eq!(result.results().collect::<Vec<_>>(), [Some(&1), None]);
    /// # });
    /// ```
    pub fn results(&self) -> impl ExactSizeIterator<Item = Option<&T>> + DoubleEndedIterator {
        self.iter().map(Outcome::value)
    }

    /// For each task in input order its error, or `None` if it did not fail.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
    /// let result = abreast::parallel(tasks).await;
    /// assert_eq!(result.errors().collect::<Vec<_>>(), [None, Some(&"no")]);
    /// # });
    /// ```
    pub fn errors(&self) -> impl ExactSizeIterator<Item = Option<&E>> + DoubleEndedIterator {
        self.iter().map(Outcome::error)
    }

    /// The errors of the tasks that failed, each with the index of its task (0-based), in input order.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
    /// let result = abreast::parallel(tasks).await;
    /// assert_eq!(result.failures().collect::<Vec<_>>(), [(1, &"no")]);
    /// # });
    /// ```
    pub fn failures(&self) -> impl Iterator<Item = (usize, &E)> {
        let outcomes = self.outcomes.iter().enumerate();
        outcomes.filter_map(|(index, outcome)| Some((index, outcome.error()?)))
    }

    /// The values of the tasks that succeeded, in input order.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
    /// let result = abreast::parallel(tasks).await;
    /// assert_eq!(result.successful_results().collect::<Vec<_>>(), [&1]);
    /// # });
    /// ```
    pub fn successful_results(&self) -> impl Iterator<Item = &T> {
        self.outcomes.iter().filter_map(Outcome::value)
    }

    /// Turns into the values of the tasks that succeeded, in input order.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
    /// let result = abreast::parallel(tasks).await;
    /// assert_eq!(result.into_successful_results(), [1]);
    /// # });
    /// ```
    #[must_use]
    pub fn into_successful_results(self) -> Vec<T> {
        let outcomes = self.outcomes.into_iter();
        outcomes.filter_map(Outcome::into_value).collect()
    }

    /// Turns into all values in input order, if every task succeeded.
    ///
    /// # Errors
    /// The failure with the lowest index; without one, the cancelled task with the lowest index.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no"), Err("never")].map(|result| async move { result });
    /// let error = abreast::parallel(tasks).await.into_result().unwrap_err();
    /// assert_eq!(error.to_string(), "task 1 failed: no");
    /// # });
    /// ```
    pub fn into_result(self) -> Result<Vec<T>, TaskError<E>> {
        let mut outcomes = self.outcomes;
        if let Some(index) = outcomes.iter().position(Outcome::is_failed) {
            if let Some(error) = outcomes.swap_remove(index).into_error() {
                return Err(TaskError::Failed { index, error });
            }
        }
        let never_started = (self.never_started > 0).then_some(outcomes.len());
        let cancelled = outcomes.iter().position(Outcome::is_cancelled);
        match cancelled.or(never_started) {
            Some(index) => Err(TaskError::Cancelled { index }),
            None => Ok(outcomes
                .into_iter()
                .filter_map(Outcome::into_value)
                .collect()),
        }
    }

    /// How many tasks succeeded. Counts them.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
    /// assert_eq!(abreast::parallel(tasks).await.success_count(), 1);
    /// # });
    /// ```
    #[must_use]
    pub fn success_count(&self) -> usize {
        self.count(Outcome::is_succeeded)
    }

    /// How many tasks failed. Counts them.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
    /// assert_eq!(abreast::parallel(tasks).await.failure_count(), 1);
    /// # });
    /// ```
    #[must_use]
    pub fn failure_count(&self) -> usize {
        self.count(Outcome::is_failed)
    }

    /// How many tasks were dropped before they returned, or never started. Counts them.
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

    /// Whether every task succeeded. True if there were none.
    ///
    /// ```
    /// # smol::block_on(async {
    /// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
    /// assert!(!abreast::parallel(tasks).await.all_succeeded());
    /// # });
    /// ```
    #[must_use]
    pub fn all_succeeded(&self) -> bool {
        self.never_started == 0 && self.outcomes.iter().all(Outcome::is_succeeded)
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
