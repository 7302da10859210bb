//! How runs fail.

use alloc::vec::{self, Vec};
use core::error::Error;
use core::fmt;
use core::slice;

/// Why a run of tasks that must all succeed has no values.
///
/// ```
/// use abreast::{TaskError, sequential};
///
/// # smol::block_on(async {
/// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
/// let error = sequential(tasks).await.unwrap_err();
/// assert_eq!(error, TaskError::Failed { index: 1, error: "no" });
/// assert_eq!(error.to_string(), "task 1 failed: no");
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError<E> {
    /// The task returned an error.
    #[error("task {index} failed: {error}")]
    Failed {
        /// The index of the task (0-based, in input order).
        index: usize,
        /// What it returned.
        #[source]
        error: E,
    },
    /// No task failed, but this one has no result: it panicked, and the panic was caught further up.
    #[error("task {index} was dropped before it returned")]
    Cancelled {
        /// The index of the task (0-based, in input order).
        index: usize,
    },
}

impl<E> TaskError<E> {
    /// The index of the task (0-based, in input order).
    ///
    /// ```
    /// # use abreast::{parallel, TaskError};
    /// # smol::block_on(async {
    /// let error = parallel([async { Err::<(), _>("no") }]).await.into_result().unwrap_err();
    /// assert_eq!(error.index(), 0);
    /// # });
    /// ```
    #[must_use]
    pub const fn index(&self) -> usize {
        match self {
            Self::Failed { index, .. } | Self::Cancelled { index } => *index,
        }
    }

    /// What the task returned, if it did.
    ///
    /// ```
    /// # use abreast::{parallel, TaskError};
    /// # smol::block_on(async {
    /// let error = parallel([async { Err::<(), _>("no") }]).await.into_result().unwrap_err();
    /// assert_eq!(error.into_error(), Some("no"));
    /// # });
    /// ```
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Cancelled { .. } => None,
        }
    }
}

/// Why a race has no winner.
///
/// ```
/// use abreast::{RaceError, race};
///
/// # smol::block_on(async {
/// let tasks = ["timed out", "refused"].map(|error| async move { Err::<(), _>(error) });
/// let error = race(tasks).await.unwrap_err();
/// assert_eq!(error.to_string(), "all 2 tasks failed, the last one (task 1) with: refused");
/// let RaceError::AllFailed(failures) = error else { panic!() };
/// assert_eq!(failures.into_iter().collect::<Vec<_>>(), [(0, "timed out"), (1, "refused")]);
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RaceError<E> {
    /// There was nobody to race.
    #[error("no task was given, so none could win")]
    NoTasks,
    /// Every task failed.
    #[error(transparent)]
    AllFailed(#[from] Failures<E>),
}

impl<E> RaceError<E> {
    /// The error of the task that failed last; `None` without tasks.
    ///
    /// ```
    /// # use abreast::race;
    /// # smol::block_on(async {
    /// let tasks = ["timed out", "refused"].map(|error| async move { Err::<(), _>(error) });
    /// assert_eq!(race(tasks).await.unwrap_err().last(), Some(&"refused"));
    /// # });
    /// ```
    #[must_use]
    pub fn last(&self) -> Option<&E> {
        match self {
            Self::NoTasks => None,
            Self::AllFailed(failures) => failures.last(),
        }
    }

    /// Turns into the error of the task that failed last; `None` without tasks.
    ///
    /// ```
    /// # use abreast::race;
    /// # smol::block_on(async {
    /// let tasks = ["timed out", "refused"].map(|error| async move { Err::<(), _>(error) });
    /// assert_eq!(race(tasks).await.unwrap_err().into_last(), Some("refused"));
    /// # });
    /// ```
    #[must_use]
    pub fn into_last(self) -> Option<E> {
        match self {
            Self::NoTasks => None,
            Self::AllFailed(failures) => failures.into_last(),
        }
    }
}

/// The errors of tasks, each with the index of its task (0-based, in input order), in order of failure.
///
/// See [`RaceError`].
///
/// ```
/// use abreast::{RaceError, race};
///
/// # smol::block_on(async {
/// let tasks = ["timed out", "refused"].map(|error| async move { Err::<(), _>(error) });
/// let Err(RaceError::AllFailed(failures)) = race(tasks).await else { panic!() };
/// for (index, error) in &failures {
///     println!("task {index}: {error}");
/// }
/// assert_eq!(failures.len(), 2);
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Failures<E> {
    failures: Vec<(usize, E)>,
}

impl<E> Failures<E> {
    pub(crate) const fn new() -> Self {
        Self {
            failures: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, index: usize, error: E) {
        self.failures.push((index, error));
    }

    /// How many tasks failed.
    ///
    /// ```
    /// # use abreast::{RaceError, race};
    /// # smol::block_on(async {
    /// # let Err(RaceError::AllFailed(failures)) = race([async { Err::<(), _>("no") }]).await else { panic!() };
    /// assert_eq!(failures.len(), 1);
    /// # });
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.failures.len()
    }

    /// Whether no task failed: those that did not succeed have panicked, and the panic was caught further up.
    ///
    /// ```
    /// # use abreast::{RaceError, race};
    /// # smol::block_on(async {
    /// # let Err(RaceError::AllFailed(failures)) = race([async { Err::<(), _>("no") }]).await else { panic!() };
    /// assert!(!failures.is_empty());
    /// # });
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.failures.is_empty()
    }

    /// The errors with their indices, in order of failure.
    ///
    /// ```
    /// # use abreast::{RaceError, race};
    /// # smol::block_on(async {
    /// # let Err(RaceError::AllFailed(failures)) = race([async { Err::<(), _>("no") }]).await else { panic!() };
    /// assert_eq!(failures.iter().next(), Some((0, &"no")));
    /// # });
    /// ```
    pub fn iter(&self) -> FailuresIter<'_, E> {
        FailuresIter(self.failures.iter())
    }

    /// The error of the task that failed last.
    ///
    /// ```
    /// # use abreast::{RaceError, race};
    /// # smol::block_on(async {
    /// # let Err(RaceError::AllFailed(failures)) = race([async { Err::<(), _>("no") }]).await else { panic!() };
    /// assert_eq!(failures.last(), Some(&"no"));
    /// # });
    /// ```
    #[must_use]
    pub fn last(&self) -> Option<&E> {
        self.failures.last().map(|(_, error)| error)
    }

    /// Turns into the error of the task that failed last.
    ///
    /// ```
    /// # use abreast::{RaceError, race};
    /// # smol::block_on(async {
    /// # let Err(RaceError::AllFailed(failures)) = race([async { Err::<(), _>("no") }]).await else { panic!() };
    /// assert_eq!(failures.into_last(), Some("no"));
    /// # });
    /// ```
    #[must_use]
    pub fn into_last(mut self) -> Option<E> {
        self.failures.pop().map(|(_, error)| error)
    }
}

impl<E: fmt::Display> fmt::Display for Failures<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failures.as_slice() {
            [] => f.write_str("no task returned"),
            [(index, error)] => write!(f, "task {index} failed: {error}"),
            [.., (index, error)] => write!(
                f,
                "all {} tasks failed, the last one (task {index}) with: {error}",
                self.len()
            ),
        }
    }
}

/// The source is the error of the task that failed last.
impl<E: Error + 'static> Error for Failures<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.last().map(|error| error as _)
    }
}

impl<E> IntoIterator for Failures<E> {
    type Item = (usize, E);
    type IntoIter = vec::IntoIter<(usize, E)>;

    fn into_iter(self) -> Self::IntoIter {
        self.failures.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a Failures<E> {
    type Item = (usize, &'a E);
    type IntoIter = FailuresIter<'a, E>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Borrows the errors of [`Failures`], with their indices.
#[derive(Clone, Debug)]
pub struct FailuresIter<'a, E>(slice::Iter<'a, (usize, E)>);

impl<'a, E> Iterator for FailuresIter<'a, E> {
    type Item = (usize, &'a E);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(index, error)| (*index, error))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<E> DoubleEndedIterator for FailuresIter<'_, E> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(index, error)| (*index, error))
    }
}

impl<E> ExactSizeIterator for FailuresIter<'_, E> {}
