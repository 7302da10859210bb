//! What is noted of a task when it starts, and what it says of its limit when it has ended.

use core::time::Duration;

use crate::time::Clock;

/// What a task that has ended says about the limit that it ran under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feedback {
    /// All went well, and the duration is that of a task done.
    Fine,
    /// It was too much: the service has refused the task, or has not answered in time.
    Overload,
    /// The task says nothing about the limit: it was wrong, or came out of a cache.
    Ignored,
}

impl Feedback {
    /// Counts a value as fine, and no error at all.
    ///
    /// To be used as a classifier where no error is a sign of overload. With [`Limit::aimd`](crate::Limit::aimd), which
    /// learns from overloads only, the limit would grow to its maximum.
    ///
    /// ```
    /// use abreast::{Limit, parallel};
    /// use abreast::limit::Feedback;
    ///
    /// # smol::block_on(async {
    /// let limit = Limit::gradient();
    /// let tasks = (0..10).map(|n| async move { Ok::<_, String>(n) });
    /// let result = parallel(tasks).adaptive(&limit, smol::Timer::after, Feedback::fine_if_ok).await;
    /// # assert!(result.all_succeeded());
    /// # });
    /// ```
    pub fn fine_if_ok<T, E>(result: Result<&T, &E>) -> Self {
        match result {
            Ok(_) => Self::Fine,
            Err(_) => Self::Ignored,
        }
    }
}

/// When a task started.
#[derive(Debug)]
pub(super) struct Started {
    /// The changes of the limit until then.
    pub(super) changes: u64,
    clock: Clock,
}

impl Started {
    pub(super) fn new(changes: u64, timer: Option<Duration>) -> Self {
        let mut clock = Clock::default();
        clock.start(timer);
        Self { changes, clock }
    }

    /// Returns the time since the start; `None` without a clock.
    pub(super) fn elapsed(&mut self, timer: Option<Duration>) -> Option<Duration> {
        self.clock.measure(timer)
    }
}
