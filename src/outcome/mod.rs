//! The results of runs.

mod boxed;
mod end_reason;
mod error;
mod failures;
mod iter;
mod result;
mod task_output;

pub use boxed::{BoxError, BoxErrors};
pub(crate) use boxed::{source_of, write_failure};
pub use end_reason::EndReason;
pub use error::{RaceError, TaskError};
pub use failures::Failures;
pub use iter::{IntoIter, Iter};
pub use result::ParallelResult;
pub use task_output::TaskOutput;

/// The outcome of a task.
///
/// ```
/// use abreast::{Outcome, parallel};
///
/// # smol::block_on(async {
/// let tasks = [Ok(1), Err("no")].map(|result| async move { result });
/// let result = parallel(tasks).await;
/// assert_eq!(result[0], Outcome::Succeeded(1));
/// assert_eq!((result[0].value(), result[0].error()), (Some(&1), None));
/// assert_eq!(result[1], Outcome::Failed("no"));
/// assert!(result[1].is_failed());
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome<T, E> {
    /// The task returned `Ok`.
    Succeeded(T),
    /// The task returned `Err`.
    Failed(E),
    /// The task was dropped before it returned, or was never started.
    Cancelled,
}

impl<T, E> Outcome<T, E> {
    /// Returns true if the task returned `Ok`.
    #[must_use]
    pub const fn is_succeeded(&self) -> bool {
        matches!(self, Self::Succeeded(_))
    }

    /// Returns true if the task returned `Err`.
    #[must_use]
    pub const fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    /// Returns true if the task was dropped before it returned, or was never started.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    /// Returns the value of a task that succeeded.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Succeeded(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the error of a task that failed.
    #[must_use]
    pub const fn error(&self) -> Option<&E> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Turns into the value of a task that succeeded.
    #[must_use]
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Succeeded(value) => Some(value),
            _ => None,
        }
    }

    /// Turns into the error of a task that failed.
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl<T, E> From<Result<T, E>> for Outcome<T, E> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => Self::Succeeded(value),
            Err(error) => Self::Failed(error),
        }
    }
}
