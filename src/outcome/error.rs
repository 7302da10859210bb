//! The errors of runs.

use alloc::boxed::Box;
use core::error::Error;
use core::fmt;

use super::Failures;
use super::boxed::{BoxError, BoxErrors, source_of, write_failure};

/// The error of a run whose tasks must all succeed.
///
/// What the task returned is its [`source`](Error::source), if that is an [`Error`]; [`boxed`](BoxErrors::boxed) makes
/// it one. So `{}` does not tell it, but `{:#}` does.
///
/// ```
/// use abreast::{TaskError, sequential};
///
/// # smol::block_on(async {
/// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
/// let error = sequential(tasks).await.unwrap_err();
/// assert_eq!(error, TaskError::Failed { index: 1, error: "no" });
/// assert_eq!(format!("{error}"), "task 1 failed");
/// assert_eq!(format!("{error:#}"), "task 1 failed: no");
/// assert_eq!((error.index(), error.into_error()), (1, Some("no")));
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskError<E> {
    /// The task returned an error.
    Failed {
        /// The index of the task (0-based, in input order).
        index: usize,
        /// The error that it returned.
        error: E,
    },
    /// No task failed, but this one has no result: it panicked, and the panic was caught further up.
    Cancelled {
        /// The index of the task (0-based, in input order).
        index: usize,
    },
}

impl<E> TaskError<E> {
    /// Returns the index of the task (0-based, in input order).
    #[must_use]
    pub const fn index(&self) -> usize {
        match self {
            Self::Failed { index, .. } | Self::Cancelled { index } => *index,
        }
    }

    /// Turns into what the task returned, if it did.
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Cancelled { .. } => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for TaskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { index, error } => {
                write_failure(f, format_args!("task {index} failed"), error)
            }
            Self::Cancelled { index } => {
                write!(f, "task {index} was dropped before it returned")
            }
        }
    }
}

/// The source is what the task returned.
impl<E: Error + 'static> Error for TaskError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(source_of(error)),
            Self::Cancelled { .. } => None,
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> BoxErrors for TaskError<E> {
    type Boxed = TaskError<BoxError>;

    fn boxed(self) -> TaskError<BoxError> {
        match self {
            Self::Failed { index, error } => TaskError::Failed {
                index,
                error: BoxError::new(error),
            },
            Self::Cancelled { index } => TaskError::Cancelled { index },
        }
    }
}

/// The error of a race without a winner.
///
/// The error of the task that failed last is its [`source`](Error::source), if that is an [`Error`];
/// [`boxed`](BoxErrors::boxed) makes it one. So `{}` does not tell it, but `{:#}` does.
///
/// ```
/// use abreast::{RaceError, race};
///
/// # smol::block_on(async {
/// let tasks = ["timed out", "refused"].map(|error| async move { Err::<(), _>(error) });
/// let error = race(tasks).await.unwrap_err();
/// assert_eq!(format!("{error}"), "all 2 tasks failed, task 1 last");
/// assert_eq!(format!("{error:#}"), "all 2 tasks failed, task 1 last: refused");
/// assert_eq!(error.last(), Some(&"refused"));
/// let RaceError::AllFailed(failures) = error else { panic!() };
/// assert_eq!(failures.into_iter().collect::<Vec<_>>(), [(0, "timed out"), (1, "refused")]);
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RaceError<E> {
    /// There was no task to race.
    #[error("no task was given, so none could win")]
    NoTasks,
    /// Every task failed.
    #[error(transparent)]
    AllFailed(#[from] Failures<E>),
}

impl<E> RaceError<E> {
    /// Returns the error of the task that failed last; `None` without tasks.
    #[must_use]
    pub fn last(&self) -> Option<&E> {
        match self {
            Self::NoTasks => None,
            Self::AllFailed(failures) => failures.last(),
        }
    }

    /// Turns into the error of the task that failed last; `None` without tasks.
    #[must_use]
    pub fn into_last(self) -> Option<E> {
        match self {
            Self::NoTasks => None,
            Self::AllFailed(failures) => failures.into_last(),
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> BoxErrors for RaceError<E> {
    type Boxed = RaceError<BoxError>;

    fn boxed(self) -> RaceError<BoxError> {
        match self {
            Self::NoTasks => RaceError::NoTasks,
            Self::AllFailed(failures) => RaceError::AllFailed(failures.boxed()),
        }
    }
}
