//! The errors of tasks that were all to fail.

use alloc::vec::{self, Vec};
use core::error::Error;
use core::fmt;
use core::iter::Map;
use core::slice;

use super::boxed::{BoxError, BoxErrors, source_of, write_failure};

/// The errors of tasks, each with the index of its task (0-based, in input order), in order of failure.
///
/// See [`RaceError`](crate::RaceError).
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
/// assert_eq!((failures.len(), failures.last()), (2, Some(&"refused")));
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
        // As many as the list itself would begin with, but without the code that finds out.
        if self.failures.capacity() == 0 {
            self.failures = Vec::with_capacity(4);
        }
        self.failures.push((index, error));
    }

    /// Returns the number of tasks that failed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.failures.len()
    }

    /// Returns true if no task failed: those that did not succeed have panicked, and the panic was caught further up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.failures.is_empty()
    }

    /// Returns the errors with their indices, in order of failure.
    pub fn iter(&self) -> <&Self as IntoIterator>::IntoIter {
        self.into_iter()
    }

    /// Returns the error of the task that failed last.
    #[must_use]
    pub fn last(&self) -> Option<&E> {
        self.failures.last().map(|(_, error)| error)
    }

    /// Turns into the error of the task that failed last.
    #[must_use]
    pub fn into_last(mut self) -> Option<E> {
        self.failures.pop().map(|(_, error)| error)
    }
}

impl<E: fmt::Display> fmt::Display for Failures<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The last failure stands for all, as it ended the race.
        match self.failures.as_slice() {
            [] => f.write_str("no task returned"),
            [(index, error)] => write_failure(f, format_args!("task {index} failed"), error),
            [.., (index, error)] => {
                let all = self.len();
                write_failure(
                    f,
                    format_args!("all {all} tasks failed, task {index} last"),
                    error,
                )
            }
        }
    }
}

/// The source is the error of the task that failed last.
impl<E: Error + 'static> Error for Failures<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.last().map(source_of)
    }
}

impl<E: Into<alloc::boxed::Box<dyn Error + Send + Sync>>> BoxErrors for Failures<E> {
    type Boxed = Failures<BoxError>;

    fn boxed(self) -> Failures<BoxError> {
        let failures = self.failures.into_iter();
        Failures {
            failures: failures
                .map(|(index, error)| (index, BoxError::new(error)))
                .collect(),
        }
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
    type IntoIter = Map<slice::Iter<'a, (usize, E)>, fn(&'a (usize, E)) -> Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.failures.iter().map(|(index, error)| (*index, error))
    }
}
