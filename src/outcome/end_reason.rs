//! Why a run has ended.

use core::fmt;

/// Why a run has ended: see [`ParallelResult::end_reason`](crate::ParallelResult::end_reason).
///
/// ```
/// use abreast::{EndReason, parallel};
/// use std::future::{pending, ready};
///
/// # smol::block_on(async {
/// let run = parallel([pending::<Result<(), ()>>()]).stop_on(ready("closing"));
/// let result = run.await;
/// assert_eq!(result.end_reason(), EndReason::Stopped);
/// assert_eq!(result.end_reason().to_string(), "stopped by its signal");
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// All tasks have ended.
    #[default]
    Completed,
    /// A task has failed, and a failure was to [end](crate::Parallel::fail_fast) the run.
    Failed,
    /// The future given to [`stop_on`](crate::Parallel::stop_on) was ready.
    Stopped,
    /// The [deadline](crate::Parallel::deadline) was over.
    DeadlineElapsed,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::Failed => "ended by a failure",
            Self::Stopped => "stopped by its signal",
            Self::DeadlineElapsed => "stopped by its deadline",
        })
    }
}
