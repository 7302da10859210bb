//! What becomes of a group that may be stopped.

use super::error::TaskGroupError;
use crate::outcome::EndReason;

/// What had become of a [`task_group`](crate::task_group()) when it ended: see
/// [`TaskGroup::stop_on`](crate::TaskGroup::stop_on).
///
/// The values of its tasks are with their handles, as ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TaskGroupResult<T, E> {
    /// What the body returned, if it had returned a value by then.
    pub value: Option<T>,
    /// Every failure that was known by then; `None` if nothing had failed.
    pub error: Option<TaskGroupError<E>>,
    /// Why the group ended.
    pub end_reason: EndReason,
    /// The number of tasks that were dropped before they returned, or never started. The body is not counted.
    pub cancelled_count: usize,
}
