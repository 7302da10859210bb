//! The errors of submissions and of jobs.

use alloc::boxed::Box;
use alloc::string::String;
use core::error::Error;
use core::fmt;

use super::state::Refusal;
use crate::outcome::{BoxError, BoxErrors, source_of, write_failure};
use crate::sync::panic::Panic;

/// The reason why a pool did not accept a job.
///
/// ```
/// use abreast::{PoolError, pool};
///
/// let (pool, driver) = pool(2);
/// drop(driver);
/// let error = pool.execute(async { Ok::<_, ()>(1) }).unwrap_err();
/// assert_eq!(error, PoolError::Abandoned);
/// assert_eq!(error.to_string(), "the pool has no driver: it was dropped, and so were all of its workers");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The pool was [shut down](crate::Pool::shutdown).
    #[error("the pool was shut down")]
    Closed,
    /// A [drain](crate::Pool::drain) is pending. The pool will accept again when it ends.
    #[error("the pool is being drained")]
    Draining,
    /// The queue is at its [capacity](crate::PoolBuilder::queue_capacity).
    #[error("the queue of the pool is full")]
    Full,
    /// The driver was dropped, or all of its workers were, so nothing could ever run.
    #[error("the pool has no driver: it was dropped, and so were all of its workers")]
    Abandoned,
}

impl From<Refusal> for PoolError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Closed => Self::Closed,
            Refusal::Abandoned => Self::Abandoned,
            Refusal::Draining => Self::Draining,
            Refusal::Full => Self::Full,
        }
    }
}

/// The reason why a job has no value.
///
/// ```
/// use abreast::pool;
///
/// # smol::block_on(async {
/// let (pool, mut driver) = pool(2);
/// let refused = pool.execute(async { Err::<(), _>("refused") })?;
/// let error = driver.run_until(refused).await.unwrap_err();
/// assert_eq!(format!("{error}"), "the job failed");
/// assert_eq!(format!("{error:#}"), "the job failed: refused");
/// assert_eq!(error.into_error(), Some("refused"));
/// # Ok::<_, abreast::PoolError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobError<E> {
    /// It returned an error.
    Failed(E),
    /// It panicked, or a destructor of it did.
    Panicked {
        /// What it panicked with.
        message: String,
    },
    /// It was [cancelled](crate::JobHandle::cancel).
    Cancelled,
    /// The driver or the worker that had it was dropped before it ended.
    Abandoned,
}

impl<E> JobError<E> {
    /// Returns the error that the job returned, if it did.
    ///
    /// ```
    /// # use abreast::JobError;
    /// assert_eq!(JobError::Failed("refused").into_error(), Some("refused"));
    /// assert_eq!(JobError::<()>::Cancelled.into_error(), None);
    /// ```
    #[must_use]
    pub fn into_error(self) -> Option<E> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for JobError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write_failure(f, format_args!("the job failed"), error),
            Self::Panicked { message } => write!(f, "the job panicked: {message}"),
            Self::Cancelled => f.write_str("the job was cancelled"),
            Self::Abandoned => {
                f.write_str("the job was abandoned: its driver or its worker was dropped")
            }
        }
    }
}

/// The source is what the job returned.
impl<E: Error + 'static> Error for JobError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(source_of(error)),
            _ => None,
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> BoxErrors for JobError<E> {
    type Boxed = JobError<BoxError>;

    fn boxed(self) -> JobError<BoxError> {
        match self {
            Self::Failed(error) => JobError::Failed(BoxError::new(error)),
            Self::Panicked { message } => JobError::Panicked { message },
            Self::Cancelled => JobError::Cancelled,
            Self::Abandoned => JobError::Abandoned,
        }
    }
}

impl<E> From<Panic> for JobError<E> {
    fn from(panic: Panic) -> Self {
        Self::Panicked {
            message: panic.into_message(),
        }
    }
}
