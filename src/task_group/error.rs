//! The errors of groups.

use alloc::boxed::Box;
use alloc::vec::{self, Vec};
use core::error::Error;
use core::fmt;

use crate::outcome::{BoxError, BoxErrors, source_of, write_failure};

/// The part of a [`task_group`](crate::task_group()) that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The body of the group.
    Body,
    /// The task with this index (0-based, in the order in which tasks were spawned).
    Task(usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("the body"),
            Self::Task(index) => write!(f, "task {index}"),
        }
    }
}

/// The error of a [`task_group`](crate::task_group()): every failure that was known when it ended, in order.
///
/// There is one at least, unless there was a panic and it was caught further up.
///
/// ```
/// use abreast::{Origin, task_group};
///
/// # smol::block_on(async {
/// let error = task_group(async |group| {
///     group.spawn(async { Ok(1) });
///     group.spawn(async { Err::<(), _>("refused") });
///     Ok::<_, &str>(())
/// })
/// .await
/// .unwrap_err();
///
/// assert_eq!(format!("{error}"), "task 1 failed");
/// assert_eq!(format!("{error:#}"), "task 1 failed: refused");
/// for (origin, error) in error.failures() {
///     assert_eq!((origin, *error), (Origin::Task(1), "refused"));
/// }
/// assert_eq!(error.first(), Some(&"refused"));
/// assert_eq!(error.into_first(), Some("refused"));
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TaskGroupError<E> {
    failures: Vec<(Origin, E)>,
}

impl<E> TaskGroupError<E> {
    pub(super) const fn new(failures: Vec<(Origin, E)>) -> Self {
        Self { failures }
    }

    /// Returns the error that ended the group; `None` if it was a panic.
    #[must_use]
    pub fn first(&self) -> Option<&E> {
        self.failures.first().map(|(_, error)| error)
    }

    /// Turns into the error that ended the group; `None` if it was a panic.
    #[must_use]
    pub fn into_first(self) -> Option<E> {
        self.failures.into_iter().next().map(|(_, error)| error)
    }

    /// Returns the errors, each with its origin, in order of failure.
    pub fn failures(&self) -> impl ExactSizeIterator<Item = (Origin, &E)> + DoubleEndedIterator {
        self.failures.iter().map(|(origin, error)| (*origin, error))
    }
}

impl<E: fmt::Display> fmt::Display for TaskGroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first failure stands for all, as it ended the group.
        match self.failures.as_slice() {
            [] => f.write_str("a part of the group has panicked"),
            [(origin, error)] => write_failure(f, format_args!("{origin} failed"), error),
            [(origin, error), ..] => {
                let count = self.failures.len();
                write_failure(
                    f,
                    format_args!("{count} parts of the group failed, {origin} first"),
                    error,
                )
            }
        }
    }
}

/// The source is the error that ended the group.
impl<E: Error + 'static> Error for TaskGroupError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.first().map(source_of)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> BoxErrors for TaskGroupError<E> {
    type Boxed = TaskGroupError<BoxError>;

    fn boxed(self) -> TaskGroupError<BoxError> {
        let failures = self.failures.into_iter();
        TaskGroupError {
            failures: failures
                .map(|(origin, error)| (origin, BoxError::new(error)))
                .collect(),
        }
    }
}

/// The errors, each with its origin, in order of failure.
impl<E> IntoIterator for TaskGroupError<E> {
    type Item = (Origin, E);
    type IntoIter = vec::IntoIter<(Origin, E)>;

    fn into_iter(self) -> Self::IntoIter {
        self.failures.into_iter()
    }
}
